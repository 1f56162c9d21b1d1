//! Many tenants on one node: what they cost while nobody asks anything, how fast the node starts, and whether a tenant
//! notices that another floods it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::data::{self, Graph, Random};
use crate::load::Load;
use crate::node::Node;

const TENANTS: u64 = 200;
const TEXTS: u64 = 1_000;
/// Writers of indexes are closed by then, and what was read is no longer held.
const QUIET: Duration = Duration::from_secs(20);
/// Things that another tenant imports, again and again from another source.
const IMPORTED: u64 = 100_000;
/// How many at a time the flooding tenant has under way.
const FLOODERS: usize = 32;

pub(crate) fn many() {
    println!("\n{TENANTS} tenants with {TEXTS} texts each");
    let mut node = Node::start();
    let graph = Graph { entities: TEXTS, relations: 0 };
    let file = node.file("texts.jsonl");
    graph.write(&mut std::fs::File::create(&file).unwrap());
    let begun = Instant::now();
    let tokens: Vec<String> = (0..TENANTS).map(|number| fill(&node, number, &file)).collect();
    println!("  made and filled in {:.0?}", begun.elapsed());
    std::thread::sleep(QUIET);
    println!("  idle: {}", usage(&node));
    node.stop();
    let begun = Instant::now();
    node.restart();
    println!("  ready {:.2?} after the start", begun.elapsed());
    let first = Instant::now();
    for token in &tokens {
        let found = node.http_as(token).graphql("search:v1", json!({"q": data::question(1), "limit": 1}));
        assert!(found["search"]["hits"].is_array());
    }
    println!("  each has searched once {:.2?} later: {}", first.elapsed(), usage(&node));
    std::thread::sleep(QUIET);
    println!("  idle again: {}", usage(&node));
    beside_a_flood(&node, &tokens, graph);
    beside_an_import(&node, &tokens);
}

fn fill(node: &Node, number: u64, file: &std::path::Path) -> String {
    let token = node.new_token(&["--tenant", &format!("t{number}"), "--role", "owner"]);
    let args = crate::node::import_args(file, "jsonl", "texts", &[]);
    node.cli_as(&token, &args).ok();
    token
}

/// One tenant's entity and search, alone and while another asks and writes all that it can.
fn beside_a_flood(node: &Node, tokens: &[String], graph: Graph) {
    let load = Load { url: &node.url, token: &tokens[0], per_second: 50, seconds: 10 };
    let read = |turn: u64| json!({"id": graph.id(Random::new(turn).below(graph.entities))});
    let search = |turn: u64| json!({"q": data::question(turn), "limit": 10});
    load.operation("search:v1", &search);
    println!("  alone: entity {}", load.operation("entity:v1", &read));
    println!("         search {}", load.operation("search:v1", &search));
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for flooder in 0..FLOODERS {
            let (over, token) = (&over, &tokens[1]);
            scope.spawn(move || flood(node, token, flooder, over));
        }
        std::thread::sleep(Duration::from_secs(1));
        println!("  beside a flood: entity {}", load.operation("entity:v1", &read));
        println!("                  search {}", load.operation("search:v1", &search));
        over.store(true, Ordering::Relaxed);
    });
}

/// One tenant's events, alone and while another imports.
fn beside_an_import(node: &Node, tokens: &[String]) {
    let writer = node.new_token(&["--tenant", "t0", "--role", "writer", "--clearance", "internal"]);
    let load = Load { url: &node.url, token: &writer, per_second: 50, seconds: 10 };
    let event = |name: &str, turn: u64| {
        let id = format!("{name}-{turn}");
        let data = json!({"id": id, "type": "host"});
        json!({"specversion": "1.0", "id": id, "source": "/bench", "type": "seen", "data": data})
    };
    println!("  alone: event, durable {}", load.events("texts", &|turn| event("alone", turn)));
    let file = node.file("bulk.jsonl");
    Graph { entities: IMPORTED, relations: 0 }.write(&mut std::fs::File::create(&file).unwrap());
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0.. {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let source = format!("bulk{round}");
                node.cli_as(&tokens[1], &crate::node::import_args(&file, "jsonl", &source, &[]));
            }
        });
        std::thread::sleep(Duration::from_secs(1));
        println!(
            "  beside an import: event, durable {}",
            load.events("texts", &|turn| event("beside", turn))
        );
        over.store(true, Ordering::Relaxed);
    });
}

fn flood(node: &Node, token: &str, flooder: usize, over: &AtomicBool) {
    let http = node.http_as(token);
    let mut turn = flooder as u64;
    while !over.load(Ordering::Relaxed) {
        http.post(&json!({"id": "search:v1", "variables": {"q": data::question(turn), "limit": 10}}));
        turn += FLOODERS as u64;
    }
}

fn usage(node: &Node) -> String {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid())).unwrap();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let files = std::fs::read_dir(format!("/proc/{}/fd", node.pid())).unwrap().count();
    format!(
        "{} MiB of its own, {} with files mapped, {} threads, {files} file handles",
        of("RssAnon") / 1024,
        of("VmRSS") / 1024,
        of("Threads")
    )
}
