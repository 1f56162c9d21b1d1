//! Questions by words and meaning, over HTTP, the encoding of each question included: on a node that has nothing else to do, and on
//! one whose processors are taken. How many are answered by words alone is said with each.
//!
//! `INTELGRAPH_BENCH_MODEL` names what `model install` takes, separated by colons; `INTELGRAPH_BENCH_ROWS` how many documents.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::data::{self, Random};
use crate::load::Load;
use crate::node::Node;

/// Documents, unless it is said otherwise.
const ROWS: u64 = 100_000;
/// What a node has by itself is too little to seal so many vectors.
const MEMORY_BYTES_MAX: &str = "1073741824";
/// Words of a document's name, and of its text: a model takes its time for each of them.
const WORDS: [u64; 2] = [2, 6];
const PER_SECOND: [u32; 2] = [10, 50];
/// Threads that take the processors' time.
const BUSY: [usize; 3] = [0, 2, 4];
/// The share of questions that somebody asks a second time.
const REPEATED_ONE_IN: u64 = 5;

pub(crate) fn questions() {
    println!("\nquestions by words and meaning");
    let Ok(model) = std::env::var("INTELGRAPH_BENCH_MODEL") else {
        println!("  skipped: INTELGRAPH_BENCH_MODEL names no model");
        return;
    };
    let rows = std::env::var("INTELGRAPH_BENCH_ROWS").map_or(ROWS, |rows| rows.parse().unwrap());
    let node = Node::start_with(&[("memory_bytes_max", MEMORY_BYTES_MAX)]);
    fill(&node, &model, rows);
    println!("  compared one by one, as it is until the next build:");
    ask_all(&node);
    seal(&node);
    ask_all(&node);
}

fn ask_all(node: &Node) {
    for busy in BUSY {
        for per_second in PER_SECOND {
            beside(busy, &|| ask(node, per_second, busy));
        }
    }
}

fn fill(node: &Node, model: &str, rows: u64) {
    let mut args = vec!["model", "install"];
    args.extend(model.split(':'));
    node.cli(&args).ok();
    node.cli(&["flag", "set", "vector-preview", "on"]).ok();
    let path = node.file("documents.jsonl");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    let mut random = Random::new(3);
    for number in 0..rows {
        let [name, text] = WORDS.map(|count| random.words(count));
        let document = json!({
            "id": format!("document-{number}"), "type": "document", "attributes": {"name": name}, "texts": [{"text": text}],
        });
        writeln!(file, "{document}").unwrap();
    }
    file.flush().unwrap();
    let begun = Instant::now();
    let last = node.import(&path, "jsonl", "documents", &[]).ok()["lsn"].as_u64();
    println!("  {rows} documents searchable by their words after {:.0?}", begun.elapsed());
    while node.cli(&["index", "build", "--tenant", "default"]).ok()["lsn"].as_u64() < last {
        std::thread::sleep(Duration::from_secs(1));
    }
    println!("  and by their meaning after {:.0?}", begun.elapsed());
}

fn seal(node: &Node) {
    let begun = Instant::now();
    let built = node.cli(&["index", "build", "--tenant", "default", "--now"]).ok();
    println!("  sealed in {:.0?}: {}", begun.elapsed(), built["built"]);
}

/// Runs something while so many threads take all the time that they get.
fn beside(busy: usize, act: &dyn Fn()) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..busy {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::hint::spin_loop()
                }
            });
        }
        act();
        done.store(true, Ordering::Relaxed);
    });
}

fn ask(node: &Node, per_second: u32, busy: usize) {
    let load = Load { url: &node.url, token: &node.token, per_second, seconds: 20, over: None };
    let question = |turn: u64| {
        let turn = if turn.is_multiple_of(REPEATED_ONE_IN) { turn / 2 } else { turn };
        json!({"q": format!("{} {}", data::question(turn), data::question(turn + 1)), "first": 10, "mode": "HYBRID"})
    };
    let [alone, slowest_us, nothing] = [const { AtomicU64::new(0) }; 3];
    let seen = |answer: &str| {
        let answer: Value = serde_json::from_str(answer).unwrap();
        let vector = &answer["data"]["searchHybrid"]["vector"];
        if vector["used"] != true {
            alone.fetch_add(1, Ordering::Relaxed);
        }
        let took_us = vector["tookMs"].as_f64().unwrap_or_default() * 1e3;
        slowest_us.fetch_max(took_us as u64, Ordering::Relaxed);
        let has_hits = answer["data"]["searchHybrid"]["edges"][0].is_object();
        nothing.fetch_add(u64::from(!has_hits), Ordering::Relaxed);
        answer["data"]["searchHybrid"].is_object()
    };
    let times = load.operation_seen("searchHybrid:v1", &question, &seen);
    let (alone, nothing) = (alone.into_inner(), nothing.into_inner());
    let slowest_ms = slowest_us.into_inner() as f64 / 1e3;
    let share = 100.0 * alone as f64 / f64::from(load.per_second * load.seconds);
    println!(
        "  {busy} busy threads: {times}; by words alone {share:.2} %, {nothing} without a hit, slowest vector stage {slowest_ms:.1} ms"
    );
}
