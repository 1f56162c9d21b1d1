//! HTTP as programs of others speak it: persisted operations, refusals, health, metrics, and the schema's file.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Selection, SelectionSet, Type, TypeKind, TypeSystemDefinition,
};
use async_graphql::parser::{parse_query, parse_schema};
use intelgraph::gateway::operations::{ALL, Operation, manifest};
use reqwest::Method;
use serde_json::{Value, json};

use crate::http::Answer;
use crate::node::Node;

fn sdks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sdks")
}

/// An error of the gateway: its status, its code in the body, words, and the version of the API.
fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{answer:?}");
    assert!(
        [&answer.json()["error"]["message"], &answer.json()["errors"][0]["message"]]
            .into_iter()
            .any(|message| message.as_str().is_some_and(|message| !message.is_empty())),
        "{answer:?}"
    );
    assert_eq!(answer.header("x-ig-api-version"), Some("v1"), "{answer:?}");
}

#[test]
fn operations_are_run_by_id_and_by_digest_and_by_nothing_else() {
    let node = Node::start();
    let http = node.http();
    let digest = ALL.iter().find(|operation| operation.id == "node:v1").expect("an operation").digest();
    for body in [
        json!({"id": "node:v1"}),
        json!({"id": "node:v1", "variables": {}}),
        json!({"id": "node:v1", "vars": {}}),
        json!({"documentId": digest}),
    ] {
        let answer = http.post(&body);
        assert_eq!(
            (answer.status, answer.json()["data"]["node"]["tenant"].as_str()),
            (200, Some("default")),
            "{body}: {answer:?}"
        );
        assert_eq!(answer.header("x-ig-api-version"), Some("v1"), "{answer:?}");
    }
    let answer = http.post(&json!({"id": "search:v1", "vars": {"q": "x"}}));
    assert!(answer.json()["data"]["search"]["hits"].as_array().is_some_and(Vec::is_empty), "{answer:?}");
    for body in [json!({"id": "nothing:v1"}), json!({"id": "node:v2"}), json!({"documentId": "sha256:00"})] {
        refused(&http.post(&body), 404, "PERSISTED_OPERATION_NOT_FOUND");
    }
    refused(&http.post(&json!({"query": "{ node { tenant } }"})), 403, "PERSISTED_ONLY");
    refused(&http.post(&json!({})), 400, "bad_request");
    refused(&http.post(&json!([1])), 400, "bad_request");
    // A variable that is missing or of another type is the request's fault, and said so.
    for variables in
        [json!({}), json!({"q": 7}), json!({"q": "x", "limit": "many"}), json!({"q": "x", "limit": -1})]
    {
        let answer = http.post(&json!({"id": "search:v1", "variables": variables}));
        let document = answer.json();
        assert!(
            document["data"].is_null() && document["errors"][0]["extensions"]["code"].is_string(),
            "{variables}: {answer:?}"
        );
    }
    let ahead = http.post(&json!({"id": "search:v1", "variables": {"q": "x", "atLeast": 1_000_000}}));
    assert_eq!(ahead.json()["errors"][0]["extensions"]["code"], "LSN_AHEAD", "{ahead:?}");
}

#[test]
fn nobody_is_served_without_a_token() {
    let node = Node::start();
    let http = node.http();
    let body = json!({"id": "node:v1"}).to_string().into_bytes();
    let paths = [
        (Method::POST, "/graphql"),
        (Method::POST, "/api/v1/import?format=jsonl&source=s"),
        (Method::GET, "/api/v1/ledger/entries?size=1"),
        (Method::GET, "/api/v1/imports/1/rejects"),
    ];
    for (method, path) in paths {
        for headers in [
            &[][..],
            &[("authorization", "Bearer nonsense")],
            &[("authorization", "Basic eDp5")],
            &[("authorization", "Bearer ")],
        ] {
            let answer = http.send(method.clone(), path, headers, body.clone());
            refused(&answer, 401, "unauthorized");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{answer:?}");
        }
    }
    refused(&http.get("/nowhere"), 404, "not_found");
}

#[test]
fn a_body_has_a_limit_and_says_so() {
    let node = Node::start();
    let large = http_body("x".repeat(1 << 20));
    refused(&node.http().post(&large), 413, "body_too_large");
    let fits = http_body("x".repeat(1 << 19));
    assert_eq!(node.http().post(&fits).status, 200);
}

fn http_body(words: String) -> Value {
    json!({"id": "search:v1", "variables": {"q": words}})
}

#[test]
fn health_and_metrics_need_no_token_and_tell_nothing() {
    let node = Node::start();
    let file = node.write("a.jsonl", json!({"id": "secret-name", "type": "host"}).to_string());
    node.import(&file, "jsonl", "secret-source", &[]).ok();
    node.new_token(&["--tenant", "secret-tenant", "--role", "reader"]);
    let http = node.http();
    let ask = |path: &str| http.send(Method::GET, path, &[], Vec::new());
    assert_eq!((ask("/healthz").status, ask("/readyz").status), (200, 200));
    let classic = ask("/metrics");
    let media_type = |answer: &Answer| answer.header("content-type").unwrap_or_default().to_owned();
    assert!(media_type(&classic).starts_with("text/plain; version=0.0.4"), "{classic:?}");
    assert!(classic.body.contains("# TYPE intelgraph_searches_total counter\n"), "{}", classic.body);
    let open = [("accept", "application/openmetrics-text; version=1.0.0, text/plain;q=0.5")];
    let metrics = http.send(Method::GET, "/metrics", &open, Vec::new());
    assert!(media_type(&metrics).starts_with("application/openmetrics-text"), "{metrics:?}");
    assert!(!metrics.body.contains("secret"), "{}", metrics.body);
    check_open_metrics(&metrics.body);
    assert!(metrics.body.contains("intelgraph_import_objects_total 1"), "{}", metrics.body);
}

/// Every family has a TYPE and a HELP before its first sample, every sample a number, and the text its end.
fn check_open_metrics(text: &str) {
    assert!(text.ends_with("# EOF\n"), "{text}");
    let (mut typed, mut helped, mut samples) = (BTreeSet::new(), BTreeSet::new(), 0);
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let (keyword, family, value) =
                (words.next(), words.next().expect("a name"), words.next().unwrap_or_default());
            assert!(!value.is_empty(), "{line}");
            match keyword {
                Some("TYPE") => assert!(typed.insert(family.to_owned()), "twice: {line}"),
                Some("HELP") => assert!(helped.insert(family.to_owned()), "twice: {line}"),
                Some("UNIT") => assert!(family.ends_with(value), "{line}"),
                _ => panic!("{line}"),
            }
            continue;
        }
        let (name, value) = line.rsplit_once(' ').expect("a value");
        let name = name.split('{').next().unwrap_or_default();
        let suffixes = ["_total", "_info", "_bucket", "_sum", "_count"];
        let family = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
        assert!(name.starts_with("intelgraph_"), "{line}");
        assert!(typed.contains(family) && helped.contains(family), "no TYPE or no HELP: {line}");
        assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
        samples += 1;
    }
    assert!(samples >= 5, "{text}");
}

#[test]
fn a_slow_or_broken_request_harms_nobody() {
    use std::io::{Read as _, Write as _};
    let node = Node::start();
    let address = node.url.strip_prefix("http://").expect("an address").to_owned();
    let mut open = Vec::new();
    for text in
        ["", "GET", "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{", "\u{0}\u{1}\r\n\r\n"]
    {
        let mut stream = std::net::TcpStream::connect(&address).expect("the node listens");
        stream.write_all(text.as_bytes()).expect("sent");
        open.push(stream);
    }
    let mut long = std::net::TcpStream::connect(&address).expect("the node listens");
    let _ = long.write_all(
        format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "x".repeat(100_000)).as_bytes(),
    );
    let mut answer = String::new();
    let _ = long.read_to_string(&mut answer);
    assert!(!answer.contains("200 OK"), "{answer}");
    assert_eq!(node.http().get("/healthz").status, 200);
}

/// What clients in other languages are made from: the schema, and every operation.
#[test]
fn the_files_of_the_contract_are_fresh() {
    let manifest = serde_json::to_string_pretty(&manifest()).expect("JSON") + "\n";
    fresh("schema.graphql", &intelgraph::gateway::sdl());
    fresh("operations/manifest.json", &manifest);
}

fn fresh(name: &str, now: &str) {
    let file = sdks().join(name);
    if std::env::var("INTELGRAPH_TEST_WRITE").is_ok_and(|value| value == "1") {
        fs::write(&file, now).expect("a file of the contract");
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == now,
        "sdks/{name} is stale; run this test with INTELGRAPH_TEST_WRITE=1 and commit the file"
    );
}

/// Every path and method that `sdks/openapi.json` describes is there, and no other.
#[test]
fn the_description_names_every_route() {
    const METHODS: [Method; 7] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    let described: Value = serde_json::from_str(include_str!("../../sdks/openapi.json")).expect("JSON");
    let paths = described["paths"].as_object().expect("paths");
    let routes = include_str!("../../src/gateway/routes.rs").split("\"/").skip(1);
    let routes: BTreeSet<String> =
        routes.filter_map(|text| Some(format!("/{}", text.split_once('"')?.0).replace("{*", "{"))).collect();
    let named: BTreeSet<String> = paths.keys().cloned().chain(["/graphql".to_owned()]).collect();
    assert_eq!(routes, named, "routes and sdks/openapi.json");
    let node = Node::start();
    let http = node.http();
    for (path, item) in paths {
        for method in METHODS {
            let path = ["{run}", "{page}", "{file}", "{name}"]
                .iter()
                .fold(path.clone(), |path, at| path.replace(at, "1"));
            let answer = http.send(method.clone(), &path, &[], Vec::new());
            let get = method == Method::HEAD && item["get"].is_object();
            let known = item[method.as_str().to_ascii_lowercase()].is_object() || get;
            let wanted = if method == Method::OPTIONS { 204 } else { 405 };
            assert_eq!(answer.status != wanted, known, "{method} {path}: {answer:?}");
        }
    }
    let batch = &paths["/api/v1/events"]["post"]["requestBody"]["content"];
    let most = &batch["application/cloudevents-batch+json"]["schema"]["maxItems"];
    assert_eq!(most.as_u64(), Some(intelgraph::ingest::events::EVENTS_MAX as u64));
}

#[test]
fn every_operation_is_registered_and_fits_the_schema() {
    let files: BTreeSet<String> = fs::read_dir(sdks().join("operations"))
        .expect("operations")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .filter(|name| name != "manifest.json")
        .collect();
    let registered: BTreeSet<String> =
        ALL.iter().map(|operation| operation.id.replace(":v", ".v") + ".graphql").collect();
    assert_eq!(files, registered);
    let schema = parse_schema(intelgraph::gateway::sdl()).expect("the schema");
    for operation in ALL {
        let document =
            parse_query(operation.document).unwrap_or_else(|error| panic!("{}: {error}", operation.id));
        check_operation(operation, &document, &schema.definitions);
    }
}

/// Every field that the document selects is in the schema, and every argument is one of its field's.
fn check_operation(operation: &Operation, document: &ExecutableDocument, schema: &[TypeSystemDefinition]) {
    let name = operation.id.split(':').next();
    let DocumentOperations::Multiple(operations) = &document.operations else {
        panic!("{}: has no name", operation.id)
    };
    assert_eq!(
        operations.keys().map(|name| name.as_str()).collect::<Vec<_>>(),
        name.into_iter().collect::<Vec<_>>()
    );
    for root in operations.values() {
        let root_type = format!("{:?}", root.node.ty);
        check_selection(operation.id, &root.node.selection_set.node, &root_type, schema);
    }
}

fn check_selection(id: &str, selection: &SelectionSet, type_name: &str, schema: &[TypeSystemDefinition]) {
    let found = schema.iter().find_map(|definition| match definition {
        TypeSystemDefinition::Type(found) if found.node.name.node == type_name => Some(&found.node.kind),
        _ => None,
    });
    let Some(TypeKind::Object(object)) = found else { panic!("{id}: no object `{type_name}` in the schema") };
    for item in &selection.items {
        let Selection::Field(field) = &item.node else { panic!("{id}: fragments are not used") };
        let field = &field.node;
        let known = object.fields.iter().find(|known| known.node.name.node == field.name.node);
        let known = &known.unwrap_or_else(|| panic!("{id}: no `{}` in `{type_name}`", field.name.node)).node;
        for (argument, _) in &field.arguments {
            let fits = known.arguments.iter().any(|known| known.node.name.node == argument.node);
            assert!(fits, "{id}: `{}` takes no `{}`", field.name.node, argument.node);
        }
        if !field.selection_set.node.items.is_empty() {
            check_selection(id, &field.selection_set.node, innermost(&known.ty.node), schema);
        }
    }
}

/// The name in a type such as `[Name!]!`.
fn innermost(whole: &Type) -> &str {
    match &whole.base {
        async_graphql::parser::types::BaseType::Named(name) => name,
        async_graphql::parser::types::BaseType::List(inner) => innermost(inner),
    }
}

/// The schema judges each operation itself: with no data behind it a document that fits fails for that reason alone.
#[test]
fn every_operation_passes_the_schemas_own_judgement() {
    let node = Node::start();
    let http = node.http();
    let variables = json!({
        "id": "x", "from": "x", "to": "x", "q": "x", "prefix": "x", "lsn": 1, "role": "reader", "text": "",
        "replaces": 0, "subject": "x", "ids": ["x"], "nodes": "", "name": "x",
    });
    for operation in ALL {
        let document = http.post(&json!({"id": operation.id, "variables": variables})).json();
        for error in document["errors"].as_array().into_iter().flatten() {
            assert!(
                error["extensions"]["code"].is_string(),
                "{}: the document itself is refused: {error}",
                operation.id
            );
        }
    }
}
