use async_graphql::parser::parse_query;
use serde_json::{Value as Json, json};

use super::super::declared::DECLARED;
use super::*;

/// The data as text, since order is what is looked at.
fn text(query: &str, data: Json, failed: &[&str]) -> String {
    let document = parse_query(query).expect("a document");
    let (_, operation) = document.operations.iter().next().expect("an operation");
    let data = Value::from_json(data).expect("data");
    let error = |key: &&str| {
        let mut error = ServerError::new("failed", None);
        error.path = vec![PathSegment::Field((*key).to_owned())];
        error
    };
    let errors: Vec<_> = failed.iter().map(error).collect();
    let shaped = shaped(&DECLARED, &document, &operation.node, data, &errors);
    serde_json::to_string(&shaped).expect("JSON")
}

#[test]
fn fields_come_in_the_order_in_which_they_were_asked_for() {
    let query = "{ b: node { role ...f tenant } a: node { lsn } } fragment f on Node { lsn role }";
    let data = json!({"a": {"lsn": 1}, "b": {"tenant": "t", "lsn": 1, "role": "r"}});
    assert_eq!(text(query, data, &[]), r#"{"b":{"role":"r","lsn":1,"tenant":"t"},"a":{"lsn":1}}"#);
    let values = json!({"node": {"lsn": {"z": 1, "a": 2}}});
    assert_eq!(
        text("{ node { lsn } }", values, &[]),
        r#"{"node":{"lsn":{"z":1,"a":2}}}"#,
        "a value is left alone"
    );
}

#[test]
fn a_field_that_failed_is_null_or_everything_is() {
    let query = "{ node { lsn } relations(id: \"x\") { edges { cursor } } }";
    let data = || json!({"node": {"lsn": 1}});
    assert_eq!(text(query, data(), &["relations"]), r#"{"node":{"lsn":1},"relations":null}"#);
    assert_eq!(text(query, data(), &[]), r#"{"node":{"lsn":1}}"#, "what was skipped is not there");
    assert_eq!(text("{ node { lsn } search(q: \"x\") { lsn } }", data(), &["search"]), "null");
    assert_eq!(
        text("{ relations(id: \"x\") { edges { cursor } } }", json!(null), &["relations"]),
        r#"{"relations":null}"#
    );
}
