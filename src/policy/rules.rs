//! The single policies of a set: where they stand in the text, what they do, and what they ask for.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{ActionConstraint, Effect, Entities, EntityUid, Policy, PolicySet};
use serde_json::Value;

use super::check::line_of_source;

/// Operators that compare strings, or sets of them.
const COMPARING: [&str; 6] = ["==", "!=", "contains", "containsAll", "containsAny", "like"];

/// A word that stands for what another attribute may hold, and nobody's name for anything.
pub(super) const OTHER: &str = "\u{2}";

/// What has attributes in a request.
const VARIABLES: [&str; 3] = ["principal", "resource", "context"];

/// One policy of a set, as its author wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its id.
    pub id: String,
    /// Whether it forbids; otherwise it permits.
    pub forbids: bool,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// Its text.
    pub text: String,
    /// The attributes that it asks for, such as `principal.clearance`; sorted.
    pub asks: Vec<String>,
    /// The words that it compares each attribute with. One that is compared with another attribute has a word that nobody uses, too.
    pub words: BTreeMap<String, BTreeSet<String>>,
}

/// Every policy of a set, in the order of the text.
pub(super) fn rules(set: &PolicySet, text: &str) -> Vec<Rule> {
    let mut rules: Vec<_> = set.policies().map(|policy| rule(policy, text)).collect();
    rules.sort_by(|a, b| (a.line, &a.id).cmp(&(b.line, &b.id)));
    rules
}

fn rule(policy: &Policy, text: &str) -> Rule {
    let source = policy.to_cedar().unwrap_or_default();
    let (mut asks, mut words) = (BTreeSet::new(), BTreeMap::new());
    let conditions = conditions(policy);
    collect(&conditions, &mut asks);
    compare(&conditions, &mut words);
    Rule {
        id: policy.id().to_string(),
        forbids: policy.effect() == Effect::Forbid,
        line: line_of_source(&source, text),
        text: source,
        asks: asks.into_iter().collect(),
        words,
    }
}

/// The `when` and `unless` of a policy, in Cedar's JSON format.
pub(super) fn conditions(policy: &Policy) -> Value {
    let mut json = policy.to_json().expect("a policy that was parsed can be written");
    json["conditions"].take()
}

/// Attributes of the request's own variables: `{".": {"left": {"Var": "principal"}, "attr": "role"}}`.
fn collect(expression: &Value, asks: &mut BTreeSet<String>) {
    match expression {
        Value::Object(fields) => {
            if let Some(access) = fields.get(".") {
                asks.extend(accessed(access));
            }
            fields.values().for_each(|field| collect(field, asks));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, asks)),
        _ => {}
    }
}

/// Finds what compares attributes with words, below what joins conditions.
fn compare(expression: &Value, words: &mut BTreeMap<String, BTreeSet<String>>) {
    match expression {
        Value::Object(fields) if fields.keys().any(|operator| COMPARING.contains(&operator.as_str())) => {
            let (mut asks, mut with) = (BTreeSet::new(), BTreeSet::new());
            collect(expression, &mut asks);
            collect_words(expression, &mut with);
            if asks.len() > 1 {
                with.insert(OTHER.to_owned());
            }
            for attribute in asks {
                words.entry(attribute).or_default().extend(with.iter().cloned());
            }
        }
        Value::Object(fields) => fields.values().for_each(|field| compare(field, words)),
        Value::Array(items) => items.iter().for_each(|item| compare(item, words)),
        _ => {}
    }
}

/// The strings in values and patterns: `{"Value": "feed"}`, `{"like": {"pattern": [{"Literal": "f"}, "Wildcard"]}}`. Of
/// a pattern one word that it fits, its wildcards being empty.
fn collect_words(expression: &Value, words: &mut BTreeSet<String>) {
    match expression {
        Value::Object(fields) => {
            if let Some(word) = fields.get("Value").and_then(Value::as_str) {
                words.insert(word.to_owned());
            }
            if let Some(pattern) = fields.get("pattern").and_then(Value::as_array) {
                words.insert(pattern.iter().filter_map(|part| part["Literal"].as_str()).collect());
            }
            fields.values().for_each(|field| collect_words(field, words));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_words(item, words)),
        _ => {}
    }
}

/// What an access may be of; of what is no plain variable, any of them.
fn accessed(access: &Value) -> Vec<String> {
    let name = access["attr"].as_str().unwrap_or_default();
    let of_any = || VARIABLES.iter().map(|variable| format!("{variable}.{name}")).collect();
    attribute(access).map_or_else(of_any, |one| vec![one])
}

/// The name of an attribute of one of the request's variables.
pub(super) fn attribute(access: &Value) -> Option<String> {
    let (variable, name) = (access["left"]["Var"].as_str()?, access["attr"].as_str()?);
    Some(format!("{variable}.{name}"))
}

/// Whether a policy can apply to an action at all, as far as its scope says.
pub(super) fn is_about(policy: &Policy, action: &EntityUid, actions: &Entities) -> bool {
    let covers = |named: &EntityUid| named == action || actions.is_ancestor_of(named, action);
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(named) => covers(&named),
        ActionConstraint::In(named) => named.iter().any(covers),
    }
}
