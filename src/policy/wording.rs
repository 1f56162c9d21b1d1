//! Principals and labels in words, for those who read what a policy does.

use storage::model::{Label, Purposes};

use super::Attributes;
use super::principal::names;

/// A label on one line: `malware entity of feed: internal, Open-Data-OK, for threat-intel, standard-365d`.
#[must_use]
pub fn label(label: &Label) -> String {
    let mut words = format!(
        "{} {} of {}: {}, {}, for {}, {}",
        label.thing_type,
        label.kind,
        label.source,
        label.classification,
        label.licence,
        purposes(label.purposes),
        label.retention
    );
    if label.personal {
        words.push_str(", personal");
    }
    push_list(&mut words, "in", &label.compartments);
    words
}

/// What a policy knows of somebody, on one line: `reader, clearance internal, for demo`.
#[must_use]
pub fn attributes(attributes: &Attributes) -> String {
    let mut words = standing(attributes);
    words.push_str(&format!(", for {}", purposes(attributes.purposes_in_use)));
    words
}

/// The same without the purposes.
pub(super) fn standing(attributes: &Attributes) -> String {
    let mut words = format!("{}, clearance {}", attributes.role, attributes.clearance);
    push_list(&mut words, "scopes", &attributes.scopes);
    push_list(&mut words, "in", &attributes.compartments);
    words
}

/// Purposes separated by commas.
#[must_use]
pub fn purposes(purposes: Purposes) -> String {
    if purposes.is_empty() { "nothing".to_owned() } else { names(purposes) }
}

fn push_list<'a>(words: &mut String, name: &str, list: impl IntoIterator<Item = &'a String>) {
    let list: Vec<_> = list.into_iter().map(String::as_str).collect();
    if !list.is_empty() {
        words.push_str(&format!(", {name} {}", list.join("+")));
    }
}
