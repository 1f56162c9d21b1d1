//! GraphQL as applications and attackers speak it: media types and statuses, documents of one's own, who is let
//! through to what, lists in pages.

use reqwest::Method;
use serde_json::{Value, json};

use crate::bombs::bombs;
use crate::data;
use crate::http::{Answer, Http};
use crate::node::Node;

const GRAPHQL: &str = "application/graphql-response+json";
const JSON: &str = "application/json";
/// Documents that are sent in bad faith.
const BOMBS: usize = 600;

fn ask(http: &Http, token: &str, accept: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", JSON), ("accept", accept)];
    http.send(Method::POST, "/graphql", &headers, body.to_string().into_bytes())
}

fn get(http: &Http, token: &str, query: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    http.send(Method::GET, &format!("/graphql?{query}"), &[("authorization", bearer.as_str())], Vec::new())
}

fn with_scope(node: &Node) -> String {
    node.new_token(&["--role", "owner", "--clearance", "secret", "--scope", "graphql.adhoc"])
}

#[test]
fn statuses_and_media_types_are_as_asked_for() {
    let node = Node::start();
    let (http, token) = (node.http(), with_scope(&node));
    let good = json!({"query": "{ node { tenant } }"});
    let unparsable = json!({"query": "{ node { \"secret words\" "});
    let invalid = json!({"query": "{ node { noSuchField } }"});
    let missing = json!({"id": "search:v2", "variables": {}});
    let wrong = json!({"id": "search:v2", "variables": {"q": 7}});
    for (body, status, legacy) in [
        (&good, 200, 200),
        (&unparsable, 400, 200),
        (&invalid, 400, 200),
        (&missing, 400, 200),
        (&wrong, 400, 200),
    ] {
        for (accept, media_type, status) in
            [(GRAPHQL, GRAPHQL, status), ("*/*", JSON, status), (JSON, JSON, legacy)]
        {
            let answer = ask(&http, &token, accept, body);
            assert_eq!(answer.status, status, "{accept} {body}: {answer:?}");
            assert!(
                answer.header("content-type").is_some_and(|kind| kind.starts_with(media_type)),
                "{answer:?}"
            );
            let document = answer.json();
            assert_eq!(document["errors"].is_array(), body != &good, "{answer:?}");
            assert_eq!(document.get("data").is_some(), body == &good, "{answer:?}");
            assert!(!answer.body.contains("secret words"), "a document is not sent back: {answer:?}");
        }
    }
    assert_eq!(ask(&http, &token, "text/html", &good).status, 406);
    let text = [("authorization", &*format!("Bearer {token}")), ("content-type", "text/plain")];
    assert_eq!(http.send(Method::POST, "/graphql", &text, good.to_string().into_bytes()).status, 415);
    let batch = ask(&http, &token, GRAPHQL, &json!([good, good]));
    assert!(batch.status == 400 && batch.body.contains("one at a time"), "{batch:?}");
    let refused = Http::new(&node.url, "nonsense").post(&good);
    assert_eq!(
        (refused.status, refused.json()["errors"][0]["extensions"]["code"].as_str()),
        (401, Some("unauthorized"))
    );
}

#[test]
fn questions_may_be_asked_by_get_and_changes_not() {
    let node = Node::start();
    let (http, token) = (node.http(), with_scope(&node));
    let answer = get(&http, &token, "id=suggest:v1&variables=%7B%22prefix%22%3A%22x%22%7D");
    assert_eq!((answer.status, answer.json()["data"]["suggest"].clone()), (200, json!([])), "{answer:?}");
    let answer = get(&http, &token, "query=%7B%20node%20%7B%20tenant%20%7D%20%7D");
    assert_eq!(answer.json()["data"]["node"]["tenant"], "default", "{answer:?}");
    for change in [
        "id=tokenRevoke:v1&variables=%7B%22id%22%3A%22x%22%7D",
        "query=mutation%20%7B%20tokenRevoke(id%3A%22x%22)%20%7B%20lsn%20%7D%20%7D",
    ] {
        let answer = get(&http, &token, change);
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{answer:?}");
    }
}

#[test]
fn documents_of_ones_own_take_a_scope() {
    let node = Node::start();
    let http = node.http();
    let body = json!({"query": "{ node { tenant } }"});
    for asks in [&body, &json!({"query": "{ __schema { types { name } } }"}), &json!({"query": "{{{{"})] {
        let refused = http.post(asks);
        assert_eq!((refused.status, refused.code().as_str()), (403, "PERSISTED_ONLY"), "{refused:?}");
    }
    let token = with_scope(&node);
    let http = node.http_as(&token);
    assert_eq!(http.post(&body).json()["data"]["node"]["tenant"], "default");
    let schema = http.post(&json!({"query": "{ __type(name: \"Node\") { fields { name } } }"})).json();
    assert!(schema["data"]["__type"]["fields"].as_array().is_some_and(|fields| fields.len() > 5), "{schema}");
    let named =
        json!({"query": "query a { node { tenant } } query b { node { role } }", "operationName": "b"});
    assert_eq!(http.post(&named).json()["data"]["node"], json!({"role": "owner"}));
    // The scope opens documents, not data: who may not make tokens may not by his own document either.
    let reader = node.new_token(&["--role", "reader", "--scope", "graphql.adhoc"]);
    let document = "mutation { a: tokenCreate(role: \"reader\") { token } }";
    let denied = node.http_as(&reader).post(&json!({"query": document})).json();
    assert_eq!(denied["errors"][0]["extensions"]["code"], "denied", "{denied}");
    assert_eq!(denied["errors"][0]["path"], json!(["a"]), "{denied}");
}

#[test]
fn in_development_everybody_brings_documents_and_the_node_says_so() {
    let node = Node::start_with(&[("dev", "true")]);
    let reader = node.new_token(&["--role", "reader"]);
    let answer = node.http_as(&reader).post(&json!({"query": "{ node { role } }"}));
    assert_eq!(answer.json()["data"]["node"]["role"], "reader", "{answer:?}");
    assert!(node.log().contains("development mode"), "{}", node.log());
}

#[test]
fn bombs_of_every_kind_harm_nobody() {
    let mut node = Node::start();
    let token = with_scope(&node);
    let http = node.http();
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", JSON), ("accept", GRAPHQL)];
    for bomb in bombs(1, BOMBS) {
        let shown = String::from_utf8_lossy(&bomb.body[..bomb.body.len().min(200)]).into_owned();
        let answer = http.send(Method::POST, "/graphql", &headers, bomb.body);
        assert!(answer.status < 500, "{}: {shown}: {answer:?}", bomb.kind);
        assert!(answer.body.len() < 1_000_000, "{}: {} bytes back", bomb.kind, answer.body.len());
        if matches!(bomb.kind, "lists in lists" | "fragments in a circle" | "fields in fields")
            && shown.len() >= 200
        {
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (400, "DOCUMENT_REFUSED"),
                "{}: {shown}",
                bomb.kind
            );
        }
    }
    assert_eq!(http.get("/readyz").status, 200);
    assert_eq!(http.graphql("node:v1", json!({}))["node"]["tenant"], "default");
    node.stop_and_verify();
}

/// A role without the right to an operation's action gets nothing from it: of labels nothing is left, the rest is refused.
#[test]
fn every_operation_asks_policy() {
    let node = Node::start();
    let things = data::jsonl("things", 5);
    let public = ["--classification", "public"];
    node.import(&node.write("things.jsonl", &things.text), "jsonl", "things", &public).ok();
    let [id, other] = [&things.entities[0], &things.entities[1]];
    let lsn = node.cli(&["entity", "get", id]).ok()["receipt"]["lsn"].clone();
    let variables = json!({
        "id": id, "from": id, "to": id, "q": "things", "prefix": "h", "lsn": lsn, "role": "reader",
        "ids": [other], "nodes": format!("{id}\t0\t0"), "name": "mine",
        "entity": id, "reason": "asked for",
    });
    // A writer brings data in and reads none; an auditor sees what was recorded; a reader manages nothing.
    for role in ["writer", "auditor", "reader"] {
        let http = node.http_as(&node.new_token(&["--role", role]));
        for operation in intelgraph::gateway::operations::ALL {
            let name = operation.id.split(':').next().unwrap_or_default();
            let document = http.post(&json!({"id": operation.id, "variables": variables})).json();
            let manages = ["token", "policy", "decisions", "doctor", "hold", "redact", "purge", "flag"]
                .iter()
                .any(|noun| name.starts_with(noun));
            let permitted = match role {
                // Of the caller himself: to anybody.
                _ if ["node", "tokenLink"].contains(&name) => true,
                "writer" => false,
                "auditor" if name == "decisions" => continue,
                "auditor" => ["ledgerCheckpoint", "ledgerReceipt"].contains(&name),
                // None is saved, and none has the id of a thing; by meaning nothing is looked for without a flag.
                _ if ["graph", "graphs", "graphSave", "graphDelete", "similar"].contains(&name) => false,
                _ => {
                    !manages && !["entityDelete", "entityRestore", "ledgerCheckpoint", "runs"].contains(&name)
                }
            };
            assert_eq!(shows_something(&document["data"]), permitted, "{role}, {}: {document}", operation.id);
        }
    }
}

/// Whether there is anything in an answer but counts, flags, how it was looked for, and empty lists.
fn shows_something(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| {
                !["lsn", "tookMs", "complete", "truncated", "pageInfo", "vector", "windowExhausted"]
                    .contains(&name.as_str())
            })
            .any(|(_, value)| shows_something(value)),
        Value::Array(values) => values.iter().any(shows_something),
        Value::Null => false,
        _ => true,
    }
}

#[test]
fn a_field_that_is_not_for_the_caller_is_null_and_said_to_be_left_out() {
    let node = Node::start();
    let file = node.write("open.jsonl", data::jsonl("open", 5).text);
    node.import(&file, "jsonl", "open", &["--classification", "public"]).ok();
    let reader = node.http_as(&node.new_token(&["--role", "reader"]));
    let body = json!({"id": "node:v1"});
    let sees_all = reader.post(&body).json();
    assert!(
        sees_all["data"]["node"]["entities"].is_number() && sees_all["extensions"].is_null(),
        "{sees_all}"
    );
    let file = node.write("closed.jsonl", data::jsonl("closed", 5).text);
    node.import(&file, "jsonl", "closed", &["--classification", "secret"]).ok();
    let answer = reader.post(&body).json();
    assert_eq!(
        (&answer["data"]["node"]["entities"], &answer["data"]["node"]["relations"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(answer["extensions"]["elided"], json!(["node.entities", "node.relations"]), "{answer}");
    assert!(answer["errors"].is_null(), "{answer}");
    assert_eq!(node.cli(&["entity", "get", &data::jsonl("open", 5).word_in]).ok()["elided"], json!([]));
}

#[test]
fn lists_come_in_pages_and_cursors_are_nobody_elses() {
    let node = Node::start();
    let made = data::jsonl("pages", 40);
    let file = node.write("pages.jsonl", &made.text);
    node.import(&file, "jsonl", "pages", &[]).ok();
    let http = node.http();
    let all = http.list("relations:v2", json!({"id": made.word_in}), "relations");
    assert_eq!(all.len(), 2);
    let first = http.graphql("relations:v2", json!({"id": made.word_in, "first": 1}))["relations"].clone();
    assert_eq!(first["pageInfo"]["hasNextPage"], true, "{first}");
    let after = first["pageInfo"]["endCursor"].as_str().expect("a cursor").to_owned();
    let second =
        http.list("relations:v2", json!({"id": made.word_in, "first": 1, "after": after}), "relations");
    assert_eq!(vec![first["edges"][0]["node"].clone(), second[0].clone()], all);
    let mut forged = after.clone();
    forged.replace_range(0..1, if after.starts_with('0') { "1" } else { "0" });
    let other = node.http_as(&node.new_token(&["--role", "reader"]));
    for (http, variables) in [
        (&http, json!({"id": made.word_in, "after": forged})),
        (&http, json!({"id": made.word_in, "after": "out"})),
        (&http, json!({"id": made.entities[0], "after": after})),
        (&other, json!({"id": made.word_in, "after": after})),
    ] {
        let refused = http.post(&json!({"id": "relations:v2", "variables": variables})).json();
        assert_eq!(refused["errors"][0]["extensions"]["code"], "CURSOR_EXPIRED", "{variables}: {refused}");
    }

    let document = "query s($after: String) { search(q: \"pages\", first: 3, after: $after) { edges { cursor node { id } } } }";
    let adhoc = node.http_as(&with_scope(&node));
    let page = |after: Value| {
        let answer = adhoc.post(&json!({"query": document, "variables": {"after": after}})).json();
        answer["data"]["search"]["edges"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
    };
    let hits = page(Value::Null);
    assert_eq!(hits.len(), 3, "{hits:?}");
    let rest = page(hits[0]["cursor"].clone());
    assert_eq!(
        rest[..2].iter().map(|edge| &edge["node"]).collect::<Vec<_>>(),
        [&hits[1]["node"], &hits[2]["node"]]
    );
}

#[test]
fn what_is_on_its_way_out_is_said_in_a_header() {
    let node = Node::start();
    let http = node.http();
    let told = |body: Value| http.post(&body).header("x-ig-deprecations").map(str::to_owned);
    let variables = json!({"q": "x"});
    let old = told(json!({"id": "search:v1", "variables": variables})).expect("search:v1 is on its way out");
    assert!(
        old.contains("search:v1: use search:v2") && old.contains("SearchConnection.hits: use `edges`"),
        "{old}"
    );
    assert_eq!(told(json!({"id": "search:v2", "variables": variables})), None);
    let adhoc = node.http_as(&with_scope(&node));
    let answer = adhoc.post(&json!({"query": "{ search(q: \"x\") { nextCursor } }"}));
    assert_eq!(
        answer.header("x-ig-deprecations"),
        Some("SearchConnection.nextCursor: use `pageInfo`"),
        "{answer:?}"
    );
}
