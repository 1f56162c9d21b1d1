//! Many tenants on one node: what they cost while nobody asks anything, how fast the node starts, and whether a tenant
//! notices that another floods it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::data::{self, Graph, Random};
use crate::load::{Load, Times};
use crate::node::Node;

const TENANTS: u64 = 200;
const TEXTS: u64 = 1_000;
/// Writers of indexes are closed by then, and what was read is no longer held.
const QUIET: Duration = Duration::from_secs(20);
/// Things that another tenant imports, again and again from another source.
const IMPORTED: u64 = 100_000;
/// How many at a time the flooding tenant has under way.
const FLOODERS: u64 = 32;

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
    beside_others(&node, &tokens, graph);
}

fn fill(node: &Node, number: u64, file: &std::path::Path) -> String {
    let token = node.new_token(&["--tenant", &format!("t{number}"), "--role", "owner"]);
    let args = crate::node::import_args(file, "jsonl", "texts", &[]);
    node.cli_as(&token, &args).ok();
    token
}

/// What one tenant does, alone and while another asks and writes all that it can, or imports.
fn beside_others(node: &Node, tokens: &[String], graph: Graph) {
    let writer = node.new_token(&["--tenant", "t0", "--role", "writer", "--clearance", "internal"]);
    let one = One { node, reader: &tokens[0], writer: &writer, graph };
    one.search();
    println!("  alone: {}", one.measured("alone"));
    while_it_goes_on(
        |over| {
            std::thread::scope(|scope| {
                for flooder in 0..FLOODERS {
                    scope.spawn(move || flood(node, &tokens[1], flooder, over));
                }
            });
        },
        || println!("  beside a flood of searches and events: {}", one.measured("flood")),
    );
    let file = node.file("bulk.jsonl");
    Graph { entities: IMPORTED, relations: 0 }.write(&mut std::fs::File::create(&file).unwrap());
    while_it_goes_on(
        |over| import(node, &tokens[1], &file, over),
        || println!("  beside an import: {}", one.measured("import")),
    );
}

/// The tenant that is looked at.
struct One<'a> {
    node: &'a Node,
    reader: &'a str,
    writer: &'a str,
    graph: Graph,
}

impl One<'_> {
    fn measured(&self, when: &str) -> String {
        let read = |turn: u64| json!({"id": self.graph.id(Random::new(turn).below(self.graph.entities))});
        let entity = self.load(self.reader).operation("entity:v1", &read);
        let (search, event) =
            (self.search(), self.load(self.writer).events("texts", &|turn| event(when, turn)));
        format!("\n    entity {entity}\n    search {search}\n    event, durable {event}")
    }

    fn search(&self) -> Times {
        let search = |turn: u64| json!({"q": data::question(turn), "limit": 10});
        self.load(self.reader).operation("search:v1", &search)
    }

    fn load<'a>(&'a self, token: &'a str) -> Load<'a> {
        Load { url: &self.node.url, token, per_second: 50, seconds: 10, over: None }
    }
}

/// One goes on until the other has ended.
fn while_it_goes_on(goes_on: impl FnOnce(&AtomicBool) + Send, ends: impl FnOnce()) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| goes_on(&over));
        std::thread::sleep(Duration::from_secs(1));
        ends();
        over.store(true, Ordering::Relaxed);
    });
}

/// Half of them search, half write.
fn flood(node: &Node, token: &str, flooder: u64, over: &AtomicBool) {
    let (http, bearer) = (node.http_as(token), format!("Bearer {token}"));
    for turn in (flooder..).step_by(FLOODERS as usize) {
        if over.load(Ordering::Relaxed) {
            break;
        }
        if flooder.is_multiple_of(2) {
            http.post(&json!({"id": "search:v1", "variables": {"q": data::question(turn), "limit": 10}}));
        } else {
            let headers =
                [("authorization", bearer.as_str()), ("content-type", "application/cloudevents+json")];
            let event = event("flooding", turn).to_string().into_bytes();
            let answer = http.send(Method::POST, "/api/v1/events?source=texts", &headers, event);
            assert!(answer.status == 200, "{answer:?}");
        }
    }
}

fn import(node: &Node, token: &str, file: &std::path::Path, over: &AtomicBool) {
    for round in 0.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let source = format!("bulk{round}");
        node.cli_as(token, &crate::node::import_args(file, "jsonl", &source, &[]));
    }
}

fn event(name: &str, turn: u64) -> Value {
    let id = format!("{name}-{turn}");
    let data = json!({"id": id, "type": "host"});
    json!({"specversion": "1.0", "id": id, "source": "/bench", "type": "seen", "data": data})
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
