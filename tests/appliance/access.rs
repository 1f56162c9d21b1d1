//! Who may see what. What is hidden is absent: no answer, no count and no message tells it from what never was.

use serde_json::{Value, json};

use crate::data;
use crate::node::{Node, Ran};

/// A node with a public and an internal source that share a word.
fn with_secrets() -> Node {
    let node = Node::start();
    let lines = |prefix: &str| {
        let thing = |name: &str| {
            json!({
                "id": format!("{prefix}-{name}"), "type": format!("{prefix}-type"), "attributes": {"name": format!("kestrel {prefix} {name}")},
                "texts": [{"text": format!("a kestrel that is {prefix}")}],
            })
        };
        let relation = json!({"relation": format!("{prefix}-knows"), "from": format!("{prefix}-a"), "to": format!("{prefix}-b")});
        format!("{}\n{}\n{relation}\n", thing("a"), thing("b"))
    };
    let open = node.write("open.jsonl", lines("open"));
    let closed = node.write("closed.jsonl", lines("closed"));
    let bridge = node.write(
        "bridge.jsonl",
        [
            json!({"relation": "bridge", "from": "open-a", "to": "closed-a"}).to_string(),
            json!({"relation": "bridge", "from": "closed-a", "to": "open-b"}).to_string(),
        ]
        .join("\n"),
    );
    node.import(&open, "jsonl", "open", &["--classification", "public"]).ok();
    node.import(&closed, "jsonl", "closed", &["--classification", "internal"]).ok();
    node.import(&bridge, "jsonl", "bridge", &["--classification", "public"]).ok();
    node
}

/// What a command tells but for the id that it was asked about.
fn told(ran: &Ran, id: &str) -> (i32, String, String) {
    (ran.exit, ran.json.to_string().replace(id, "ID"), ran.stderr.replace(id, "ID"))
}

#[test]
fn a_public_clearance_finds_nothing_that_is_internal() {
    let node = with_secrets();
    let reader = node.new_token(&["--role", "reader"]);
    let see = |args: &[&str]| node.cli_as(&reader, args);
    let found = see(&["search", "kestrel", "--facets"]).ok();
    assert_eq!(found["hits"].as_array().map(Vec::len), Some(2), "{found}");
    assert!(!found.to_string().contains("closed"), "{found}");
    assert!(see(&["search", "closed"]).ok()["hits"].as_array().is_some_and(Vec::is_empty));
    assert!(
        see(&["search", "kestrel", "--source", "closed"]).ok()["hits"].as_array().is_some_and(Vec::is_empty)
    );
    assert!(
        see(&["search", "kestrel", "--type", "closed-type"]).ok()["hits"]
            .as_array()
            .is_some_and(Vec::is_empty)
    );
    see(&["entity", "get", "open-a"]).ok();

    let http = node.http_as(&reader);
    for prefix in ["kestrel", "kestrel c", "clo", "closed-a"] {
        let suggested = http.graphql("suggest:v1", json!({"prefix": prefix}));
        assert!(!suggested.to_string().contains("closed"), "{suggested}");
    }
    let owner = node.http().graphql("suggest:v1", json!({"prefix": "kestrel c"}));
    assert!(owner.to_string().contains("closed-a"), "the guard is met: {owner}");
    let counts = http.graphql("node:v1", json!({}));
    assert_eq!(
        (&counts["node"]["entities"], &counts["node"]["relations"]),
        (&Value::Null, &Value::Null),
        "{counts}"
    );
    let sources = http.graphql("sources:v1", json!({}));
    assert!(!sources.to_string().contains("closed"), "{sources}");

    // A relation with a hidden end is hidden, and no path leads through what is hidden.
    let relations = see(&["relations", "open-a"]).ok();
    assert_eq!(relations["relations"].as_array().map(Vec::len), Some(1), "{relations}");
    assert!(!relations.to_string().contains("closed"), "{relations}");
    let owner = node.cli(&["relations", "open-a"]).ok();
    assert_eq!(owner["relations"].as_array().map(Vec::len), Some(2), "{owner}");
    let path = see(&["path", "open-a", "open-b", "--kind", "bridge"]);
    assert_eq!((path.exit, &path.json["paths"]), (1, &json!([])), "{path:?}");
    assert_eq!(
        node.cli(&["path", "open-a", "open-b", "--kind", "bridge"]).ok()["paths"],
        json!([["open-a", "closed-a", "open-b"]])
    );
    let metrics = node.http().get("/metrics");
    assert!(metrics.body.contains("denied_after_filter_total 0"), "{}", metrics.body);
}

#[test]
fn what_is_denied_looks_like_what_is_absent() {
    let node = with_secrets();
    let relation = node.cli(&["relations", "closed-a", "--kind", "closed-knows"]).ok()["relations"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let analyst = node.new_token(&["--role", "analyst"]);
    let reader = node.new_token(&["--role", "reader"]);
    for token in [&analyst, &reader] {
        for (hidden, absent) in
            [("closed-a", "absent-a"), (relation.as_str(), "relation--00000000000000000000000000000000")]
        {
            for before in [
                &["entity", "get"][..],
                &["entity", "history"],
                &["entity", "delete"],
                &["entity", "restore"],
                &["relations"],
                &["path", "open-a"],
            ] {
                let ask = |id: &str| told(&node.cli_as(token, &[before, &[id]].concat()), id);
                let (denied, missing) = (ask(hidden), ask(absent));
                assert_eq!(denied, missing, "{before:?}");
                assert_eq!(denied.0, 1, "{before:?}: {denied:?}");
            }
            let ask = |id: &str| told(&node.cli_as(token, &["path", id, "open-a"]), id);
            assert_eq!(ask(hidden), ask(absent), "path from");
            let ask = |id: &str| {
                told(&node.cli_as(token, &["entity", "get", id, "--as-of", "2999-01-01T00:00:00Z"]), id)
            };
            assert_eq!(ask(hidden), ask(absent), "as of");
        }
    }
    node.cli(&["entity", "get", "closed-a"]).ok();
}

#[test]
fn another_tenant_is_another_world() {
    let node = with_secrets();
    let other = node.new_token(&["--tenant", "other", "--role", "analyst", "--clearance", "secret"]);
    let see = |args: &[&str]| node.cli_as(&other, args);
    assert!(see(&["search", "kestrel"]).ok()["hits"].as_array().is_some_and(Vec::is_empty));
    for id in ["open-a", "closed-a"] {
        assert_eq!(
            told(&see(&["entity", "get", id]), id),
            told(&see(&["entity", "get", "absent"]), "absent")
        );
        assert_eq!(told(&see(&["relations", id]), id), told(&see(&["relations", "absent"]), "absent"));
    }
    let counts = node.http_as(&other).graphql("node:v1", json!({}));
    assert_eq!(
        (counts["node"]["tenant"].as_str(), counts["node"]["lsn"].as_u64()),
        (Some("other"), Some(2)),
        "{counts}"
    );
    // The same ids are other things here, and stay so.
    let file = node.write(
        "mine.jsonl",
        json!({"id": "open-a", "type": "mine", "texts": [{"text": "a kestrel of mine"}]}).to_string(),
    );
    see(&[
        "import",
        file.to_str().expect("UTF-8"),
        "--format",
        "jsonl",
        "--source",
        "mine",
        "--purpose",
        "threat-intel",
        "--licence",
        "Open-Data-OK",
    ])
    .ok();
    assert_eq!(see(&["entity", "get", "open-a"]).ok()["type"], "mine");
    assert_eq!(node.cli(&["entity", "get", "open-a"]).ok()["type"], "open-type");
    assert_eq!(see(&["search", "kestrel"]).ok()["hits"].as_array().map(Vec::len), Some(1));
    assert_eq!(node.cli(&["search", "kestrel"]).ok()["hits"].as_array().map(Vec::len), Some(4));
    // Naming the tenant helps nobody but an owner of the node.
    let refused = node.cli_as(&other, &["search", "kestrel", "--tenant", "default"]);
    assert_eq!(
        told(&refused, "default"),
        told(&node.cli_as(&other, &["search", "kestrel", "--tenant", "nowhere"]), "nowhere")
    );
    assert_eq!(refused.exit, 1, "{refused:?}");
    assert_eq!(
        node.cli(&["search", "kestrel", "--tenant", "other"]).ok()["hits"].as_array().map(Vec::len),
        Some(1)
    );
    // A run of one tenant is none of another's business.
    let rejects = node.write("bad.jsonl", "{}\n");
    let run = node.import(&rejects, "jsonl", "open", &["--classification", "public"]).json["run"]
        .as_str()
        .expect("a run")
        .to_owned();
    assert_eq!(node.http().get(&format!("/api/v1/imports/{run}/rejects")).status, 200);
    assert_eq!(node.http_as(&other).get(&format!("/api/v1/imports/{run}/rejects")).status, 404);
}

#[test]
fn a_token_lets_in_until_it_is_revoked_and_no_other_does() {
    let mut node = Node::start();
    let made = node.cli(&["token", "create", "--role", "reader"]).ok();
    let (id, token) =
        (made["id"].as_str().expect("an id").to_owned(), made["token"].as_str().expect("a token").to_owned());
    assert_eq!(
        (made["clearance"].as_str(), made["roles"].clone()),
        (Some("public"), json!(["reader"])),
        "{made}"
    );
    node.cli_as(&token, &["search", "x"]).ok();
    let listed = node.cli(&["token", "list"]).ok();
    assert!(
        listed.to_string().contains(&id) && !listed.to_string().contains(&token),
        "a secret is shown once: {listed}"
    );

    let mut mistyped = token.clone().into_bytes();
    let last = mistyped.last_mut().expect("not empty");
    *last = if *last == b'a' { b'b' } else { b'a' };
    let mistyped = String::from_utf8(mistyped).expect("UTF-8");
    for wrong in [mistyped.as_str(), "nonsense", "ig_0123456789abcdef_0123456789abcdef"] {
        node.cli_as(wrong, &["search", "x"]).failed(3, "unauthorized");
    }
    node.cli_as("", &["search", "x"]).failed(2, "bad_input");
    node.cli(&["token", "revoke", &id]).ok();
    let message = node.cli_as(&token, &["search", "x"]).failed(3, "unauthorized");
    assert!(message.contains("revoked"), "{message}");
    assert_eq!(node.cli(&["token", "revoke", &id]).ok()["changed"], false);
    assert_eq!(node.cli(&["token", "revoke", "nobody"]).exit, 1);
    node.kill();
    node.restart();
    node.cli_as(&token, &["search", "x"]).failed(3, "unauthorized");
    let log = node.log();
    assert!(!log.contains(&token) && !log.contains(&node.token), "no secret is logged");
}

#[test]
fn nobody_gives_more_than_he_has() {
    let node = Node::start();
    let admin = node.new_token(&["--role", "admin", "--clearance", "internal", "--purpose", "threat-intel"]);
    let analyst = node.new_token(&["--role", "analyst", "--clearance", "secret"]);
    let create = |token: &str, args: &[&str]| node.cli_as(token, &[&["token", "create"], args].concat());
    create(&admin, &["--role", "reader", "--clearance", "internal"]).ok();
    for args in [
        &["--role", "owner"][..],
        &["--role", "reader", "--clearance", "secret"],
        &["--role", "reader", "--purpose", "investigation"],
        &["--role", "reader", "--scope", "graphql.adhoc"],
        &["--role", "reader", "--expires", "400d"],
    ] {
        create(&admin, args).failed(1, "grant_refused");
    }
    // For who may not make tenants there is none but his own.
    let new = create(&admin, &["--role", "reader", "--tenant", "new"]);
    assert_eq!(new.exit, 1, "{new:?}");
    create(&node.token, &["--role", "reader", "--tenant", "there"]).ok();
    let there = create(&admin, &["--role", "reader", "--tenant", "there"]);
    assert_eq!(told(&there, "there"), told(&new, "new"));
    create(&analyst, &["--role", "reader"]).failed(1, "denied");
    create(&node.token, &["--role", "king"]).failed(2, "invalid");
    create(&node.token, &["--role", "reader", "--clearance", "cosmic"]).failed(2, "invalid");
    create(&node.token, &["--role", "reader", "--tenant", "Not A Name"]).failed(2, "invalid");
    create(&node.token, &["--role", "reader", "--expires", "soon"]).failed(2, "bad_input");
    // A token of another tenant cannot be revoked, and does not seem to exist.
    let other = node.cli(&["token", "create", "--role", "reader", "--tenant", "there"]).ok();
    let id = other["id"].as_str().expect("an id");
    let revoke = |id: &str| told(&node.cli_as(&admin, &["token", "revoke", id]), id);
    assert_eq!(revoke(id), revoke("nobody"));
    node.cli_as(other["token"].as_str().expect("a token"), &["search", "x"]).ok();
}

#[test]
fn who_may_not_import_is_told_so_whatever_he_sends() {
    let node = with_secrets();
    let reader = node.new_token(&["--role", "reader"]);
    let file = node.write("large.jsonl", data::jsonl("large", 60_000).text);
    let args = crate::node::import_args(&file, "jsonl", "open", &[]);
    node.cli_as(&reader, &args).failed(1, "denied");
    let wrong = node.import(&file, "jsonl", "fresh", &["--licence", "Anything"]);
    assert_eq!(wrong.exit, 2, "{wrong:?}");
    let same = node.cli(&["entity", "get", "large-1"]);
    same.failed(1, "not_found");
    // Nobody without the right gives a known source other terms.
    let writer = node.new_token(&["--role", "writer"]);
    let small = node.write("small.jsonl", json!({"id": "small", "type": "t"}).to_string());
    let args = crate::node::import_args(&small, "jsonl", "closed", &["--classification", "public"]);
    node.cli_as(&writer, &args).failed(1, "denied");
}

/// A source that turns out to be more secret than it was said to be.
#[test]
fn other_terms_for_a_source_count_for_what_it_said_before() {
    let mut node = with_secrets();
    let reader = node.new_token(&["--role", "reader"]);
    node.cli_as(&reader, &["entity", "get", "open-a"]).ok();
    let file = node.file("open.jsonl");
    let done = node.import(&file, "jsonl", "open", &["--classification", "internal"]).ok();
    assert_eq!((done["updated"].as_u64(), done["unchanged"].as_u64()), (Some(3), Some(0)), "{done}");
    node.cli_as(&reader, &["entity", "get", "open-a"]).failed(1, "not_found");
    let found = node.cli_as(&reader, &["search", "kestrel"]).ok();
    assert!(found["hits"].as_array().is_some_and(Vec::is_empty), "{found}");
    let suggested = node.http_as(&reader).graphql("suggest:v1", json!({"prefix": "kestrel"}));
    assert!(!suggested.to_string().contains("open"), "{suggested}");
    assert_eq!(node.cli(&["search", "kestrel"]).ok()["hits"].as_array().map(Vec::len), Some(4));
    node.stop_and_verify();
}
