//! Searches by words and meaning, with a model of a few kilobytes: what an answer says of itself, its pages, and who sees what.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::models::{install, published};
use crate::node::Node;

const Q: &str = "lateral movement with stolen tickets";

/// Reports of words that the model knows, in so many orders.
pub(crate) fn reports(from: usize, to: usize, more: &Value) -> String {
    let words = ["lateral", "movement", "stolen", "tickets", "pass", "credential", "dump", "theft"];
    let report = |number: usize| {
        let text: Vec<_> =
            (0..4).map(|at| words[(number * (at + 3) + number / 8 + at) % words.len()]).collect();
        let mut report = json!({"id": format!("report-{number:03}"), "type": "report"});
        report["texts"] = json!([{"text": format!("{}.", text.join(" "))}]);
        for (name, value) in more.as_object().into_iter().flatten() {
            report[name] = value.clone();
        }
        report.to_string()
    };
    (from..=to).map(report).collect::<Vec<_>>().join("\n")
}

pub(crate) fn say(node: &Node, name: &str, lines: &str) {
    let file = node.write(&format!("{name}.jsonl"), lines);
    node.import(&file, "jsonl", name, &["--classification", "public"]).ok();
}

pub(crate) fn ready(reports: &str) -> Node {
    let node = Node::start();
    let folder = published(&node, "small-model", "bert");
    install(&node, &[&folder], &[]).ok();
    node.cli(&["flag", "set", "vector-preview", "on"]).ok();
    say(&node, "feed", reports);
    awaited(&node, &node.token);
    node
}

/// Vectors follow behind the words.
pub(crate) fn awaited(node: &Node, token: &str) {
    let begun = Instant::now();
    loop {
        let answer = ask_as(node, token, &json!({"q": Q, "first": 1}));
        let stage = &answer["vector"];
        if stage["used"] == true && stage["lsn"].as_u64() >= answer["lsn"].as_u64() {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{stage}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn ask_as(node: &Node, token: &str, variables: &Value) -> Value {
    let answer = node.http_as(token).post(&json!({"id": "searchHybrid:v1", "variables": variables})).json();
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["searchHybrid"].clone()
}

fn ask(node: &Node, variables: &Value) -> Value {
    ask_as(node, &node.token, variables)
}

pub(crate) fn hits(answer: &Value) -> Vec<Value> {
    answer["edges"].as_array().expect("hits").iter().map(|edge| edge["node"].clone()).collect()
}

fn number(hit: &Value, name: &str) -> f64 {
    hit[name].as_f64().unwrap_or_else(|| panic!("no {name}: {hit}"))
}

#[test]
fn each_score_is_what_the_formula_makes_of_its_parts() {
    let node = ready(&reports(1, 60, &Value::Null));
    for weight in [0.0, 0.3, 0.7, 1.0] {
        let answer = ask(&node, &json!({"q": Q, "first": 20, "keywordWeight": weight, "explain": true}));
        assert_eq!((&answer["vector"]["used"], &answer["vector"]["reason"]), (&json!(true), &Value::Null));
        assert!(number(&answer["vector"], "tookMs") < 160.0, "{}", answer["vector"]);
        let found = hits(&answer);
        assert_eq!(found.len(), 20);
        for hit in &found {
            let vector = hit["vector"].as_f64().unwrap_or_default();
            let score = weight * number(hit, "keyword") + (1.0 - weight) * vector;
            assert!((number(hit, "score") - score).abs() < 1e-9, "{hit}");
            assert_eq!(number(hit, "weight"), weight);
        }
        let scores: Vec<_> = found.iter().map(|hit| number(hit, "score")).collect();
        assert!(scores.is_sorted_by(|one, next| one >= next), "{scores:?}");
    }
    // The tenant's weight holds where a question has none.
    node.cli(&["flag", "set", "keyword-weight", "0.25"]).ok();
    let weight = || number(&hits(&ask(&node, &json!({"q": Q})))[0], "weight");
    assert_eq!(weight(), 0.25);
    node.cli(&["flag", "stop", "keyword-weight"]).ok();
    assert_eq!(weight(), 0.7, "what is stopped for the node holds for nobody");
    node.cli(&["flag", "resume", "keyword-weight"]).ok();
    let told = node.cli(&["search", Q, "--mode", "hybrid", "--explain"]).ok();
    let explain = &told["hits"][0]["explain"];
    assert!(explain["vector_raw"].is_number() && explain["vector"].is_number(), "{explain}");
    assert_eq!((&explain["weight"], &told["vector"]["reason"]), (&json!(0.25), &Value::Null));
}

#[test]
fn pages_are_cut_from_one_window_that_ends_and_says_so() {
    let node = ready(&reports(1, 260, &Value::Null));
    let whole = hits(&ask(&node, &json!({"q": Q, "first": 200})));
    let (mut paged, mut page) = (Vec::new(), ask(&node, &json!({"q": Q, "first": 7})));
    loop {
        paged.extend(hits(&page));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        // What comes meanwhile moves nothing.
        if paged.len() == 7 {
            say(&node, "later", &reports(900, 905, &Value::Null));
        }
        page = ask(&node, &json!({"q": Q, "first": 7, "after": page["pageInfo"]["endCursor"]}));
    }
    assert!((100..=200).contains(&paged.len()), "{} hits", paged.len());
    assert_eq!(page["windowExhausted"], true, "{} hits", paged.len());
    assert_eq!(
        paged[..50].iter().map(|hit| &hit["id"]).collect::<Vec<_>>(),
        whole[..50].iter().map(|hit| &hit["id"]).collect::<Vec<_>>()
    );
    let mut ids: Vec<_> = paged.iter().map(|hit| hit["id"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), paged.len(), "no thing twice");
}

/// Filters hold for meaning as they do for words.
#[test]
fn what_is_chosen_is_chosen_by_meaning_too() {
    let node = ready(&reports(1, 20, &Value::Null));
    say(&node, "other", &reports(101, 120, &json!({"type": "note"})));
    awaited(&node, &node.token);
    for variables in [
        json!({"types": ["note"]}),
        json!({"notTypes": ["report"]}),
        json!({"sources": ["other"]}),
        json!({"notSources": ["feed"]}),
    ] {
        let mut variables = variables;
        (variables["q"], variables["first"], variables["mode"]) = (json!(Q), json!(50), json!("VECTOR"));
        let found = hits(&ask(&node, &variables));
        assert_eq!(found.len(), 20, "{variables}");
        assert!(found.iter().all(|hit| hit["type"] == "note" && hit["source"] == "other"), "{variables}");
    }
}

/// What has none of the words shows the passage that is near, and not once more the title that stands above it.
#[test]
fn a_hit_by_meaning_shows_what_is_near() {
    let node = ready(&reports(1, 8, &Value::Null));
    let named = json!({"id": "named", "type": "report", "attributes": {"name": "Pass the"}, "texts": [{"text": "Credential dump theft."}]});
    say(&node, "named", &named.to_string());
    awaited(&node, &node.token);
    let found = hits(&ask(&node, &json!({"q": "stolen tickets", "first": 50, "mode": "VECTOR"})));
    let hit = found.iter().find(|hit| hit["id"] == "named").expect("it is near enough");
    assert_eq!((&hit["title"], &hit["snippet"]), (&json!("Pass the"), &json!("Credential dump theft.")));
}

/// What may not be seen is not found, and moves nothing: neither an order nor a score.
#[test]
fn what_is_hidden_neither_is_found_nor_moves_a_score() {
    let node = ready(&reports(1, 30, &Value::Null));
    let reader = node.new_token(&["--role", "reader", "--clearance", "public"]);
    let question = json!({"q": Q, "first": 100, "mode": "VECTOR"});
    let seen = |answer: &Value| -> Vec<Value> {
        hits(answer)
            .iter()
            .map(|hit| json!([hit["id"], hit["score"], hit["vector"], hit["vectorRaw"], hit["vectorRank"]]))
            .collect()
    };
    let before = seen(&ask_as(&node, &reader, &question));
    assert_eq!(before.len(), 30);
    // Exactly what is asked for, many times.
    let hidden: Vec<_> = (1..=40)
        .map(|number| json!({"id": format!("hidden-{number}"), "type": "report", "classification": "secret", "texts": [{"text": Q, "classification": "secret"}]}).to_string())
        .collect();
    say(&node, "secrets", &hidden.join("\n"));
    awaited(&node, &node.token);
    let owner = hits(&ask(&node, &question));
    assert!(owner[0]["id"].as_str().is_some_and(|id| id.starts_with("hidden")), "{:?}", owner[0]);
    assert_eq!(seen(&ask_as(&node, &reader, &question)), before);
}

#[test]
fn what_is_like_a_thing_is_found_by_what_one_may_see_of_it() {
    let node = ready(&reports(1, 24, &Value::Null));
    let twin = json!({"id": "twin", "type": "report", "texts": [
        {"text": "credential dump theft."}, {"text": "lateral movement.", "classification": "secret"},
    ]});
    let open = json!({"id": "open-twin", "type": "report", "texts": [{"text": "credential dump theft."}]});
    say(&node, "twins", &format!("{twin}\n{open}"));
    awaited(&node, &node.token);
    let found = node.cli(&["entity", "similar", "open-twin", "--limit", "5"]).ok();
    let hits = found["hits"].as_array().expect("hits");
    assert_eq!(
        (hits.len(), &hits[0]["id"], found["vector"]["used"].clone()),
        (5, &json!("twin"), json!(true))
    );
    assert!(hits.iter().all(|hit| hit["id"] != "open-twin"), "{found}");
    // Who may not see a passage is shown nothing for its sake, and what may not be seen at all is not there.
    let reader = node.new_token(&["--role", "reader", "--clearance", "public"]);
    let seen = node.cli_as(&reader, &["entity", "similar", "twin"]).ok();
    assert_eq!(seen["hits"][0]["id"], "open-twin", "{seen}");
    assert_eq!(node.cli_as(&reader, &["entity", "similar", "nobody"]).exit, 1);
    node.cli(&["flag", "stop", "vector-preview"]).ok();
    node.cli(&["entity", "similar", "twin"]).failed(3, "flag_off");
}

#[test]
fn a_model_that_is_gone_is_said_and_the_words_answer() {
    let node = ready(&reports(1, 10, &Value::Null));
    node.cli(&["model", "remove", "small-model"]).ok();
    let answer = ask(&node, &json!({"q": Q}));
    assert_eq!((&answer["vector"]["used"], &answer["vector"]["reason"]), (&json!(false), &json!("no_model")));
    assert!(!hits(&answer).is_empty());
    node.cli(&["flag", "stop", "vector-preview"]).ok();
    assert_eq!(ask(&node, &json!({"q": Q}))["vector"]["reason"], "flag_off");
}

/// An alert for a metric that nobody tells would never come.
#[test]
fn alerts_ask_for_what_the_node_tells() {
    let node = ready(&reports(1, 10, &Value::Null));
    let metrics = node.http().get("/metrics").body;
    let alerts = include_str!("../../monitoring/alerts.yml");
    let in_rules = alerts.lines().filter(|line| !line.contains("action:")).collect::<Vec<_>>().join("\n");
    let asked: Vec<_> = in_rules
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("intelgraph_"))
        .collect();
    assert!(asked.len() > 8, "{asked:?}");
    for name in asked {
        assert!(metrics.lines().any(|line| line.starts_with(name)), "{name}: {metrics}");
    }
    for step in ["keyword", "encode", "walk", "complete", "fuse", "vector"] {
        let counted = format!("intelgraph_search_step_duration_seconds_count{{step=\"{step}\"}}");
        assert!(metrics.contains(&counted), "{counted}: {metrics}");
    }
}
