//! What every request and every answer has in common: ids, headers, framing, and a log that tells no secret.

use reqwest::Method;
use serde_json::{Value, json};

use crate::http::Line;
use crate::node::Node;

#[test]
fn a_request_has_one_id_in_answer_error_and_log() {
    let mut node = Node::start();
    let http = node.http();
    let ask = |id: &str| http.send(Method::GET, "/nowhere", &[("x-request-id", id)], Vec::new());
    let given = ask("0af7651916cd43dd-8448eb211c80319c");
    assert_eq!(given.header("x-request-id"), Some("0af7651916cd43dd-8448eb211c80319c"));
    assert_eq!(given.json()["error"]["request_id"], "0af7651916cd43dd-8448eb211c80319c");
    for id in ["short", "with space", "x_y_z_x_y_z", node.token.as_str(), &"a".repeat(65)] {
        let made = ask(id);
        let answered = made.header("x-request-id").expect("an id");
        assert!(answered != id && answered.len() == 24, "{id}: {answered}");
    }
    let read = http.post(&json!({"id": "node:v1"}));
    let id = read.header("x-request-id").expect("an id").to_owned();
    node.stop();
    let log = node.log();
    let line: Value = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .find(|line| line["span"]["id"] == id.as_str())
        .expect("a line of the request");
    assert_eq!(
        [&line["level"], &line["target"], &line["method"], &line["route"]],
        ["INFO", "intelgraph::access", "POST", "/graphql"]
    );
    assert!(line["status"] == 200 && line["duration_ms"].is_f64() && line["bytes"].is_u64(), "{line}");
    assert!(line["actor"].is_u64() && line["operation"] == "node:v1", "{line}");
}

#[test]
fn every_answer_has_the_headers_that_guard_it() {
    let node = Node::start();
    let http = node.http();
    let token = format!("Bearer {}", node.token);
    for (method, path) in [
        (Method::GET, "/healthz"),
        (Method::GET, "/nowhere"),
        (Method::POST, "/graphql"),
        (Method::DELETE, "/graphql"),
        (Method::HEAD, "/metrics"),
        (Method::OPTIONS, "/api/v1/import"),
    ] {
        let answer = http.send(method.clone(), path, &[("authorization", &token)], Vec::new());
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-ig-api-version", "v1"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{method} {path}: {answer:?}");
        }
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert_eq!(answer.header("strict-transport-security"), None, "only TLS may promise TLS");
    }
    let answer = http.send(Method::DELETE, "/graphql", &[], Vec::new());
    assert_eq!((answer.status, answer.code().as_str()), (405, "method_not_allowed"));
    assert_eq!(answer.header("allow"), Some("GET,HEAD,POST"));
    let answer = http.send(Method::OPTIONS, "/healthz", &[], Vec::new());
    assert_eq!((answer.status, answer.header("allow")), (204, Some("GET,HEAD")));
    let answer = http.send(Method::HEAD, "/healthz", &[], Vec::new());
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
}

#[test]
fn a_request_that_may_be_read_in_two_ways_is_refused() {
    let node = Node::start();
    let token = format!("Authorization: Bearer {}\r\n", node.token);
    let body = json!({"id": "node:v1"}).to_string();
    let length = format!("Content-Length: {}\r\n", body.len());
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let post = |headers: &str, body: &str| {
        let mut line = Line::to(&node.url);
        line.say(&format!("POST /graphql HTTP/1.1\r\n{headers}\r\n{body}"));
        line.answer()
    };
    let host = "Host: x\r\nContent-Type: application/json\r\n";
    assert!(post(&[host, &token, &length].concat(), &body).starts_with("HTTP/1.1 200"));
    for (what, headers, body) in [
        ("no host", [&token, length.as_str()].concat(), &body),
        ("two hosts", [host, "Host: y\r\n", &token, &length].concat(), &body),
        ("two tokens", [host, &token, &token, &length].concat(), &body),
        ("two lengths", [host, &token, &length, "Content-Length: 5\r\n"].concat(), &body),
        ("a length of nothing", [host, &token, "Content-Length: \r\n"].concat(), &body),
        ("a signed length", [host, &token, "Content-Length: +5\r\n"].concat(), &body),
        ("chunks and a length", [host, &token, "Transfer-Encoding: chunked\r\n", &length].concat(), &chunked),
        ("a length and chunks", [host, &token, &length, "Transfer-Encoding: chunked\r\n"].concat(), &chunked),
        (
            "chunked twice",
            [host, &token, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"].concat(),
            &chunked,
        ),
        ("chunked and more", [host, &token, "Transfer-Encoding: chunked, identity\r\n"].concat(), &chunked),
        ("a space before the colon", [host, &token, "Content-Length : 5\r\n"].concat(), &body),
        ("a folded header", [host, &token, "X-A: b\r\n c\r\n", &length].concat(), &body),
        (
            "two tenants",
            [host, &token, &length, "x-ig-tenant: default\r\nx-ig-tenant: other\r\n"].concat(),
            &body,
        ),
    ] {
        let answer = post(&headers, body);
        assert!(answer.starts_with("HTTP/1.1 400"), "{what}: {answer}");
        assert!(answer.to_ascii_lowercase().contains("connection: close"), "{what}: {answer}");
    }
    assert!(Line::to(&node.url).say("GET http://evil/healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_eq!(node.http().get("/healthz").status, 200);
}

/// Words and tokens are sent to every place that takes some; no line of the log holds any of them.
#[test]
fn the_log_holds_no_word_no_id_and_no_token() {
    let mut node = Node::start_with(&[("log", "debug"), ("slow_operation_ms", "0")]);
    let word = "canarywordxyzzy";
    let file = node.write(
        "c.jsonl",
        json!({"id": word, "type": word, "attributes": {"name": word}, "texts": [{"text": word}]})
            .to_string(),
    );
    node.import(&file, "jsonl", word, &[]).ok();
    let other = node.new_token(&["--role", "reader"]);
    let owner = format!("Bearer {}", node.token);
    let http = node.http();
    for (id, variables) in [
        ("search:v1", json!({"q": word, "after": word, "types": [word]})),
        ("search:v1", json!({"q": word})),
        ("suggest:v1", json!({"prefix": word})),
        ("entity:v1", json!({"id": word})),
        ("relations:v1", json!({"id": word, "kind": word})),
        ("paths:v1", json!({"from": word, "to": word})),
        ("tokenRevoke:v1", json!({"id": word})),
        (word, json!({word: word})),
    ] {
        http.post(&json!({"id": id, "variables": variables}));
        node.http_as(&other).post(&json!({"id": id, "variables": variables}));
    }
    let path = format!("/{word}?{word}={}", node.token);
    for headers in [
        &[("authorization", owner.as_str()), ("x-ig-tenant", word), ("x-request-id", node.token.as_str())][..],
        &[("authorization", &format!("Bearer {word}")), ("cookie", node.token.as_str())],
        &[("authorization", &format!("Bearer {}x", node.token)), (word, word)],
        &[("x-ig-purpose", word), ("user-agent", node.token.as_str()), ("authorization", &owner)],
    ] {
        for (method, path) in [
            (Method::GET, path.as_str()),
            (Method::POST, "/graphql"),
            (Method::GET, "/api/v1/ledger/entries?size=canarywordxyzzy"),
            (Method::GET, "/api/v1/imports/canarywordxyzzy/rejects"),
            (Method::POST, "/api/v1/import?format=canarywordxyzzy&source=canarywordxyzzy"),
        ] {
            http.send(method, path, headers, word.as_bytes().to_vec());
        }
    }
    let mut line = Line::to(&node.url);
    line.say(&format!("{word} {} {word}\r\n\r\n", node.token));
    node.stop();
    let log = node.log();
    assert!(log.contains("intelgraph::slow") && log.contains("\"operation\":\"search:v1\""), "{log}");
    for secret in [word, node.token.as_str(), other.as_str()] {
        let told: Vec<_> = log.lines().filter(|line| line.contains(secret)).collect();
        assert!(told.is_empty(), "{secret}: {told:#?}");
    }
    // Not even a part of a token that would do.
    let part = node.token.split('_').nth(3).expect("a secret");
    assert!(!log.contains(part), "the secret of a token is in the log");
}
