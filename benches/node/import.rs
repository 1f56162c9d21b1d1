//! Imports: until everything is durable, until everything is searchable, and in how much memory.

use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::data::{Graph, csv, jsonl, stix};
use crate::node::Node;
use crate::write_graph;

const OBJECTS: u64 = 25_000;
const SAMPLE_EVERY: Duration = Duration::from_millis(10);

/// The disk's own limit: 16 MiB at a time, each durable before the next.
pub(crate) fn disk(node: &Node) {
    let path = node.file("raw");
    let mut file = File::create(&path).unwrap();
    let block: Vec<u8> = (0..16u32 << 20).map(|n| n.wrapping_mul(2_654_435_761) as u8).collect();
    let begun = Instant::now();
    for _ in 0..16 {
        file.write_all(&block).unwrap();
        file.sync_data().unwrap();
    }
    println!(
        "disk: {:.0} MB/s appended and synced",
        16.0 * block.len() as f64 / 1e6 / begun.elapsed().as_secs_f64()
    );
    std::fs::remove_file(path).unwrap();
}

/// What the questions are asked of, and what an import has beside it.
pub(crate) fn beside(node: &Node, graph: Graph) {
    let file = write_graph(node, graph);
    report(
        node,
        &format!("{} entities, {} relations, JSONL", graph.entities, graph.relations),
        "jsonl",
        "graph",
        &file,
    );
    std::fs::remove_file(file).unwrap();
}

pub(crate) fn compare(node: &Node) {
    for (format, text) in [("stix", stix(OBJECTS)), ("jsonl", jsonl(OBJECTS)), ("csv", csv(OBJECTS))] {
        let file = node.write(&format!("measured.{format}"), &text);
        report(node, &format!("{OBJECTS} objects, {format}"), format, format, &file);
        if format != "csv" {
            println!("  (serde_json alone parses it at {:.0} MB/s)", parsed(&text));
        }
        let again = Instant::now();
        let same = node.import(&file, format, format, &[]).ok();
        assert_eq!(same["unchanged"], OBJECTS);
        let rate = text.len() as f64 / 1e6 / again.elapsed().as_secs_f64();
        println!("  again, all unchanged: {rate:.1} MB/s");
    }
}

/// How fast the lines are parsed and nothing else, in MB/s.
fn parsed(text: &str) -> f64 {
    let begun = Instant::now();
    for line in text.lines().filter(|line| line.len() > 2) {
        let line = line.trim_end_matches(',');
        let _: Option<Value> = serde_json::from_str(line).ok();
    }
    text.len() as f64 / 1e6 / begun.elapsed().as_secs_f64()
}

fn report(node: &Node, what: &str, format: &str, source: &str, file: &std::path::Path) {
    let bytes = file.metadata().unwrap().len() as f64 / 1e6;
    let over = AtomicBool::new(false);
    let (done, lags) = std::thread::scope(|scope| {
        let sampler = scope.spawn(|| sample(node, &over));
        let ran = node.import(file, format, source, &[]);
        over.store(true, Ordering::Relaxed);
        (ran.ok(), lags(&sampler.join().unwrap()))
    });
    let [durable, all] = ["durable_seconds", "seconds"].map(|field| done[field].as_f64().unwrap());
    let p95 = lags.get(lags.len() * 95 / 100).copied().unwrap_or_default().as_secs_f64();
    println!(
        "{what}, {bytes:.0} MB: durable {:.1} MB/s in {durable:.1} s, searchable {:.1} MB/s in {all:.1} s; lag p95 {p95:.2} s; node at most {} MiB",
        bytes / durable,
        bytes / all,
        peak_mib(node)
    );
}

/// How many records were durable, and how many of them searchable, at a time.
struct Sample {
    at: Instant,
    durable: u64,
    searchable: u64,
}

fn sample(node: &Node, over: &AtomicBool) -> Vec<Sample> {
    let http = node.http();
    let mut samples = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let text = http.get("/metrics").body;
        let value = |name: &str| -> u64 {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            line.rsplit(' ').next().unwrap().parse().unwrap()
        };
        let durable = value("intelgraph_log_records ");
        let searchable = durable - value("intelgraph_follower_lag_records ");
        samples.push(Sample { at: Instant::now(), durable, searchable });
        std::thread::sleep(SAMPLE_EVERY);
    }
    samples
}

/// For each step of the log, how long until search reflected it; sorted.
fn lags(samples: &[Sample]) -> Vec<Duration> {
    let grown = samples.windows(2).filter(|pair| pair[1].durable > pair[0].durable).map(|pair| &pair[1]);
    let mut lags: Vec<_> = grown
        .filter_map(|grown| {
            let reflected =
                samples.iter().find(|later| later.at >= grown.at && later.searchable >= grown.durable)?;
            Some(reflected.at - grown.at)
        })
        .collect();
    lags.sort_unstable();
    lags
}

pub(crate) fn peak_mib(node: &Node) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
