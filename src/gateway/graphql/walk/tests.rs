use async_graphql::parser::parse_query;
use serde_json::{Value as Json, json};

use super::super::declared::DECLARED;
use super::*;

fn asks(text: &str, variables: Json) -> Asks {
    let document = parse_query(text).expect("a document");
    let (_, operation) = document.operations.iter().next().expect("an operation");
    Asks::of(&DECLARED, &document, &operation.node, &Variables::from_json(variables))
}

#[test]
fn an_answer_is_estimated_by_its_pages() {
    let text =
        "query q($first: Int = 50) { relations(id: \"x\", first: $first) { edges { node { id kind } } } }";
    let of = |variables| asks(text, variables).values;
    // relations, edges, and for each edge a node with two fields
    assert_eq!(of(json!({})), 2 + 50 * 3);
    assert_eq!(of(json!({"first": 1000})), 2 + 1000 * 3);
    assert!(asks(text, json!({"first": 1000})).within_limits().is_ok());
    let many = format!(
        "{{ {} }}",
        (0..40)
            .map(|n| format!(
                "a{n}: relations(id: \"x\", first: 1000) \
        {{ edges {{ node {{ id kind }} }} }} "
            ))
            .collect::<String>()
    );
    assert!(asks(&many, json!({})).within_limits().is_err());
}

#[test]
fn a_document_begins_with_few_fields_whatever_their_names() {
    let of =
        |fields: String| asks(&format!("{{ {fields} }} fragment f on Query {{ node {{ lsn }} }}"), json!({}));
    assert!(of("node { lsn } ".repeat(20)).within_limits().is_ok());
    assert!(of("node { lsn } ".repeat(21)).within_limits().is_err());
    assert!(of("...f ".repeat(21)).within_limits().is_err());
}

#[test]
fn the_schema_can_be_asked_for_once_and_not_in_circles() {
    let whole = include_str!("../scan/introspection.graphql");
    let found = asks(whole, json!({}));
    assert!(found.within_limits().is_ok(), "{found:?}");
    let circle =
        format!("{{ __schema {{ types {{ {} name {} }} }} }}", "fields { type { ".repeat(5), "} }".repeat(5));
    assert!(asks(&circle, json!({})).within_limits().is_err());
}

#[test]
fn actions_and_what_is_on_its_way_out_are_named() {
    let found = asks(
        "{ node { entities } s: search(q: \"x\") { ...f } } fragment f on SearchConnection { hits { id } }",
        json!({}),
    );
    assert_eq!(found.actions.into_iter().collect::<Vec<_>>(), ["entity.read", "entity.search"]);
    let deprecated: Vec<_> = found.deprecated.into_iter().collect();
    assert!(deprecated.len() == 1 && deprecated[0].starts_with("SearchConnection.hits: "), "{deprecated:?}");
}
