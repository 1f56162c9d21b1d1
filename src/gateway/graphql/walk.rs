//! What an operation asks for, field by field: how much, how deep, for which actions, and whether anything of it is on
//! its way out. Walks documents that [`super::scan`] let through, or our own.

use std::collections::BTreeSet;

use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Value, Variables};

use super::declared::{Declared, Rule};

/// Fields in each other. The deepest that tools send, asking for the schema, is 15.
pub(in crate::gateway) const DEPTH_MAX: usize = 20;
/// Fields that a document begins with, of one name or of several: each is a reading of its own.
const ROOTS_MAX: usize = 20;
/// Values in an answer, estimated: a page of 1,000 relations with all their fields is about 10,000.
const VALUES_MAX: usize = 100_000;
/// What a list is taken to hold when nobody says how much of it is wanted.
const LIST_GUESS: usize = 10;
/// The lists in what tools ask about the schema, which is not declared in it.
const LISTS_OF_THE_SCHEMA: [&str; 8] =
    ["types", "directives", "fields", "args", "inputFields", "enumValues", "interfaces", "possibleTypes"];

/// What an operation asks for.
#[derive(Debug, Default)]
pub(in crate::gateway) struct Asks {
    /// Values in the answer, estimated.
    pub(in crate::gateway) values: usize,
    /// Fields in each other.
    pub(in crate::gateway) depth: usize,
    /// Fields of the root.
    roots: usize,
    /// The actions that policy is asked for, by name.
    pub(in crate::gateway) actions: BTreeSet<&'static str>,
    /// Flags of the tenant that turn on part of it.
    pub(in crate::gateway) flags: BTreeSet<String>,
    /// Fields on their way out, with what is to be used instead.
    pub(in crate::gateway) deprecated: BTreeSet<String>,
}

impl Asks {
    /// What `operation` asks for with these variables.
    pub(in crate::gateway) fn of(
        declared: &Declared,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        variables: &Variables,
    ) -> Asks {
        let mut walk = Walk { declared, document, operation, variables, asks: Asks::default() };
        walk.selection(
            &operation.selection_set.node,
            root(operation),
            Place { depth: 1, times: 1, page: None },
        );
        walk.asks
    }

    /// Refuses what is too deep or too much.
    pub(in crate::gateway) fn within_limits(&self) -> Result<(), String> {
        if self.depth > DEPTH_MAX {
            return Err(format!("more than {DEPTH_MAX} fields in each other; ask for less at a time"));
        }
        if self.roots > ROOTS_MAX {
            return Err(format!("more than {ROOTS_MAX} fields of the root; ask for less at a time"));
        }
        if self.values > VALUES_MAX {
            return Err(format!(
                "an answer of about {} values; at most {VALUES_MAX}, ask for smaller pages",
                self.values
            ));
        }
        Ok(())
    }
}

/// The type that an operation begins at.
pub(super) fn root(operation: &OperationDefinition) -> &'static str {
    match operation.ty {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    }
}

struct Walk<'a> {
    declared: &'a Declared,
    document: &'a ExecutableDocument,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
    asks: Asks,
}

/// Where in the answer a selection is.
#[derive(Clone, Copy)]
struct Place {
    depth: usize,
    /// How often it is there, estimated.
    times: usize,
    /// How much of the next list is wanted.
    page: Option<usize>,
}

impl Walk<'_> {
    fn selection(&mut self, selection: &SelectionSet, type_name: &str, place: Place) {
        for item in &selection.items {
            match &item.node {
                Selection::Field(field) => self.field(&field.node, type_name, place),
                Selection::InlineFragment(fragment) => {
                    self.selection(&fragment.node.selection_set.node, type_name, place);
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.fragments.get(&spread.node.fragment_name.node);
                    if let Some(fragment) = fragment {
                        self.selection(&fragment.node.selection_set.node, type_name, place);
                    }
                }
            }
        }
    }

    fn field(&mut self, field: &Field, type_name: &str, place: Place) {
        let name = field.name.node.as_str();
        self.asks.values = self.asks.values.saturating_add(place.times);
        self.asks.depth = self.asks.depth.max(place.depth);
        self.asks.roots += usize::from(place.depth == 1);
        let declared = self.declared.field(type_name, name);
        if let Some(Rule::Auth(action) | Rule::Every(action)) = declared.and_then(|declared| declared.rule) {
            self.asks.actions.insert(action.as_str());
        }
        self.asks.flags.extend(declared.and_then(|declared| declared.flag.clone()));
        if let Some(instead) = declared.and_then(|declared| declared.deprecated.as_ref()) {
            self.asks.deprecated.insert(format!("{type_name}.{name}: {instead}"));
        }
        if field.selection_set.node.items.is_empty() {
            return;
        }
        let list = declared.map_or_else(|| LISTS_OF_THE_SCHEMA.contains(&name), |declared| declared.list);
        let page = self.page(field).or(place.page);
        let times = if list { place.times.saturating_mul(page.unwrap_or(LIST_GUESS)) } else { place.times };
        let within = Place { depth: place.depth + 1, times, page: if list { None } else { page } };
        let returns = declared.map_or("", |declared| declared.returns.as_str());
        self.selection(&field.selection_set.node, returns, within);
    }

    /// How many of a list a field is asked for.
    fn page(&self, field: &Field) -> Option<usize> {
        let first = field.get_argument("first")?.node.clone();
        let value = first.into_const_with(|name| self.variable(&name).ok_or(())).ok()?;
        match value {
            Value::Number(number) => usize::try_from(number.as_u64()?).ok(),
            _ => None,
        }
    }

    fn variable(&self, name: &str) -> Option<Value> {
        let definitions = &self.operation.variable_definitions;
        let given = self.variables.get(&async_graphql::Name::new(name)).cloned();
        given.or_else(|| {
            let definition = definitions.iter().find(|definition| definition.node.name.node == name)?;
            definition.node.default_value().cloned()
        })
    }
}

#[cfg(test)]
mod tests;
