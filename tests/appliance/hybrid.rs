//! Searches by words and meaning: the flag that turns them on, what they say when they are by words alone, and what is refused.

use serde_json::{Value, json};

use crate::node::Node;

fn with_reports() -> Node {
    let node = Node::start();
    let report = |number: u32| {
        let text = format!(
            "Lateral movement, part {number}, with {}",
            "stolen tickets ".repeat(number as usize % 5)
        );
        json!({"id": format!("report-{number}"), "type": "report", "texts": [{"text": text}]}).to_string()
    };
    let lines: Vec<_> = (1..=30).map(report).collect();
    let file = node.write("reports.jsonl", lines.join("\n"));
    node.import(&file, "jsonl", "feed", &[]).ok();
    node
}

fn hybrid(node: &Node, variables: Value) -> Value {
    let answer = node.http().post(&json!({"id": "searchHybrid:v1", "variables": variables})).json();
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["searchHybrid"].clone()
}

fn refusal(node: &Node, variables: Value) -> String {
    let answer = node.http().post(&json!({"id": "searchHybrid:v1", "variables": variables})).json();
    answer["errors"][0]["message"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

fn reason(node: &Node, q: &str) -> String {
    let answer = hybrid(node, json!({"q": q}));
    assert_eq!(answer["vector"]["used"], false, "{answer}");
    answer["vector"]["reason"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[test]
fn the_operation_is_as_it_was_specified() {
    let manifest = intelgraph::gateway::operations::manifest();
    let operations = manifest["operations"].as_array().expect("operations");
    let of = |id: &str| operations.iter().find(|one| one["id"] == id).expect("an operation").clone();
    let hybrid = of("searchHybrid:v1");
    let known = ["id", "abac", "flags", "timeoutMs"].map(|name| hybrid[name].clone());
    assert_eq!(json!(known), json!(["searchHybrid:v1", ["entity.search"], ["vector-preview"], 450]));
    let hash = hybrid["hash"].as_str().and_then(|hash| hash.strip_prefix("sha256-")).expect("a hash");
    assert_eq!(
        (hash.len(), format!("sha256:{hash}")),
        (64, hybrid["documentId"].as_str().expect("an id").to_owned())
    );
    assert_eq!(of("search:v4")["flags"], json!([]));
}

/// Word for word and number for number the answer of a search by words.
#[test]
fn without_meaning_the_answer_is_that_of_the_words_and_says_why() {
    let node = with_reports();
    let q = "stolen tickets movement";
    assert_eq!(reason(&node, q), "flag_off");
    node.cli(&["flag", "set", "vector-preview", "on"]).ok();
    assert_eq!(reason(&node, q), "no_model");
    assert_eq!(reason(&node, ""), "query_empty");
    assert_eq!(reason(&node, "\"stolen tickets\""), "filter_exact");
    assert_eq!(reason(&node, "stolen -tickets"), "filter_exact");
    assert_eq!(reason(&node, "the of with"), "no_model");
    let words = node
        .http()
        .post(&json!({"id": "search:v4", "variables": {"q": q, "first": 7, "explain": true}}))
        .json();
    let both = hybrid(&node, json!({"q": q, "first": 7, "explain": true}));
    let shown = |answer: &Value| -> Vec<Value> {
        let hits = answer["edges"].as_array().expect("hits").iter();
        hits.map(|hit| {
            json!([hit["node"]["id"], hit["node"]["score"], hit["node"]["keywordRaw"], hit["node"]["why"]])
        })
        .collect()
    };
    assert_eq!(shown(&words["data"]["search"]), shown(&both));
    assert_eq!(both["edges"][0]["node"]["weight"], 1.0, "{both}");
    // Its pages lead as far as those of the words, and each says the same of the vector stage.
    let mut ids: Vec<Value> = shown(&both).iter().map(|hit| hit[0].clone()).collect();
    let mut page = both;
    while page["pageInfo"]["hasNextPage"] == true {
        let after = page["pageInfo"]["endCursor"].clone();
        page = hybrid(&node, json!({"q": q, "first": 7, "explain": true, "after": after}));
        assert_eq!(page["vector"]["reason"], "no_model", "{page}");
        ids.extend(shown(&page).iter().map(|hit| hit[0].clone()));
    }
    let all = node.http().post(&json!({"id": "search:v4", "variables": {"q": q, "first": 100}})).json();
    let all: Vec<Value> = shown(&all["data"]["search"]).iter().map(|hit| hit[0].clone()).collect();
    assert_eq!(ids, all);
    assert_eq!(page["windowExhausted"], false, "{page}");
}

#[test]
fn a_flag_is_the_tenants_and_the_node_can_stop_it() {
    let mut node = with_reports();
    let held = |tenant: &str| -> Value {
        let flags = node.cli(&["flag", "list", "--tenant", tenant]).ok();
        flags["flags"].as_array().and_then(|flags| flags.first()).cloned().unwrap_or_default()
    };
    node.new_token(&["--tenant", "beta", "--role", "reader"]);
    assert_eq!(
        (held("default")["in_force"].clone(), held("default")["value"].clone()),
        (json!("off"), Value::Null)
    );
    let set = node.cli(&["flag", "set", "vector-preview", "on", "--tenant", "default"]).ok();
    assert_eq!(set["changed"], true, "{set}");
    assert_eq!(node.cli(&["flag", "set", "vector-preview", "on"]).ok()["changed"], false);
    assert_eq!(
        (held("default")["in_force"].clone(), held("beta")["in_force"].clone()),
        (json!("on"), json!("off"))
    );
    assert_eq!(node.cli(&["flag", "pilots"]).ok()["tenants"], json!(["default"]));
    assert!(held("default")["set_by"].is_string() && held("default")["set_at"].is_string());
    node.cli(&["flag", "stop", "vector-preview"]).ok();
    assert_eq!(reason(&node, "movement"), "flag_off");
    let stopped = held("default");
    assert_eq!(
        (&stopped["stopped"], &stopped["value"], &stopped["in_force"]),
        (&json!(true), &json!("on"), &json!("off"))
    );
    node.cli(&["flag", "resume", "vector-preview"]).ok();
    assert_eq!(reason(&node, "movement"), "no_model");
    node.cli(&["flag", "set", "vector-preview", "default"]).ok();
    assert_eq!(reason(&node, "movement"), "flag_off");
    for (name, value) in
        [("vector-preview", "maybe"), ("keyword-weight", "1.5"), ("keyword-weight", "NaN"), ("no-flag", "on")]
    {
        assert_eq!(node.cli(&["flag", "set", name, value]).exit, 2, "{name} {value}");
    }
    // Who only reads neither sets nor sees it, and a tenant's administrator does not stop the node's.
    let reader = node.new_token(&["--role", "reader"]);
    let admin = node.new_token(&["--role", "admin"]);
    assert_ne!(node.cli_as(&reader, &["flag", "list"]).exit, 0);
    assert_ne!(node.cli_as(&reader, &["flag", "set", "vector-preview", "on"]).exit, 0);
    assert_eq!(node.cli_as(&admin, &["flag", "set", "vector-preview", "on"]).exit, 0);
    assert_ne!(node.cli_as(&admin, &["flag", "stop", "vector-preview"]).exit, 0);
    assert_ne!(node.cli_as(&admin, &["flag", "pilots"]).exit, 0);
    node.stop_and_verify();
}

#[test]
fn bad_questions_are_refused_with_the_limit() {
    let node = with_reports();
    for weight in [json!(-0.1), json!(1.01), json!(1e300)] {
        assert!(
            refusal(&node, json!({"q": "x", "keywordWeight": weight})).contains("from 0 to 1"),
            "{weight}"
        );
        assert!(refusal(&node, json!({"q": "x", "alpha": weight})).contains("from 0 to 1"), "{weight}");
    }
    assert!(refusal(&node, json!({"q": "x", "alpha": 0.2, "keywordWeight": 0.3})).contains("one of them"));
    hybrid(&node, json!({"q": "x", "alpha": 0.3, "keywordWeight": 0.3}));
    assert!(refusal(&node, json!({"q": "token ".repeat(100_000)})).contains("at most 8192"));
    assert_eq!(node.cli(&["search", "x", "--mode", "hybrid", "--weight", "1.5"]).exit, 2);
    assert_eq!(node.cli(&["search", "x", "--mode", "hybrid", "--weight", "NaN"]).exit, 2);
}

#[test]
fn the_command_answers_as_its_contract_says() {
    let node = with_reports();
    let words = node.cli(&["search", "stolen tickets", "--explain"]).ok();
    assert_eq!(words["vector"], json!({"used": false, "reason": "not_asked", "took_ms": 0.0, "lsn": null}));
    let both =
        node.cli(&["search", "stolen tickets", "--mode", "hybrid", "--explain", "--weight", "0.5"]).ok();
    assert_eq!(
        (both["vector"]["used"].clone(), both["vector"]["reason"].clone()),
        (json!(false), json!("flag_off"))
    );
    let scored = |answer: &Value| -> Vec<Value> {
        let hits = answer["hits"].as_array().expect("hits").iter();
        hits.map(|hit| json!([hit["id"], hit["score"], hit["snippet"], hit["explain"]["shares"]])).collect()
    };
    assert_eq!(scored(&words), scored(&both));
    let explain = &both["hits"][0]["explain"];
    assert_eq!(
        (&explain["keyword"], &explain["vector_raw"], &explain["weight"]),
        (&json!(1.0), &Value::Null, &json!(1.0))
    );
    let meaning = node.cli(&["search", "stolen tickets", "--mode", "vector"]);
    meaning.failed(3, "flag_off");
}

#[test]
fn what_becomes_of_searches_is_counted_by_reason() {
    let node = with_reports();
    hybrid(&node, json!({"q": "movement"}));
    hybrid(&node, json!({"q": "nothinglikeit"}));
    hybrid(&node, json!({"q": "movement", "mode": "KEYWORD"}));
    let metrics = node.http().get("/metrics").body;
    for line in [
        "intelgraph_search_vector_stages_total{outcome=\"flag_off\"} 2",
        "intelgraph_searches_total 3",
        "intelgraph_searches_without_hits_total 1",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}
