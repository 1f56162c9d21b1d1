//! What a node promises over HTTP, with a million things in it: imports, and then questions at a rate.
//!
//! `cargo bench --bench node -- [--quick] [import] [entity] [search] [relations] [gateway] [backup] [erase] [start] [slow] [tenants] [meaning] [large]`
//!
//! `large` makes a store of 10 GB, or of `INTELGRAPH_BENCH_GIGABYTES`, and needs three and a half times as much on the disk.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench measures, prints and stops at the first failure"
)]

#[path = "../../tests/appliance/http.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod http;
#[path = "../../tests/appliance/node.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod node;

mod backup;
mod data;
mod erase;
mod gateway;
mod import;
mod large;
mod load;
mod meaning;
mod tenants;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::time::Instant;

use serde_json::json;

use data::{Graph, HUB_KIND, HUB_ROWS};
use load::Load;
use node::Node;

/// The parts that are measured beside a million entities and relations.
const QUESTIONS: [&str; 8] =
    ["import", "entity", "search", "relations", "gateway", "backup", "erase", "start"];

fn main() {
    if QUESTIONS.into_iter().any(wanted) {
        beside_a_million();
    }
    if wanted("slow") {
        gateway::beside_slow_connections();
    }
    if wanted("tenants") {
        tenants::many();
    }
    if wanted("meaning") {
        meaning::questions();
    }
    if wanted("large") {
        large::there_and_back();
    }
}

fn beside_a_million() {
    let graph = graph_wanted();
    let mut node = Node::start();
    import::disk(&node);
    import::beside(&node, graph);
    if wanted("import") {
        import::compare(&node);
    }
    if wanted("entity") {
        entity(&node, graph);
    }
    if wanted("search") {
        search(&node);
    }
    if wanted("relations") {
        relations(&node, graph);
    }
    if wanted("gateway") {
        gateway::rates(&node, graph);
    }
    if wanted("backup") {
        backup::there_and_back(&node, graph);
    }
    if wanted("erase") {
        erase::beside_questions(&node, graph);
    }
    if wanted("start") {
        cold_start(&mut node, graph);
    }
}

/// With nothing of its files in memory, if this process may say so.
fn cold_start(node: &mut Node, graph: Graph) {
    println!("\nstart");
    node.stop();
    let is_cold = std::fs::write("/proc/sys/vm/drop_caches", "3").is_ok();
    let begun = Instant::now();
    node.restart();
    let ready = begun.elapsed();
    node.http().graphql("entity:v1", json!({"id": graph.id(7)}));
    let read = begun.elapsed();
    let found = node.http().graphql("search:v1", json!({"q": data::question(1), "limit": 10}));
    assert!(found["search"]["hits"].is_array());
    let searched = begun.elapsed();
    println!(
        "  cold: {is_cold}; ready {ready:.2?}, an entity answered {read:.2?}, a search {searched:.2?} after the start"
    );
}

fn graph_wanted() -> Graph {
    let given = std::env::var("INTELGRAPH_BENCH_ROWS");
    let quick = std::env::args().any(|arg| arg == "--quick");
    let rows = given.map_or(if quick { 100_000 } else { 1_000_000 }, |rows| rows.parse().unwrap());
    Graph { entities: rows, relations: rows }
}

/// Everything, unless some are named.
fn wanted(part: &str) -> bool {
    let mut named = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).peekable();
    named.peek().is_none() || named.any(|arg| arg == part)
}

/// The file with the graph, made as it is written.
fn write_graph(node: &Node, graph: Graph) -> std::path::PathBuf {
    let path = node.file("graph.jsonl");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    graph.write(&mut file);
    file.flush().unwrap();
    path
}

fn load(node: &Node, per_second: u32) -> Load<'_> {
    Load { url: &node.url, token: &node.token, per_second, seconds: 10, over: None }
}

fn entity(node: &Node, graph: Graph) {
    println!("\nan entity by its id");
    let any = |turn: u64| json!({"id": graph.id(data::Random::new(turn).below(graph.entities))});
    load(node, 1000).operation("entity:v1", &any);
    for rate in [1000, 5000, 10_000] {
        println!("  {}", load(node, rate).operation("entity:v1", &any));
        println!("    HTTP alone (/healthz): {}", load(node, rate).path("/healthz"));
    }
}

fn search(node: &Node) {
    println!("\nthe best ten with snippets, one to three words, of one type");
    let ask = |turn: u64| json!({"q": data::question(turn), "limit": 10, "types": [data::type_of(turn)]});
    load(node, 20).operation("search:v1", &ask);
    for rate in [50, 100, 200] {
        println!("  {}", load(node, rate).operation("search:v1", &ask));
    }
}

fn relations(node: &Node, graph: Graph) {
    println!("\none hop of {HUB_ROWS} rows");
    let hub = |turn: u64| json!({"id": graph.id(turn % graph.hubs()), "kind": HUB_KIND, "limit": HUB_ROWS, "direction": "OUT"});
    for rate in [50, 200] {
        println!("  {}", load(node, rate).operation("relations:v1", &hub));
    }
    let out = graph.out();
    for hops in [2, 3] {
        println!("paths of {hops} hops, of one kind");
        let ends: Vec<_> = (0..2000).map(|turn| graph.ends(turn, hops, &out)).collect();
        let ask = |turn: u64| {
            let (from, to, kind) = &ends[turn as usize % ends.len()];
            json!({"from": from, "to": to, "kind": kind, "depth": hops})
        };
        for rate in [20, 100] {
            println!("  {}", load(node, rate).operation("paths:v1", &ask));
        }
    }
}
