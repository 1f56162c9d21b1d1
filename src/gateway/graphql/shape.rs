//! The data of an answer as the specification wants them: fields in the order in which they were asked for, and null where
//! one failed. The engine gives fields as they get ready, and leaves out those that failed.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Name, PathSegment, ServerError, Value};

use super::declared::Declared;

/// Puts the data of an operation in order. They are null as a whole if a field failed that cannot be.
pub(super) fn shaped(
    declared: &Declared,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    data: Value,
    errors: &[ServerError],
) -> Value {
    let root = super::walk::root(operation);
    let fields = fields(document, &[&operation.selection_set.node]);
    let mut found = match data {
        Value::Object(found) => found,
        _ => IndexMap::new(),
    };
    let mut ordered = IndexMap::new();
    for (key, field) in fields {
        let value = match found.swap_remove(key) {
            Some(value) => in_order(document, &field.selections, value),
            None if !failed(errors, key) => continue,
            None if declared.field(root, field.name).is_some_and(|field| field.nullable) => Value::Null,
            None => return Value::Null,
        };
        ordered.insert(key.clone(), value);
    }
    if ordered.is_empty() { Value::Null } else { Value::Object(ordered) }
}

/// A field of an answer: its name, and what is asked of it wherever it stands.
struct Field<'d> {
    name: &'d str,
    selections: Vec<&'d SelectionSet>,
}

/// The fields of an object, in order, by their names in the answer.
fn fields<'d>(
    document: &'d ExecutableDocument,
    selections: &[&'d SelectionSet],
) -> IndexMap<&'d Name, Field<'d>> {
    let mut fields = IndexMap::new();
    for selection in selections {
        collect(document, selection, &mut fields);
    }
    fields
}

fn collect<'d>(
    document: &'d ExecutableDocument,
    selection: &'d SelectionSet,
    fields: &mut IndexMap<&'d Name, Field<'d>>,
) {
    for item in &selection.items {
        match &item.node {
            Selection::Field(field) => {
                let field = &field.node;
                let known = fields
                    .entry(&field.response_key().node)
                    .or_insert_with(|| Field { name: &field.name.node, selections: Vec::new() });
                known.selections.push(&field.selection_set.node);
            }
            Selection::InlineFragment(fragment) => {
                collect(document, &fragment.node.selection_set.node, fields)
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    collect(document, &fragment.node.selection_set.node, fields);
                }
            }
        }
    }
}

/// Objects in objects; what is in a list waits for nothing, and is in order.
fn in_order(document: &ExecutableDocument, selections: &[&SelectionSet], value: Value) -> Value {
    let Value::Object(mut found) = value else { return value };
    if selections.iter().all(|selection| selection.items.is_empty()) {
        return Value::Object(found);
    }
    let mut ordered = IndexMap::with_capacity(found.len());
    for (key, field) in fields(document, selections) {
        if let Some(value) = found.swap_remove(key) {
            ordered.insert(key.clone(), in_order(document, &field.selections, value));
        }
    }
    Value::Object(ordered)
}

fn failed(errors: &[ServerError], key: &Name) -> bool {
    let first = |error: &ServerError| match error.path.first() {
        Some(PathSegment::Field(name)) => name == key.as_str(),
        _ => false,
    };
    errors.iter().any(first)
}

#[cfg(test)]
mod tests;
