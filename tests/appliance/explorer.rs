//! The Explorer as the node serves it: a page for anyone, which shows nothing to who is not signed in; and what its pages
//! ask for.

use reqwest::Method;
use serde_json::{Value, json};

use crate::node::Node;
use crate::session::{ask, signed_in};

/// The page is for anyone, and so it says nothing of what is in the node, and takes nothing from elsewhere.
#[test]
fn the_page_is_for_anyone_and_self_contained() {
    let node = Node::start();
    let http = node.http();
    let get = |path: &str| http.send(Method::GET, path, &[], Vec::new());
    let page = get("/");
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, Some("text/html; charset=utf-8")),
        "{page:?}"
    );
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let inline = ["<style", "style=", "onclick", "onload", "javascript:", "http://", "https://"];
    assert!(inline.iter().all(|word| !page.body.contains(word)), "{}", page.body);
    let assets: Vec<_> = page.body.split('"').filter(|text| text.starts_with("/assets/")).collect();
    for (end, content_type) in [(".js", "text/javascript"), (".css", "text/css")] {
        let path = assets.iter().find(|path| path.ends_with(end)).expect("loaded by the page");
        let file = get(path);
        assert!(
            file.status == 200 && file.header("content-type").is_some_and(|is| is.starts_with(content_type)),
            "{file:?}"
        );
        let etag = file.header("etag").expect("a tag");
        let again = http.send(Method::GET, path, &[("if-none-match", etag)], Vec::new());
        assert_eq!((again.status, again.body.as_str()), (304, ""), "{again:?}");
    }
    assert_eq!(get("/assets/nothing.js").status, 404);
}

/// An address of the app is the same page, whether what it names is there or not: its script asks, as whoever is signed in.
#[test]
fn every_address_of_the_app_is_the_same_page() {
    let node = Node::start();
    let http = node.http();
    let bodies = ["/", "/-/sign-in", "/t/default/search", "/t/nowhere/e/nothing"].map(|path| {
        let page = http.send(Method::GET, path, &[], Vec::new());
        let nonce = page.header("content-security-policy").and_then(|policy| policy.split("nonce-").nth(1));
        let nonce = nonce.and_then(|rest| rest.split('\'').next()).expect("a nonce").to_owned();
        page.body.replace(&nonce, "NONCE")
    });
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}

#[test]
fn a_session_says_what_may_be_done() {
    let node = Node::start();
    let http = node.http();
    let actions = |role: &str| {
        let cookie = signed_in(&node, &json!({"token": node.new_token(&["--role", role])}));
        let who = ask(&http, &cookie).json();
        who["actions"]
            .as_array()
            .expect("actions")
            .iter()
            .map(|action| action.to_string())
            .collect::<Vec<_>>()
    };
    let has = |actions: &[String], action: &str| actions.contains(&format!("\"{action}\""));
    let (owner, reader, auditor) = (actions("owner"), actions("reader"), actions("auditor"));
    assert!(
        has(&owner, "policy.manage") && has(&owner, "entity.search") && has(&owner, "import.run"),
        "{owner:?}"
    );
    assert!(has(&reader, "entity.search") && !has(&reader, "token.manage"), "{reader:?}");
    assert!(has(&auditor, "ledger.export") && !has(&auditor, "entity.search"), "{auditor:?}");
}

/// Two hosts that talk, and a vault that only the cleared know of.
fn hosts(node: &Node) {
    let open = [
        json!({"id": "gate", "type": "host", "attributes": {"name": "Gate"}, "observed_at": "2024-05-01T00:00:00Z"}),
        json!({"id": "yard", "type": "site", "attributes": {"name": "Yard"}, "observed_at": "2025-05-01T00:00:00Z"}),
        json!({"relation": "talks-to", "from": "gate", "to": "yard"}),
        json!({"relation": "watches", "from": "yard", "to": "gate"}),
    ];
    let hidden = [
        json!({"id": "vault", "type": "host", "attributes": {"name": "Vault"}}),
        json!({"relation": "talks-to", "from": "gate", "to": "vault"}),
        json!({"relation": "guards", "from": "vault", "to": "gate"}),
    ];
    let lines = |things: &[Value]| things.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    node.import(&node.write("open.jsonl", lines(&open)), "jsonl", "open", &["--classification", "public"])
        .ok();
    let secret = ["--classification", "secret"];
    node.import(&node.write("hidden.jsonl", lines(&hidden)), "jsonl", "hidden", &secret).ok();
}

fn found(node: &Node, variables: Value) -> Vec<Value> {
    node.http().list("search:v3", variables, "search")
}

fn ids(hits: &[Value]) -> Vec<&str> {
    hits.iter().map(|hit| hit["id"].as_str().expect("an id")).collect()
}

#[test]
fn a_search_is_narrowed_by_time_and_form_and_can_begin_with_the_newest() {
    let node = Node::start();
    hosts(&node);
    let entities = |more: Value| {
        let mut variables =
            json!({"q": "", "form": "ENTITY", "types": ["host", "site"], "sources": ["open"]});
        variables.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        found(&node, variables)
    };
    assert_eq!(ids(&entities(json!({"newest": true}))), ["yard", "gate"]);
    assert_eq!(ids(&entities(json!({"since": "2025-01-01T00:00:00Z"}))), ["yard"]);
    assert_eq!(ids(&entities(json!({"before": "2025-05-01T00:00:00Z"}))), ["gate"]);
    let turned = json!({"since": "2025-01-01T00:00:00Z", "before": "2024-01-01T00:00:00Z"});
    let refused = node.http().post(&json!({"id": "search:v3", "variables": {"q": "", "since": turned["since"], "before": turned["before"]}}));
    assert_eq!(refused.json()["errors"][0]["extensions"]["code"], "bad_request", "{refused:?}");
    let gate = &entities(json!({"q": "gate"}))[0];
    assert_eq!(
        (&gate["source"], &gate["classification"], &gate["status"], &gate["from"]),
        (&json!("open"), &json!("public"), &json!("active"), &Value::Null)
    );
    let relations =
        found(&node, json!({"q": "", "form": "RELATION", "sources": ["open"], "types": ["talks-to"]}));
    assert_eq!(
        (&relations[0]["from"]["title"], &relations[0]["to"]["title"]),
        (&json!("Gate"), &json!("Yard")),
        "{relations:?}"
    );
}

#[test]
fn a_search_leaves_out_and_counts_by_classification_and_time_as_far_as_one_sees() {
    let node = Node::start();
    hosts(&node);
    let reader = node.new_token(&["--role", "reader", "--clearance", "public"]);
    let ask = |http: &crate::http::Http, more: Value| {
        let mut variables = json!({"q": "", "form": "ENTITY", "facets": true});
        variables.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        http.graphql("search:v4", variables)["search"].clone()
    };
    let ids = |found: &Value| {
        let edges = found["edges"].as_array().expect("edges").iter();
        edges.map(|edge| edge["node"]["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    let counts = |list: &Value| {
        let list = list.as_array().expect("counts").iter();
        list.map(|one| format!("{} {}", one["value"].as_str().unwrap_or("?"), one["count"]))
            .collect::<Vec<_>>()
    };
    let (owner, reader) = (node.http(), node.http_as(&reader));
    let all = ask(&owner, json!({}));
    assert_eq!(counts(&all["classifications"]), ["public 2", "secret 1"], "{all}");
    assert_eq!(all["spans"].as_array().map(Vec::len), Some(3), "{all}");
    let seen = ask(&reader, json!({}));
    assert_eq!(counts(&seen["classifications"]), ["public 2"], "{seen}");
    assert_eq!(
        seen["spans"],
        json!([
            {"since": "2024-05-01T00:00:00Z", "before": "2024-06-01T00:00:00Z", "count": 1},
            {"since": "2025-05-01T00:00:00Z", "before": "2025-06-01T00:00:00Z", "count": 1},
        ]),
        "{seen}"
    );
    let secret = json!({"classifications": ["secret"]});
    assert_eq!(ids(&ask(&owner, secret.clone())), ["vault"]);
    assert_eq!(
        ids(&ask(&reader, secret.clone())),
        ids(&ask(&reader, json!({"classifications": ["restricted"]})))
    );
    assert_eq!(counts(&ask(&owner, secret)["classifications"]), ["public 2", "secret 1"]);
    assert_eq!(ids(&ask(&owner, json!({"notTypes": ["host"]}))), ["yard"]);
    assert_eq!(ids(&ask(&owner, json!({"notSources": ["open"]}))), ["vault"]);
    let wrong = owner.post(&json!({"id": "search:v4", "variables": {"q": "", "classifications": ["hush"]}}));
    assert_eq!(wrong.json()["errors"][0]["extensions"]["code"], "invalid", "{wrong:?}");
    let why = ask(&owner, json!({"q": "gate", "explain": true}))["edges"][0]["node"]["why"].clone();
    let shares: Vec<_> =
        why["shares"].as_array().expect("shares").iter().map(|share| &share["place"]).collect();
    assert_eq!((&why["factor"], shares), (&json!(1.0), vec![&json!("id"), &json!("title")]), "{why}");
}

#[test]
fn the_last_word_is_a_beginning_only_while_it_is_typed() {
    let node = Node::start();
    let things = json!({"id": "k", "type": "bird", "attributes": {"name": "Kestrel"}}).to_string();
    node.import(&node.write("a.jsonl", things), "jsonl", "birds", &[]).ok();
    assert_eq!(ids(&found(&node, json!({"q": "kes", "typing": true}))), ["k"]);
    assert!(found(&node, json!({"q": "kes"})).is_empty());
}

#[test]
fn relations_are_counted_by_kind_and_direction_as_far_as_they_are_seen() {
    let node = Node::start();
    hosts(&node);
    let reader = node.new_token(&["--role", "reader", "--clearance", "public"]);
    let counts = |http: &crate::http::Http| {
        let kinds = http.graphql("relationKinds:v1", json!({"id": "gate"}))["relationKinds"].clone();
        assert_eq!(kinds["complete"], true);
        let kinds = kinds["kinds"].as_array().expect("kinds").clone();
        kinds
            .iter()
            .map(|kind| format!("{} {} {}", kind["direction"], kind["kind"], kind["count"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(counts(&node.http_as(&reader)), [r#""OUT" "talks-to" 1"#, r#""IN" "watches" 1"#]);
    assert_eq!(counts(&node.http()), [r#""OUT" "talks-to" 2"#, r#""IN" "guards" 1"#, r#""IN" "watches" 1"#]);
    let relations = node.http_as(&reader).list("relations:v3", json!({"id": "gate"}), "relations");
    let others: Vec<_> = relations.iter().map(|relation| relation["other"]["title"].clone()).collect();
    assert_eq!(others, ["Yard", "Yard"]);
}

#[test]
fn a_thing_says_on_which_terms_each_source_gave_it_and_a_relation_what_it_joins() {
    let node = Node::start();
    hosts(&node);
    let http = node.http();
    let gate = http.graphql("entity:v2", json!({"id": "gate"}))["entity"].clone();
    let statement = &gate["statements"][0];
    assert_eq!(
        (&statement["source"], &statement["classification"], &statement["observedAt"], &gate["from"]),
        (&json!("open"), &json!("public"), &json!("2024-05-01T00:00:00Z"), &Value::Null),
        "{gate}"
    );
    assert_eq!(statement["lsn"], gate["receipt"]["lsn"], "{gate}");
    let relation = found(&node, json!({"q": "", "form": "RELATION", "types": ["watches"]}))[0]["id"].clone();
    let relation = http.graphql("entity:v2", json!({"id": relation}))["entity"].clone();
    assert_eq!(
        (&relation["from"]["id"], &relation["to"]["id"]),
        (&json!("yard"), &json!("gate")),
        "{relation}"
    );
    let paths = http.graphql("paths:v2", json!({"from": "yard", "to": "vault"}))["paths"].clone();
    assert_eq!(paths["paths"], json!([["yard", "gate", "vault"]]));
    let titles: Vec<_> =
        paths["things"].as_array().expect("things").iter().map(|thing| thing["title"].clone()).collect();
    assert_eq!(titles, ["Gate", "Vault", "Yard"]);
}
