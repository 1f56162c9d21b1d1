//! A backup of everything beside questions and writes, an increment, and the way back.

use std::fs;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use super::data::{Graph, Random, type_of};
use super::load;
use super::node::Node;

/// Things that are said anew for an increment.
const CHANGED: u64 = 1_000;

pub(super) fn there_and_back(node: &Node, graph: Graph) {
    println!("\na backup and back");
    let (kept, to) = (node.file("backups"), node.file("restored"));
    let (kept, to) = (kept.to_str().unwrap(), to.to_str().unwrap());
    let any = |turn: u64| json!({"id": graph.id(Random::new(turn).below(graph.entities))});
    println!("  beside nothing: {}", load(node, 500).operation("entity:v1", &any));
    let full = std::thread::scope(|scope| {
        let taken = scope.spawn(|| timed("full, while asked", node, &["backup", kept]));
        println!("  beside a backup: {}", load(node, 500).operation("entity:v1", &any));
        taken.join().unwrap()
    });
    println!("    {} bytes of rows, {} in files", full["row_bytes"], full["bytes"]);
    timed("full, alone", node, &["backup", kept]);
    let file = node.write("changed.jsonl", changed(graph));
    node.import(&file, "jsonl", "graph", &[]).ok();
    let some = timed("increment of 1,000 changed", node, &["backup", kept, "--incremental"]);
    println!("    {} bytes", some["bytes"]);
    timed("verify the backups", node, &["verify", kept]);
    let restored = timed("restore, verified", node, &["restore", kept, "--data-dir", to, "--no-anchor"]);
    println!(
        "    {} bytes of rows, {} bytes of database",
        restored["bytes"],
        size(&Path::new(to).join("store.redb"))
    );
    timed("compact", node, &["compact", to]);
    fs::remove_dir_all(to).unwrap();
}

fn changed(graph: Graph) -> String {
    let mut random = Random::new(7);
    let mut entity = || {
        let entity = random.below(graph.entities);
        let (id, said) = (graph.id(entity), json!({"name": "said anew"}));
        format!("{}\n", json!({"id": id, "type": type_of(entity), "attributes": said}))
    };
    (0..CHANGED).map(|_| entity()).collect()
}

pub(super) fn timed(what: &str, node: &Node, args: &[&str]) -> Value {
    let begun = Instant::now();
    let mut told = node.cli(&[args, &["--quiet"]].concat()).ok();
    let seconds = begun.elapsed().as_secs_f64();
    let bytes = told["row_bytes"].as_u64().or(told["bytes"].as_u64()).unwrap_or_default();
    println!("  {what}: {seconds:.1} s, {:.0} MB/s of what it read", bytes as f64 / 1e6 / seconds);
    told.take()
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}
