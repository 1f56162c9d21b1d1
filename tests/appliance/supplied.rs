//! Vectors that come with the data, and the numbers of vectors: what they do, and who is given them.

use std::fs;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::models::{install, published, tiny};
use crate::node::{Node, Ran};

const MODEL: &str = "small-model";
/// At length 1 it is 0.69182, 0.72207.
const VECTOR: [f64; 8] = [20.0625, 0.0, 20.9399, 0.0, 0.0, 0.0, 0.0, 0.0];
/// How it is told, as it came and at length 1.
const DIGITS: [&str; 4] = ["20.0625", "20.9399", "0.69181", "0.72207"];

fn with_model() -> Node {
    let node = Node::start();
    add_model(&node);
    node.cli(&["flag", "set", "vector-preview", "on"]).ok();
    node
}

fn add_model(node: &Node) {
    install(node, &[&published(node, MODEL, "bert")], &[]).ok();
}

fn report(id: &str, text: &str, embedding: &Value) -> Value {
    json!({"id": id, "type": "report", "texts": [{"text": text}], "embedding": embedding})
}

fn of(vector: &[f64]) -> Value {
    json!({"model": MODEL, "vector": vector})
}

fn say(node: &Node, source: &str, lines: &[Value]) -> Ran {
    say_under("Open-Data-OK", node, source, lines)
}

fn say_under(licence: &str, node: &Node, source: &str, lines: &[Value]) -> Ran {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let file = node.write(&format!("{source}.jsonl"), text);
    let terms = ["--purpose", "threat-intel", "--licence", licence, "--classification", "public"];
    let file = ["import", file.to_str().expect("UTF-8"), "--format", "jsonl", "--source", source];
    node.cli(&[&file[..], &terms].concat())
}

/// The vectors of a thing, once the index has so many.
fn embeddings(node: &Node, id: &str, count: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let ran = node.cli(&["entity", "embeddings", id]);
        let found = ran.json["embeddings"].as_array().cloned().unwrap_or_default();
        if found.len() == count {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{ran:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn values(embedding: &Value) -> Vec<f64> {
    let values = embedding["values"].as_array().expect("values");
    values.iter().map(|value| value.as_f64().expect("a number")).collect()
}

fn metric(node: &Node, outcome: &str) -> Option<String> {
    let name = format!("intelgraph_vectors_supplied_total{{outcome=\"{outcome}\"}} ");
    node.http().get("/metrics").body.lines().find_map(|line| Some(line.strip_prefix(&name)?.to_owned()))
}

/// What has nothing to do with a question by its words is found for it, because of the vector that it brought.
#[test]
fn a_vector_that_came_is_what_a_thing_is_found_by() {
    let node = with_model();
    say(&node, "feed", &[report("near", "lateral movement.", &Value::Null)]).ok();
    let made = embeddings(&node, "near", 1).remove(0);
    assert_eq!(
        json!([made["model"], made["dimension"], made["supplied"], made["passage"], made["licence"]]),
        json!([MODEL, tiny::WIDTH, false, "lateral movement.", "Open-Data-OK"])
    );
    // Three times as long: what counts is where it points.
    let brought: Vec<_> = values(&made).iter().map(|value| value * 3.0).collect();
    let line = report("brought", "a b c of the theft", &of(&brought));
    assert_eq!(say(&node, "other", std::slice::from_ref(&line)).ok()["created"], 1);
    let told = embeddings(&node, "brought", 1).remove(0);
    assert_eq!((&told["supplied"], &told["passage"]), (&json!(true), &json!("a b c of the theft")));
    let differs = |(one, other): (f64, &f64)| (one - other).abs() > 1e-6;
    assert!(!values(&told).into_iter().zip(&values(&made)).any(differs), "{told} {made}");

    let question = json!({"q": "lateral movement.", "mode": "VECTOR"});
    let found = node.http().list("searchHybrid:v1", question, "searchHybrid");
    let cosine = |id: &str| {
        let hit = found.iter().find(|hit| hit["id"] == id).unwrap_or_else(|| panic!("no {id}: {found:?}"));
        hit["vectorRaw"].as_f64().expect("a cosine")
    };
    assert!(cosine("brought") > 0.9999 && cosine("near") > 0.9999, "{found:?}");
    let similar = node.cli(&["entity", "similar", "near"]).ok();
    assert_eq!(similar["hits"][0]["id"], "brought", "{similar}");

    // The same again is nothing new; another vector is, and then another is used.
    assert_eq!(say(&node, "other", &[line]).ok()["unchanged"], 1);
    let line = report("brought", "a b c of the theft", &of(&VECTOR));
    assert_eq!(say(&node, "other", &[line]).ok()["updated"], 1);
    let begun = Instant::now();
    while values(&embeddings(&node, "brought", 1)[0])[1] != 0.0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "the new vector is not used");
    }
    assert_eq!(metric(&node, "used").as_deref(), Some("3"));
}

#[test]
fn a_vector_comes_with_an_event_as_well() {
    let node = with_model();
    say(&node, "feed", &[]).ok();
    let event = |id: &str, vector: &[f64]| {
        let data = report("seen", "with the", &of(vector));
        json!({"specversion": "1.0", "id": id, "source": "/sensors/1", "type": "org.example.seen", "data": data})
    };
    let send = |event: &Value| {
        let token = format!("Bearer {}", node.token);
        let headers = [("authorization", token.as_str()), ("content-type", "application/cloudevents+json")];
        let body = event.to_string().into_bytes();
        node.http().send(Method::POST, "/api/v1/events?source=feed", &headers, body)
    };
    assert_eq!(send(&event("1", &VECTOR)).json()["accepted"], 1);
    assert_eq!(send(&event("1", &VECTOR)).json()["duplicates"], 1);
    assert_eq!(send(&event("1", &[1.0; 8])).status, 422, "the id was used for another vector");
    assert_eq!(send(&event("2", &[0.0; 8])).code(), "events_rejected");
    assert_eq!(embeddings(&node, "seen", 1)[0]["supplied"], true);
}

/// Kept, counted and said; and used as soon as there is a model that it is of.
#[test]
fn a_vector_that_is_not_used_is_kept() {
    let mut node = Node::start();
    let done = say(&node, "feed", &[report("a", "stolen tickets", &of(&VECTOR))]).ok();
    let notes = done["notes"].to_string();
    assert!(notes.contains("1 of the vectors") && notes.contains("no model is installed"), "{done}");
    node.cli(&["entity", "embeddings", "a"]).failed(3, "no_model");
    node.cli(&["entity", "embeddings", "nobody"]).failed(1, "not_found");
    add_model(&node);
    assert_eq!(embeddings(&node, "a", 1)[0]["supplied"], true);
    let other = report("b", "stolen tickets", &json!({"model": "another", "vector": VECTOR}));
    let longer = report("c", "stolen tickets", &of(&[0.5; 9]));
    let done = say(&node, "feed", &[other, longer]).ok();
    assert_eq!((&done["created"], done["notes"].as_array().map(Vec::len)), (&json!(2), Some(2)), "{done}");
    for id in ["b", "c"] {
        let told = embeddings(&node, id, 1).remove(0);
        assert_eq!((&told["supplied"], &told["dimension"]), (&json!(false), &json!(8)), "{told}");
    }
    let counts = ["no_model", "other_model", "other_dimension"].map(|outcome| metric(&node, outcome));
    assert_eq!(counts, ["1", "1", "1"].map(|count| Some(count.to_owned())));
    // All of it is in the ledger: it leaves as it came.
    let (exported, came) = (export(&node, "feed"), json!({"model": "another", "vector": VECTOR}));
    let line = exported.lines().find(|line| line.contains("\"b\"")).expect("b leaves");
    let vector = serde_json::from_str::<Value>(line).expect("JSON")["embedding"]["vector"].clone();
    let vector: Vec<f32> = serde_json::from_value(vector).expect("numbers");
    assert_eq!(json!({"model": "another", "vector": vector}), as_32_bits(&came), "{line}");
    node.stop_and_verify();
}

fn as_32_bits(embedding: &Value) -> Value {
    let vector: Vec<f32> = serde_json::from_value(embedding["vector"].clone()).expect("numbers");
    json!({"model": embedding["model"], "vector": vector})
}

fn export(node: &Node, source: &str) -> String {
    let out = node.file("exported.jsonl");
    let args = ["export", "--format", "jsonl", "--source", source, "--out", out.to_str().expect("UTF-8")];
    node.cli(&args).ok();
    fs::read_to_string(out).expect("the file")
}

#[test]
fn a_line_whose_vector_is_none_is_refused_and_named() {
    let node = with_model();
    let with = |id: &str, vector: &str| {
        format!(
            "{{\"id\":\"{id}\",\"type\":\"t\",\"embedding\":{{\"model\":\"{MODEL}\",\"vector\":{vector}}}}}"
        )
    };
    let lines = [
        with("good", "[20.0625,1,2,3,4,5,6,7]"),
        with("zero", "[0,0,0,0,0,0,0,0]"),
        with("beyond", "[20.0625,1e39]"),
        with("text", "\"20.0625\""),
        with("broken", "[20.0625,NaN]"),
        with("long", &format!("[{}]", vec!["20.0625"; 4097].join(","))),
    ];
    let file = node.write("lines.jsonl", lines.join("\n"));
    let ran = node.import(&file, "jsonl", "feed", &[]);
    assert_eq!((ran.exit, &ran.json["created"], &ran.json["rejected"]), (1, &json!(1), &json!(5)), "{ran:?}");
    let rejects = fs::read_to_string(ran.json["rejects_file"].as_str().expect("a file")).expect("rejects");
    let rejects: Vec<Value> = rejects.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told: Vec<_> = rejects.iter().map(|one| json!([one["line"], one["code"], one["value"]])).collect();
    let bad = |line: u64, value: &str| json!([line, "bad_embedding", value]);
    let wanted =
        [bad(2, "8 zeros"), bad(3, "1e39"), bad(4, "a text"), json!([5, "bad_json", ""]), bad(6, "4097")];
    assert_eq!(told, wanted);
    assert!(!json!(rejects).to_string().contains("20.0625"), "{rejects:?}");
}

/// Everything that a node tells of a thing, but for the one answer that has the numbers.
fn all_that_is_told(node: &Node, token: &str, id: &str) -> String {
    let see = |args: &[&str]| {
        let ran = node.cli_as(token, args);
        format!("{}{}", ran.json, ran.stderr)
    };
    let mut told = String::new();
    for args in [
        &["entity", "get", id][..],
        &["entity", "history", id],
        &["entity", "embeddings", id],
        &["entity", "similar", id],
        &["relations", id],
        &["search", "stolen", "--mode", "hybrid", "--explain", "--facets"],
        &["search", "20.0625"],
        &["export", "--format", "stix"],
        &["export", "--format", "csv"],
        &["export", "--format", "jsonl"],
        &["export", "--format", "jsonl", "--source", "terms"],
        &["policy", "decisions"],
        &["index", "build"],
        &["model", "list"],
    ] {
        told += &see(args);
    }
    told + &node.http_as(token).get("/metrics").body + &node.log()
}

/// The licence that an embedding carries is decided on, whoever asks; and the default policy gives out those of open data alone.
#[test]
fn numbers_go_out_where_the_licence_of_embeddings_lets_them() {
    let node = with_model();
    let line = report("a", "stolen tickets", &of(&VECTOR));
    say_under("MIT-OK", &node, "terms", &[line]).ok();
    let open = report("b", "stolen tickets pass", &of(&VECTOR));
    say(&node, "open", &[open]).ok();
    assert_eq!(embeddings(&node, "b", 1)[0]["licence"], "Open-Data-OK");
    assert!(export(&node, "open").contains("20.0625"), "as it was said");
    // What is said of it may leave, and its vector may not: it looks like a thing that has none.
    let none = node.cli(&["entity", "embeddings", "a"]).ok();
    assert_eq!(none, json!({"id": "a", "embeddings": []}));
    assert!(!export(&node, "terms").contains("embedding"));
    let told = all_that_is_told(&node, &node.token, "a");
    let shown = node.import(&node.file("terms.jsonl"), "jsonl", "terms", &["--preview"]).ok();
    assert!(shown.to_string().contains("stolen") && !shown.to_string().contains("embedding"), "{shown}");
    for digits in DIGITS {
        assert!(!told.contains(digits), "{digits} in {told}");
    }
    let log = node.cli(&["policy", "decisions", "--action", "embedding.read", "--denied"]).ok();
    assert_eq!(log["decisions"][0]["because"], json!(["embeddings-need-open-data"]), "{log}");

    // A tenant that lets embeddings out by the licence that they carry.
    let built_in = intelgraph::policy::Policy::built_in().text().to_owned();
    let closed = "unless { resource.licence == Licence::\"Open-Data-OK\" };";
    let opened =
        "unless { [Licence::\"Open-Data-OK\", Licence::\"Restricted-TOS\"].contains(resource.licence) };";
    assert!(built_in.contains(closed));
    let file = node.write("open.cedar", built_in.replace(closed, opened));
    node.cli(&["policy", "set", file.to_str().expect("UTF-8"), "--replaces", "0"]).ok();
    let told = embeddings(&node, "a", 1).remove(0);
    assert_eq!((&told["licence"], &told["source"]), (&json!("Restricted-TOS"), &json!("terms")), "{told}");
    assert!(export(&node, "terms").contains("20.0625"));
    let log = node.cli(&["policy", "decisions", "--action", "embedding.read"]).ok();
    assert!(
        log["decisions"].as_array().is_some_and(|all| all.iter().any(|one| one["allowed"] == true)),
        "{log}"
    );
}

#[test]
fn what_is_hidden_has_vectors_as_little_as_what_is_not_there() {
    let node = with_model();
    let hidden = json!({
        "id": "hidden", "type": "report", "classification": "secret", "texts": [{"text": "stolen tickets"}],
        "embedding": of(&VECTOR),
    });
    let partly = json!({"id": "partly", "type": "report", "texts": [
        {"text": "lateral movement"}, {"text": "stolen tickets", "classification": "secret"},
    ]});
    say(&node, "feed", &[hidden, partly]).ok();
    assert_eq!(embeddings(&node, "hidden", 1).len(), 1);
    assert_eq!(embeddings(&node, "partly", 2).len(), 2);
    let reader = node.new_token(&["--role", "reader", "--clearance", "public"]);
    let see = |id: &str| node.cli_as(&reader, &["entity", "embeddings", id]);
    let (denied, absent) = (see("hidden"), see("nobody"));
    assert_eq!(denied.failed(1, "not_found").replace("hidden", "nobody"), absent.failed(1, "not_found"));
    let seen = see("partly").ok()["embeddings"].clone();
    assert_eq!((seen.as_array().map(Vec::len), &seen[0]["passage"]), (Some(1), &json!("lateral movement")));
    let told = all_that_is_told(&node, &reader, "hidden");
    assert!(DIGITS.iter().all(|digits| !told.contains(digits)), "{told}");
}
