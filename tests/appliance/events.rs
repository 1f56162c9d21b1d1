//! Events as the senders of others make them: one, several, in headers; each taken once, all of a request or none.

use reqwest::Method;
use serde_json::{Value, json};

use crate::http::{Answer, Http};
use crate::node::Node;

const PATH: &str = "/api/v1/events?source=feed";
const ONE: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";

fn with_source() -> Node {
    let node = Node::start();
    let nothing = node.write("nothing.jsonl", "");
    node.import(&nothing, "jsonl", "feed", &[]).ok();
    node
}

fn event(id: &str, data: &Value) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "/sensors/1", "type": "org.example.seen", "data": data})
}

fn host(id: &str) -> Value {
    json!({"id": id, "type": "host", "attributes": {"name": format!("host {id}")}})
}

fn send_to(http: &Http, token: &str, path: &str, content_type: &str, body: &Value) -> Answer {
    let token = format!("Bearer {token}");
    let headers = [("authorization", token.as_str()), ("content-type", content_type)];
    http.send(Method::POST, path, &headers, body.to_string().into_bytes())
}

fn send(node: &Node, content_type: &str, body: &Value) -> Answer {
    send_to(&node.http(), &node.token, PATH, content_type, body)
}

fn counts(answer: &Answer) -> (u16, Option<u64>, Option<u64>) {
    let body = answer.json();
    (answer.status, body["accepted"].as_u64(), body["duplicates"].as_u64())
}

fn codes(answer: &Answer) -> Vec<(u64, String)> {
    let rejects = answer.json()["error"]["details"]["rejects"].as_array().cloned().unwrap_or_default();
    let code = |reject: &Value| {
        assert!(reject["reason"].is_string() && reject["value"].is_string(), "{reject}");
        (reject["index"].as_u64().expect("an index"), reject["code"].as_str().expect("a code").to_owned())
    };
    rejects.iter().map(code).collect()
}

#[test]
fn events_of_each_mode_are_taken_once_and_survive_a_kill() {
    let mut node = with_source();
    let one = event("1", &host("a"));
    assert_eq!(counts(&send(&node, ONE, &one)), (200, Some(1), Some(0)));
    let batch = json!([
        event("2", &json!({"relation": "knows", "from": "a", "to": "b"})),
        event("3", &json!([host("b"), host("c")])),
        event("1", &host("a")),
    ]);
    let first = send(&node, BATCH, &batch);
    assert_eq!(counts(&first), (200, Some(2), Some(1)));
    let token = format!("Bearer {}", node.token);
    let headers = [
        ("authorization", token.as_str()),
        ("content-type", "application/json; charset=utf-8"),
        ("ce-specversion", "1.0"),
        ("ce-id", "4"),
        ("ce-source", "/sensors/1"),
        ("ce-type", "org.example.seen"),
        ("ce-time", "2026-01-31T12:00:00Z"),
        ("x-ig-source", "feed"),
    ];
    let binary = |node: &Node| {
        node.http().send(Method::POST, "/api/v1/events", &headers, host("d").to_string().into_bytes())
    };
    assert_eq!(counts(&binary(&node)), (200, Some(1), Some(0)));
    // What was answered is on disk, and so is the knowledge that it was taken.
    node.kill();
    node.restart();
    assert_eq!(counts(&send(&node, ONE, &one)), (200, Some(0), Some(1)));
    assert_eq!(counts(&binary(&node)), (200, Some(0), Some(1)));
    let again = send(&node, BATCH, &batch);
    assert_eq!(counts(&again), (200, Some(0), Some(3)));
    assert_eq!(again.json()["lsn"], first.json()["lsn"], "a resend waits for what the first wrote");
    let lsn = first.json()["lsn"].as_u64().expect("a position");
    let found = node.http().graphql("search:v1", json!({"q": "host", "atLeast": lsn}));
    assert_eq!(found["search"]["hits"].as_array().map(Vec::len), Some(4), "{found}");
    node.cli(&["relations", "a"]).ok();
    let seen = node.cli(&["entity", "get", "d"]).ok();
    assert!(
        seen["attributes"][0]["observed_at"].as_str().is_some_and(|at| at.starts_with("2026-01-31")),
        "{seen}"
    );
    node.stop_and_verify();
}

#[test]
fn one_bad_event_keeps_all_of_a_request_out_and_each_is_named() {
    let node = with_source();
    send(&node, ONE, &event("known", &host("known")));
    let bad = json!([
        event("1", &host("a")),
        event("2", &json!({"id": "b"})),
        {"specversion": "0.3"},
        event("3", &json!({"id": "c", "type": "host", "color": "red"})),
    ]);
    let answer = send(&node, BATCH, &bad);
    assert_eq!((answer.status, answer.code().as_str()), (422, "events_rejected"), "{answer:?}");
    assert_eq!(codes(&answer), [(2, "missing_property".to_owned())], "the rules of the envelope come first");
    let bad = json!([bad[0], bad[1], bad[3]]);
    let answer = send(&node, BATCH, &bad);
    assert_eq!(codes(&answer), [(1, "missing_property".to_owned()), (2, "unknown_property".to_owned())]);
    let bad = json!([
        bad[0],
        event("4", &json!({"relation": "knows", "from": "a", "to": "nobody"})),
        event("5", &json!({"id": "known", "type": "printer"})),
        event("known", &host("other")),
    ]);
    let answer = send(&node, BATCH, &bad);
    let wanted = [(1, "end_missing"), (2, "type_conflict"), (3, "event_reused")];
    assert_eq!(codes(&answer), wanted.map(|(place, code)| (place, code.to_owned())), "{answer:?}");
    node.cli(&["entity", "get", "a"]).failed(1, "not_found");
    assert_eq!(counts(&send(&node, ONE, &bad[0])), (200, Some(1), Some(0)));
}

#[test]
fn who_sends_and_for_whom_is_checked_before_what() {
    let node = with_source();
    let http = node.http();
    let one = event("1", &host("a"));
    let reader = node.new_token(&["--role", "reader"]);
    assert_eq!(send_to(&http, &reader, PATH, ONE, &one).status, 403);
    assert_eq!(send_to(&http, "nonsense", PATH, ONE, &one).status, 401);
    let answer = send_to(&http, &node.token, "/api/v1/events?source=nobody", ONE, &one);
    assert_eq!((answer.status, answer.code().as_str()), (404, "source_not_declared"));
    let message = answer.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("intelgraph import -") && message.contains("--purpose"), "{message}");
    assert_eq!(send_to(&http, &node.token, "/api/v1/events", ONE, &one).status, 400);
    let low = node.new_token(&["--role", "analyst", "--clearance", "public"]);
    assert_eq!(send_to(&http, &low, PATH, ONE, &one).status, 403, "the source says what is internal");
    let writer = node.new_token(&["--role", "writer"]);
    assert_eq!(counts(&send_to(&http, &writer, PATH, ONE, &one)), (200, Some(1), Some(0)));
    // Another tenant's source is nobody's, and its events are its own.
    let other = node.new_token(&["--tenant", "other", "--role", "admin"]);
    assert_eq!(send_to(&http, &other, PATH, ONE, &one).status, 404);
}

#[test]
fn what_is_no_event_is_refused_by_what_it_is() {
    let node = with_source();
    let one = event("1", &host("a"));
    for (content_type, body, status) in [
        ("application/json", one.clone(), 415),
        ("text/plain", one.clone(), 415),
        (ONE, json!([one]), 422),
        (ONE, json!("text"), 422),
        (BATCH, one.clone(), 400),
        (BATCH, Value::from(vec![one.clone(); 1001]), 413),
        (ONE, event("1", &json!({"id": "a", "type": "host", "attributes": {"a": "x".repeat(5 << 20)}})), 413),
        (ONE, event("1", &json!({"id": "a", "type": "host", "texts": [{"text": "x".repeat(2 << 20)}]})), 422),
    ] {
        let answer = send(&node, content_type, &body);
        assert_eq!(answer.status, status, "{content_type}: {:.300}", answer.body);
        assert!(answer.json()["error"]["code"].is_string(), "{answer:?}");
    }
    assert_eq!(counts(&send(&node, BATCH, &json!([]))), (200, Some(0), Some(0)));
    let deep = format!(
        "{{\"specversion\":\"1.0\",\"id\":\"d\",\"source\":\"/s\",\"type\":\"t\",\"data\":{}1{}}}",
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    let token = format!("Bearer {}", node.token);
    let headers = [("authorization", token.as_str()), ("content-type", ONE)];
    let answer = node.http().send(Method::POST, PATH, &headers, deep.into_bytes());
    assert_eq!(answer.status, 422, "{:.300}", answer.body);
    assert_eq!(node.http().get("/healthz").status, 200);
}
