//! Changes that are sent again: done once, answered alike, also after a crash.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::data;
use crate::http::{Answer, Http};
use crate::node::Node;

/// Times that the node is killed while a keyed request is on its way.
const KILLS: u64 = 12;

fn send(http: &Http, token: &str, key: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers =
        [("authorization", bearer.as_str()), ("content-type", "application/json"), ("idempotency-key", key)];
    http.send(Method::POST, "/graphql", &headers, body.to_string().into_bytes())
}

fn create(role: &str) -> Value {
    json!({"id": "tokenCreate:v1", "variables": {"role": role}})
}

fn tokens(node: &Node) -> usize {
    node.cli(&["token", "list"]).ok()["tokens"].as_array().map_or(0, Vec::len)
}

#[test]
fn the_same_request_is_done_once_and_answered_alike() {
    let mut node = Node::start();
    let (http, token) = (node.http(), node.token.clone());
    let before = tokens(&node);
    let first = send(&http, &token, "a key", &create("reader"));
    let made = first.json()["data"]["tokenCreate"].clone();
    assert_eq!(
        node.http_as(made["token"].as_str().expect("a token")).graphql("node:v1", json!({}))["node"]["role"],
        "reader"
    );
    assert_eq!(send(&http, &token, "a key", &create("reader")).body, first.body);
    node.stop();
    node.restart();
    let http = node.http();
    assert_eq!(send(&http, &token, "a key", &create("reader")).body, first.body, "after a restart");
    assert_eq!(tokens(&node), before + 1);

    let other = send(&http, &token, "a key", &create("auditor"));
    assert_eq!((other.status, other.code().as_str()), (409, "idempotency_key_reused"), "{other:?}");
    let another = send(&http, &token, "another key", &create("reader")).json();
    assert_ne!(another["data"]["tokenCreate"]["token"], made["token"]);
    // A key is its sender's alone.
    let admin = node.new_token(&["--role", "admin"]);
    let theirs = send(&http, &admin, "a key", &create("reader")).json();
    assert_ne!(theirs["data"]["tokenCreate"]["token"], made["token"], "{theirs}");
    assert_eq!(tokens(&node), before + 4);
    for key in ["", &"x".repeat(256), "ü"] {
        assert_eq!(send(&http, &token, key, &create("reader")).status, 400, "{key}");
    }
    node.stop_and_verify();
}

/// There is never a second secret: the link that comes again is the one that was made, and it is good once.
#[test]
fn a_link_asked_for_again_is_the_same_link() {
    let mut node = Node::start();
    let (token, link) = (node.token.clone(), json!({"id": "tokenLink:v1"}));
    let first = send(&node.http(), &token, "a link", &link);
    let url = first.json()["data"]["tokenLink"]["url"].as_str().expect("an address").to_owned();
    let path = |url: &str| url.split_once("/#").expect("a code").1.to_owned();
    assert_eq!(send(&node.http(), &token, "a link", &link).body, first.body);
    node.kill();
    node.restart();
    let again = send(&node.http(), &token, "a link", &link).json()["data"]["tokenLink"].clone();
    assert_eq!(
        path(again["url"].as_str().expect("an address")),
        path(&url),
        "after a crash, wherever it listens"
    );
    assert_eq!(again["expiresAt"], first.json()["data"]["tokenLink"]["expiresAt"]);
    let sign_in = || {
        let shows = json!({"code": path(&url).trim_start_matches("code=")}).to_string().into_bytes();
        node.http()
            .send(Method::POST, "/api/v1/session", &[("content-type", "application/json")], shows)
            .status
    };
    assert_eq!((sign_in(), sign_in()), (200, 401));
    assert_eq!(
        send(&node.http(), &token, "a link", &link).json()["data"]["tokenLink"],
        again,
        "used, and no other"
    );
    assert_eq!(sign_in(), 401);
    let other = send(&node.http(), &token, "another", &link).json()["data"]["tokenLink"]["url"].clone();
    assert_ne!(path(other.as_str().expect("an address")), path(&url));
}

#[test]
fn a_deletion_sent_again_after_a_restoration_deletes_nothing() {
    let node = Node::start();
    let made = data::jsonl("once", 5);
    let file = node.write("once.jsonl", &made.text);
    node.import(&file, "jsonl", "once", &[]).ok();
    let (http, token) = (node.http(), node.token.clone());
    let delete = json!({"id": "entityDelete:v1", "variables": {"id": made.word_in}});
    let first = send(&http, &token, "delete it", &delete);
    assert_eq!(first.json()["data"]["entityDelete"]["changed"], true, "{first:?}");
    node.cli(&["entity", "restore", &made.word_in]).ok();
    assert_eq!(send(&http, &token, "delete it", &delete).body, first.body);
    node.cli(&["entity", "get", &made.word_in]).ok();
}

#[test]
fn the_same_request_twice_at_a_time_is_done_once() {
    let node = Node::start();
    let before = tokens(&node);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let sends =
            (0..8).map(|_| scope.spawn(|| send(&node.http(), &node.token, "k", &create("reader")).body));
        let sends: Vec<_> = sends.collect();
        sends.into_iter().map(|send| send.join().expect("an answer")).collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.contains("ig_tok_")), "{answers:?}");
    assert_eq!(tokens(&node), before + 1);
}

/// Killed at some moment between the sending and the answer, then asked again: one effect, and an answer that holds.
#[test]
fn a_request_that_a_crash_cut_off_is_done_once() {
    let mut node = Node::start();
    let token = node.token.clone();
    let mut expected = tokens(&node);
    let mut lost = 0;
    for round in 0..KILLS {
        let key = format!("round {round}");
        let (url, bearer) = (node.url.clone(), token.clone());
        let sending = std::thread::spawn({
            let key = key.clone();
            move || try_send(&url, &bearer, &key, &create("reader"))
        });
        std::thread::sleep(Duration::from_micros(500 * round));
        node.kill();
        let first = sending.join().expect("a client");
        lost += usize::from(first.is_none());
        node.restart();
        let again = send(&node.http(), &token, &key, &create("reader"));
        if let Some(first) = first {
            assert_eq!(again.body, first, "an answer that came is given again");
        }
        expected += 1;
        assert_eq!(tokens(&node), expected, "{key}: {again:?}");
        assert_eq!(send(&node.http(), &token, &key, &create("reader")).body, again.body);
        let made = again.json()["data"]["tokenCreate"]["token"].clone();
        node.http_as(made.as_str().expect("a token")).graphql("node:v1", json!({}));
    }
    println!("{lost} of {KILLS} answers were lost");
    assert!(lost > 0, "no kill came before an answer: the test shows nothing");
    node.stop_and_verify();
}

/// The body of the answer, if one came.
fn try_send(url: &str, token: &str, key: &str, body: &Value) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let request = client.post(format!("{url}/graphql")).bearer_auth(token).header("idempotency-key", key);
        request.json(body).send().await.ok()?.text().await.ok()
    })
}
