//! Vectors that another program makes: what is sent to it, what is not, and what its faults do to searches.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::models::{install, published};
use crate::node::Node;

#[allow(dead_code, reason = "the tests beside the client use the rest")]
mod server;

use server::{DIMENSION, Manner, Server};

const KEY: &str = "canary-key-of-the-embedder";
const Q: &str = "lateral movement";
const PATIENCE: Duration = Duration::from_secs(30);

fn started(server: &Server) -> Node {
    let place = tempfile::tempdir().expect("a directory");
    let key_file = place.path().join("key");
    fs::write(&key_file, KEY).expect("a key");
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600)).expect("its mode");
    let dimension = DIMENSION.to_string();
    let node = Node::start_with(&[
        ("embedder_url", &server.url),
        ("embedder_model", "words"),
        ("embedder_dimension", &dimension),
        ("embedder_key_file", key_file.to_str().expect("UTF-8")),
    ]);
    node.cli(&["flag", "set", "vector-preview", "on"]).ok();
    node
}

fn say(node: &Node, source: &str, texts: &[&str], more: &[&str]) {
    let line = |(n, text): (usize, &&str)| {
        json!({"id": format!("{source}-{n}"), "type": "report", "texts": [{"text": text}]}).to_string()
    };
    let lines: Vec<String> = texts.iter().enumerate().map(line).collect();
    let file = node.write(&format!("{source}.jsonl"), lines.join("\n"));
    node.import(&file, "jsonl", source, more).ok();
}

/// How the index is doing, once it does so.
fn awaited(node: &Node, is_so: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let status = node.cli(&["index", "build"]).ok();
        if is_so(&status) {
            return status;
        }
        assert!(begun.elapsed() < PATIENCE, "{status}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn current(node: &Node) -> Value {
    let head = node.cli(&["search", Q]).ok()["lsn"].as_u64().expect("a position");
    awaited(node, |status| status["state"] == "current" && status["lsn"].as_u64() >= Some(head))
}

fn ask(node: &Node, mode: &str) -> Value {
    let variables = json!({"q": Q, "first": 50, "mode": mode});
    let answer = node.http().post(&json!({"id": "searchHybrid:v1", "variables": variables})).json();
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["searchHybrid"].clone()
}

fn ids(answer: &Value) -> Vec<String> {
    let edges = answer["edges"].as_array().expect("hits").iter();
    let mut ids: Vec<_> = edges.map(|edge| edge["node"]["id"].as_str().expect("an id").to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn only_what_may_go_out_is_sent_and_the_rest_is_counted_and_found_by_words() {
    let server = Server::start();
    let node = started(&server);
    say(&node, "open", &["Lateral movement.", "Stolen tickets."], &["--classification", "public"]);
    say(&node, "inner", &["Lateral movement, canary inside."], &["--classification", "internal"]);
    say(&node, "people", &["Lateral movement of a canary."], &["--classification", "public", "--personal"]);
    let status = current(&node);
    assert_eq!((&status["fresh"], &status["skipped"]), (&json!(2), &json!(2)), "{status}");
    let metrics = node.http().get("/metrics").body;
    assert!(metrics.lines().any(|line| line == "intelgraph_vector_index_skipped 2"), "{metrics}");
    let hybrid = ask(&node, "HYBRID");
    assert_eq!((&hybrid["vector"]["used"], &hybrid["vector"]["reason"]), (&json!(true), &Value::Null));
    assert!(ids(&hybrid).contains(&"inner-0".to_owned()), "{hybrid}");
    assert_eq!(ids(&ask(&node, "VECTOR")), ["open-0", "open-1"]);
    let mut sent = server.texts();
    assert!(sent.iter().all(|text| !text.contains("canary")), "{sent:?}");
    sent.sort();
    assert_eq!(sent, ["Lateral movement.", "Stolen tickets.", Q], "each once, and the question");
    assert!(server.asked().iter().all(|asked| asked.head.contains(&format!("Bearer {KEY}"))));
    let told =
        [node.log(), node.cli(&["doctor"]).json.to_string(), node.cli(&["model", "list"]).json.to_string()];
    assert!(told[0].contains("texts go to another program of this machine"), "{}", told[0]);
    for secret in [KEY, "Stolen tickets", "canary"] {
        assert!(told.iter().all(|told| !told.contains(secret)), "{secret}: {told:?}");
    }
}

#[test]
fn an_embedder_that_is_slow_or_fails_is_not_waited_for() {
    let server = Server::start();
    let node = started(&server);
    say(&node, "open", &["Lateral movement.", "Stolen tickets."], &["--classification", "public"]);
    current(&node);
    for (manner, reason) in [
        (Manner::Late(Duration::from_secs(5)), "deadline"),
        (Manner::Says(500, String::new(), String::new()), "encoder_failed"),
        (Manner::HangsUp, "encoder_failed"),
    ] {
        server.be(manner);
        let answer = ask(&node, "HYBRID");
        assert_eq!((&answer["vector"]["used"], &answer["vector"]["reason"]), (&json!(false), &json!(reason)));
        assert_eq!(ids(&answer), ["open-0"], "by words");
        let took = answer["vector"]["tookMs"].as_f64().expect("a time");
        assert!(took < 250.0, "{reason}: {took} ms");
    }
    assert!(!node.log().contains(Q), "{}", node.log());
}

#[test]
fn what_could_not_be_sent_is_sent_when_the_embedder_is_there_again() {
    let server = Server::start();
    let mut node = started(&server);
    server.be(Manner::Says(503, "retry-after: 1\r\n".to_owned(), "canary".to_owned()));
    say(&node, "open", &["Lateral movement.", "Stolen tickets."], &["--classification", "public"]);
    let status = awaited(&node, |status| status["state"] == "failed");
    assert_eq!(status["reason"], "model `words`: the embedder answers with status 503");
    assert_eq!(ids(&ask(&node, "HYBRID")), ["open-0"], "words have it");
    server.be(Manner::Refuses("poison"));
    say(
        &node,
        "more",
        &["Pass the ticket.", "A poison pill.", "Ticket theft."],
        &["--classification", "public"],
    );
    let status = current(&node);
    assert_eq!((&status["fresh"], &status["skipped"]), (&json!(4), &json!(1)), "{status}");
    // Nothing waits for an embedder that does not answer.
    server.be(Manner::Late(Duration::from_secs(15)));
    say(&node, "last", &["The last."], &["--classification", "public"]);
    let begun = Instant::now();
    while server.texts().last().is_none_or(|text| text != "The last.") {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(10));
    }
    node.stop();
}

#[test]
fn an_embedder_takes_the_place_of_models_and_another_name_makes_the_index_anew() {
    let server = Server::start();
    let settings = |name: &str| {
        let Server { url, .. } = &server;
        format!("embedder_url = \"{url}\"\nembedder_model = \"{name}\"\nembedder_dimension = {DIMENSION}\n")
    };
    let mut node = Node::start_configured(&settings("words"));
    node.cli(&["flag", "set", "vector-preview", "on"]).ok();
    say(&node, "open", &["Lateral movement."], &["--classification", "public"]);
    current(&node);
    let installed = install(&node, &[&published(&node, "small-model", "bert")], &[]).ok();
    assert_eq!(installed["model"]["in_use"], false);
    let told = node.cli(&["model", "list"]).ok();
    let embedder =
        json!({"url": server.url, "model": "words", "dimension": DIMENSION, "classification_max": "public"});
    assert_eq!((&told["embedder"], &told["models"][0]["in_use"]), (&embedder, &json!(false)), "{told}");
    assert_eq!(ids(&ask(&node, "VECTOR")), ["open-0"]);
    let asked = |name: &str| server.asked().iter().filter(|asked| asked.model == name).count();
    assert_eq!((asked("words"), asked("others")), (2, 0));
    node.stop();
    node.write("settings.toml", settings("others"));
    node.restart();
    current(&node);
    assert_eq!(ids(&ask(&node, "VECTOR")), ["open-0"]);
    assert_eq!((asked("words"), asked("others")), (2, 2));
    let flags =
        ["config", "show", "--embedder-url", "https://models.example.org", "--embedder-model", "words"];
    let shown = node.cli(&[&flags[..], &["--embedder-dimension", "8"]].concat()).ok().to_string();
    assert!(shown.contains("--embedder-dimension") && shown.contains("models.example.org"), "{shown}");
}
