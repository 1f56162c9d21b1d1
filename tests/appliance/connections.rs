//! Connections that do harm by what they do not do: every kind of slowness has its deadline, and while it lasts others
//! are served.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::http::{Answer, Line};
use crate::node::Node;

const IMPORT: &str = "/api/v1/import?format=jsonl&source=slow&purpose=threat-intel&licence=Open-Data-OK";

/// The value of a metric with its labels; 0 if it is not there.
fn metric(node: &Node, name: &str) -> u64 {
    let text = node.http().get("/metrics").body;
    let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
}

fn closed(node: &Node, reason: &str) -> u64 {
    metric(node, &format!("intelgraph_connections_closed_total{{reason=\"{reason}\"}}"))
}

fn soon(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(15), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn post(node: &Node, path: &str, length: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n{length}\r\n\r\n",
        node.token
    )
}

#[test]
fn a_thousand_slow_connections_keep_nobody_out() {
    let node = Node::start_with(&[("connections_max", "100"), ("connections_per_address_max", "100")]);
    let body = post(&node, "/graphql", "Content-Length: 1000");
    let head = "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ";
    // Those with a body have a good token; places in which a request waits are given up a moment later.
    let kinds = ["", head, "", head, "", head, "", head, "", &body];
    let mut slow = Vec::new();
    for turn in 0..1000 {
        let mut line = Line::to(&node.url);
        line.say(kinds[turn % kinds.len()]);
        slow.push(line);
        if turn % 50 == 0 {
            let answer = node.http().post(&json!({"id": "node:v1"}));
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }
    let http = node.http();
    assert_eq!([http.get("/healthz").status, http.get("/readyz").status], [200, 200]);
    assert_eq!(http.graphql("node:v1", json!({}))["node"]["tenant"], "default");
    assert!(metric(&node, "intelgraph_connections") <= 132, "no more than there are places, and the reserve");
    assert!(closed(&node, "place_needed") >= 800);
}

/// Requests that trickle in do not outlive a good client that pauses between two of his.
#[test]
fn a_connection_that_is_used_is_kept_while_slow_ones_come_and_go() {
    let node = Node::start_with(&[("connections_max", "50"), ("connections_per_address_max", "50")]);
    let mut slow: Vec<_> = (0..40).map(|_| Line::to(&node.url)).collect();
    let body = post(&node, "/graphql", "Content-Length: 1000");
    slow.iter_mut().for_each(|line| assert!(line.say(&body)));
    std::thread::sleep(Duration::from_millis(600));
    let mut good = Line::to(&node.url);
    for _ in 0..3 {
        assert!(good.say("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert!(good.answer().contains("200 OK"));
        slow.iter_mut().for_each(|line| {
            line.say(" ");
        });
        slow.extend((0..12).map(|_| Line::to(&node.url)));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(good.say("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"));
    let told = good.answer();
    assert!(told.contains("reason=\"place_needed\"}"), "others had to leave: {told}");
}

#[test]
fn a_head_that_does_not_come_ends_its_connection() {
    let node = Node::start_with(&[("header_timeout_s", "1")]);
    let (mut silent, mut slow) = (Line::to(&node.url), Line::to(&node.url));
    let begun = Instant::now();
    while slow.say("G") && begun.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "bytes that trickle in put nothing off");
    assert_eq!(silent.rest(), "");
    soon("both are counted", || closed(&node, "slow_header") == 2);
}

#[test]
fn an_idle_connection_is_closed_and_a_used_one_is_not() {
    let node = Node::start_with(&[("idle_timeout_s", "2"), ("header_timeout_s", "1")]);
    let mut line = Line::to(&node.url);
    for _ in 0..3 {
        assert!(line.say("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert!(line.answer().contains("200 OK"));
        std::thread::sleep(Duration::from_millis(1300));
    }
    assert_eq!(line.rest(), "");
    assert_eq!(closed(&node, "idle"), 1);
}

#[test]
fn a_body_that_does_not_come_is_told_so() {
    let node = Node::start_with(&[("body_timeout_s", "1")]);
    let mut line = Line::to(&node.url);
    line.say(&post(&node, "/graphql", "Content-Length: 1000"));
    let begun = Instant::now();
    while line.say(" ") && begun.elapsed() < Duration::from_secs(3) {
        std::thread::sleep(Duration::from_millis(100));
    }
    let answer = line.rest();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("body_too_slow"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
}

/// Each byte that comes alone was once kept with the buffer that it was read into.
#[test]
fn a_body_in_single_bytes_takes_no_more_memory_than_it_needs() {
    let node = Node::start();
    let resident = || metric(&node, "intelgraph_process_resident_memory_bytes");
    let mut line = Line::to(&node.url);
    line.0.set_nodelay(true).expect("a socket");
    line.say(&post(&node, "/graphql", "Content-Length: 100000"));
    let before = resident();
    for _ in 0..8000 {
        assert!(line.say(" "));
        std::thread::sleep(Duration::from_micros(200));
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 24 << 20, "8,000 bytes took {grown}");
}

#[test]
fn an_import_may_take_its_time_but_not_do_nothing() {
    let node = Node::start_with(&[("body_timeout_s", "1"), ("bytes_per_second_min", "20")]);
    let mut line = Line::to(&node.url);
    line.say(&post(&node, IMPORT, "Transfer-Encoding: chunked"));
    for number in 0..25 {
        let object = format!("{{\"id\":\"slow-{number}\",\"type\":\"host\"}}\n");
        assert!(line.say(&format!("{:x}\r\n{object}\r\n", object.len())), "it was cut off after {number}");
        std::thread::sleep(Duration::from_millis(100));
    }
    let answer = line.rest();
    assert!(answer.contains("422") && answer.contains("too slowly"), "{answer}");
    let run = &node.http().list("runs:v1", json!({}), "runs")[0];
    assert_eq!(run["state"], "failed", "{run}");
    node.cli(&["entity", "get", "slow-24"]).ok();
}

#[test]
fn an_answer_that_is_not_read_ends_its_connection() {
    let node = Node::start_with(&[("write_timeout_s", "1")]);
    let mut line = Line::to(&node.url);
    // More than the sockets on both sides hold.
    for _ in 0..4000 {
        if !line.say("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n") {
            break;
        }
    }
    soon("it is cut off", || closed(&node, "slow_reader") == 1);
    soon("its place is free", || metric(&node, "intelgraph_connections") <= 2);
}

#[test]
fn a_client_that_hangs_up_leaves_nothing_behind() {
    let node = Node::start();
    for _ in 0..50 {
        let mut line = Line::to(&node.url);
        line.say(&post(&node, IMPORT, "Content-Length: 100000"));
        line.say("{\"id\":\"a\",\"type\":\"host\"}\n");
        let mut line = Line::to(&node.url);
        for _ in 0..100 {
            line.say("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        }
    }
    soon("the connections are gone", || metric(&node, "intelgraph_connections") <= 2);
    soon("the requests are gone", || metric(&node, "intelgraph_requests_in_progress") <= 1);
    let runs = || serde_json::Value::from(node.http().list("runs:v1", json!({}), "runs"));
    soon("no run goes on", || {
        runs().as_array().is_some_and(|runs| runs.iter().all(|run| run["state"] != "running"))
    });
}

#[test]
fn when_every_place_is_at_work_health_answers_and_the_rest_is_told_to_come_back() {
    let node = Node::start_with(&[("connections_max", "1")]);
    let mut busy = Line::to(&node.url);
    busy.say(&post(&node, IMPORT, "Content-Length: 100000000"));
    // Until its head is read it is as quiet as any other, and would leave for the first one to come.
    std::thread::sleep(Duration::from_millis(300));
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Never silent for long: nobody may take its place.
            let objects = "{\"id\":\"a\",\"type\":\"host\"}\n".repeat(200);
            while !stop.load(std::sync::atomic::Ordering::Relaxed) && busy.say(&objects) {
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        let ask = |path: &str| {
            let answer: Answer = node.http().send(Method::GET, path, &[], Vec::new());
            (answer.status, answer.header("retry-after").map(str::to_owned))
        };
        soon("the import holds the place", || ask("/api/v1/ledger/entries?size=1").0 == 503);
        assert_eq!(ask("/nowhere"), (503, Some("1".to_owned())));
        for path in ["/healthz", "/readyz", "/metrics"] {
            assert_eq!(ask(path).0, 200, "{path}");
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn a_token_has_a_rate_and_another_token_has_its_own() {
    let node = Node::start_with(&[
        ("principal_requests_per_second_max", "1"),
        ("principal_requests_burst_max", "5"),
    ]);
    let other = node.new_token(&["--role", "reader"]);
    let http = node.http();
    let answers: Vec<_> = (0..10).map(|_| http.post(&json!({"id": "node:v1"}))).collect();
    let limited: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(answers[0].status == 200 && limited.len() >= 4, "{answers:?}");
    assert_eq!(limited[0].code(), "rate_limited");
    assert!(
        limited[0].header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok_and(|s| s >= 1))
    );
    assert_eq!(node.http_as(&other).post(&json!({"id": "node:v1"})).status, 200);
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(http.post(&json!({"id": "node:v1"})).status, 200, "it passes");
}

/// Wherever it fails, it is one count; and guessing next door keeps nobody out.
#[test]
fn failed_sign_ins_are_slowed_down_and_what_is_good_still_comes_in() {
    let node = Node::start_with(&[("failed_sign_ins_per_minute_max", "4")]);
    let (http, bad) = (node.http(), node.http_as("ig_tok_0000000000_nonsense"));
    let sign_in = |shows: &Value| {
        let json = ("content-type", "application/json");
        http.send(Method::POST, "/api/v1/session", &[json], shows.to_string().into_bytes())
    };
    let tries = [
        bad.post(&json!({"id": "node:v1"})),
        sign_in(&json!({"code": "ig_lnk_0000000000_nonsense"})),
        sign_in(&json!({"token": "ig_tok_0000000000_nonsense"})),
        http.send(Method::GET, "/api/v1/session", &[("authorization", "Bearer nonsense")], Vec::new()),
        bad.post(&json!({"id": "node:v1"})),
        sign_in(&json!({"code": "ig_lnk_0000000000_nonsense"})),
    ];
    let statuses: Vec<_> = tries.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [401, 401, 401, 401, 429, 429]);
    for limited in &tries[4..] {
        assert_eq!(limited.code(), "sign_in_limited");
        let seconds = limited.header("retry-after").expect("a time").parse::<u32>().expect("seconds");
        assert!((1..=15).contains(&seconds), "{limited:?}");
    }
    assert_eq!(http.post(&json!({"id": "node:v1"})).status, 200);
    assert_eq!(sign_in(&json!({"token": node.token})).status, 200);
}

/// Connections that hang in every way do not hold up a node that is told to stop; one that is told twice stops at once.
#[test]
fn a_node_stops_in_time_with_hung_clients_and_at_once_when_told_twice() {
    let mut node = Node::start();
    let hang = |node: &Node| {
        let texts = ["", "GET /heal", &post(node, IMPORT, "Content-Length: 1000000")];
        texts.map(|text| {
            let mut line = Line::to(&node.url);
            line.say(text);
            line
        })
    };
    let runs = |node: &Node| node.http().list("runs:v1", json!({}), "runs").len();
    let hung = hang(&node);
    soon("the import has begun", || runs(&node) == 1);
    node.stop();
    drop(hung);
    node.restart();
    let _hung = hang(&node);
    soon("the import has begun", || runs(&node) == 2);
    node.signal(rustix::process::Signal::TERM);
    std::thread::sleep(Duration::from_millis(300));
    let begun = Instant::now();
    node.stop();
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "the second signal ends the drain: {:?}",
        begun.elapsed()
    );
}
