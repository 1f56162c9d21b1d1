//! What a document that is made to hurt costs the node: processor for each, and memory after all of them.
//!
//! `cargo bench --bench hostile`; with `--profile dev` it measures the build that the tests use.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench measures, prints and stops at the first failure"
)]

#[path = "../../tests/appliance/bombs.rs"]
mod bombs;
#[path = "../../tests/appliance/http.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod http;
#[path = "../../tests/appliance/node.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod node;
#[path = "../../tests/simulation/seed.rs"]
#[allow(dead_code, reason = "the simulation uses the rest")]
mod seed;

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use bombs::bombs;
use node::Node;
use reqwest::Method;

const DOCUMENTS: usize = 1000;
const ROUNDS: u64 = 5;

fn main() {
    let node = Node::start();
    let token = node.new_token(&["--role", "owner", "--scope", "graphql.adhoc"]);
    let http = node.http();
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let mut costs: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    println!("resident before: {} kB", resident_kb(&node));
    for round in 0..ROUNDS {
        let begun = Instant::now();
        for bomb in bombs(round, DOCUMENTS) {
            let before = processor_us(&node);
            let answer = http.send(Method::POST, "/graphql", &headers, bomb.body);
            assert!(answer.status < 500, "{}: {answer:?}", bomb.kind);
            costs.entry(bomb.kind).or_default().push(processor_us(&node).saturating_sub(before));
        }
        println!(
            "round {round}: {DOCUMENTS} documents in {:.1} s, resident {} kB",
            begun.elapsed().as_secs_f64(),
            resident_kb(&node)
        );
    }
    let all: Vec<u64> = costs.values().flatten().copied().collect();
    report("all", all);
    for (kind, costs) in costs {
        report(kind, costs);
    }
}

fn report(kind: &str, mut costs: Vec<u64>) {
    costs.sort_unstable();
    let at = |part: f64| costs[((costs.len() - 1) as f64 * part) as usize] as f64 / 1000.0;
    let mean = costs.iter().sum::<u64>() as f64 / costs.len() as f64 / 1000.0;
    println!(
        "{kind:<28} {:>5}: mean {mean:>6.2} ms, p50 {:>6.2}, p99 {:>6.2}, most {:>6.2}",
        costs.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

/// What the node's threads have run, in microseconds.
fn processor_us(node: &Node) -> u64 {
    let threads = fs::read_dir(format!("/proc/{}/task", node.pid())).unwrap();
    let run = threads.flatten().filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    run.sum::<u64>() / 1000
}

fn resident_kb(node: &Node) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", node.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
