//! How long whoever is forgotten waits in a large store, and whoever writes meanwhile.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::backup::timed;
use super::data::Graph;
use super::load::Load;
use super::node::Node;

/// Single writes beside it, a second.
const WRITES_PER_SECOND: u32 = 50;

pub(super) fn beside_questions(node: &Node, graph: Graph) {
    println!("\nerasing");
    let begun = Instant::now();
    timed("scrub, alone", node, &["scrub"]);
    println!("    in all {:.1?}", begun.elapsed());
    println!("  writes beside nothing: {}", writes(node, "alone"));
    let person = graph.id(graph.entities - 1);
    for (name, args) in [
        ("purge", vec!["purge"]),
        ("redact", vec!["redact", "--entity", &person, "--reason", "measured"]),
        ("scrub", vec!["scrub"]),
    ] {
        std::thread::scope(|scope| {
            let erasing = scope.spawn(|| {
                std::thread::sleep(Duration::from_secs(1));
                timed(&format!("{name}, beside writes"), node, &args)
            });
            println!("  writes beside a {name}: {}", writes(node, name));
            let done: Value = erasing.join().unwrap();
            println!("    {} records", done["records"]);
        });
    }
}

fn writes(node: &Node, name: &str) -> super::load::Times {
    let load =
        Load { url: &node.url, token: &node.token, per_second: WRITES_PER_SECOND, seconds: 10, over: None };
    load.batches("graph", 1, &|turn| {
        let id = format!("{name}-{turn}");
        json!({"specversion": "1.0", "id": id, "source": "/bench", "type": "seen", "data": {"id": id, "type": "host"}})
    })
}
