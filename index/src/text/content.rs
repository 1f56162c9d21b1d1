//! What of an assertion is searched: its names, its texts, its ids.

use serde_json::Value;
use storage::ids::{LabelId, ThingId};
use storage::model::{Assertion, Claim, Form, Status};
use tantivy::TantivyDocument;

use super::schema::{Fields, ID_BYTES_MAX, RELATION, REVOKED};

/// Claims whose JSON is longer than this, in bytes, are kept out of search unless they are texts: blobs, not words.
pub const CLAIM_BYTES_MAX: usize = 16 * 1024;
/// How much of a title is kept for suggestions, in bytes.
const HEAD_BYTES_MAX: usize = 128;

/// The searchable part of an assertion.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// The name, then other names.
    pub(super) titles: Vec<String>,
    /// Texts, then claims and tags.
    pub(super) bodies: Vec<String>,
    /// Ids by which the thing is known.
    pub(super) ids: Vec<String>,
}

/// Where and when an assertion stands.
pub(super) struct Place<'a> {
    pub(super) thing: ThingId,
    pub(super) label: LabelId,
    pub(super) source: &'a str,
    pub(super) recorded_us: i64,
}

/// Every passage of an assertion in which a search may find something, most telling first: what a
/// snippet is cut from.
#[must_use]
pub fn passages(assertion: &Assertion) -> Vec<String> {
    let mut content = Content::of(assertion);
    content.bodies.append(&mut content.titles);
    content.bodies
}

/// The names of an assertion, most telling first; none if it has only its id.
pub(crate) fn titles(assertion: &Assertion) -> Vec<String> {
    let mut titles = Content::of(assertion).titles;
    titles.retain(|title| *title != assertion.id);
    titles
}

impl Content {
    pub(super) fn of(assertion: &Assertion) -> Content {
        let mut content = Content { ids: vec![assertion.id.clone()], ..Content::default() };
        content.bodies.extend(assertion.texts.iter().map(|text| text.text.clone()));
        let is_text = |claim: &Claim| assertion.texts.iter().any(|text| text.of_claim == claim.name);
        for claim in &assertion.claims {
            if claim.json.len() <= CLAIM_BYTES_MAX && !is_text(claim) {
                content.add_claim(claim);
            }
        }
        content.bodies.extend(assertion.tags.iter().cloned());
        let is_entity = assertion.form == u32::from(Form::Entity.code());
        if content.titles.is_empty() && is_entity {
            content.titles.push(assertion.id.clone());
        }
        content
    }

    fn add_claim(&mut self, claim: &Claim) {
        // A claim is JSON by the model's rules; one that is not has no words to offer.
        let Ok(value) = serde_json::from_str::<Value>(&claim.json) else {
            return;
        };
        collect_external_ids(&value, &mut self.ids);
        match claim.name.as_str() {
            "name" => prepend(&mut self.titles, strings(&value)),
            "title" | "alias" => self.titles.extend(strings(&value)),
            name if name.ends_with("aliases") => self.titles.extend(strings(&value)),
            name if is_id(name) => self.ids.extend(strings(&value)),
            name if is_reference(name) => {}
            _ => self.bodies.extend(strings(&value).into_iter().filter(|text| !is_time(text))),
        }
    }

    pub(super) fn document(
        &self,
        fields: &Fields,
        assertion: &Assertion,
        place: &Place<'_>,
    ) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        document.add_bytes(fields.key, &key(place.thing, place.label));
        document.add_u64(fields.thing, place.thing.0);
        document.add_u64(fields.label, place.label.0.into());
        document.add_text(fields.kind, &assertion.thing_type);
        document.add_text(fields.source, place.source);
        document.add_i64(fields.time, assertion.observed_at_us.unwrap_or(place.recorded_us));
        document.add_u64(fields.flags, flags(assertion));
        for title in &self.titles {
            document.add_text(fields.title, title);
            document.add_text(fields.word, title);
            document.add_text(fields.name, title);
            document.add_text(fields.head, cut(title, HEAD_BYTES_MAX));
        }
        for body in &self.bodies {
            document.add_text(fields.body, body);
            document.add_text(fields.word, body);
        }
        for id in self.ids.iter().filter(|id| id.len() <= ID_BYTES_MAX) {
            document.add_text(fields.id, id);
        }
        document
    }
}

/// What a document is deleted by.
pub(super) fn key(thing: ThingId, label: LabelId) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&thing.0.to_be_bytes());
    key[8..].copy_from_slice(&label.0.to_be_bytes());
    key
}

fn flags(assertion: &Assertion) -> u64 {
    let mut flags = 0;
    if assertion.status != u32::from(Status::Active.code()) {
        flags |= REVOKED;
    }
    if assertion.form == u32::from(Form::Relation.code()) {
        flags |= RELATION;
    }
    flags
}

/// The strings of a value and of a list, not those of nested objects: these are structure.
fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if !text.is_empty() => vec![text.clone()],
        Value::Array(values) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => vec![],
    }
}

/// References of the STIX kind name the ids by which analysts know a thing, such as `T1003`.
fn collect_external_ids(value: &Value, ids: &mut Vec<String>) {
    let Value::Array(values) = value else {
        return;
    };
    let external = values.iter().filter_map(|value| value.get("external_id"));
    ids.extend(external.filter_map(Value::as_str).map(str::to_owned));
}

fn is_id(name: &str) -> bool {
    name == "id" || name.ends_with("_id") || name.ends_with("_ids")
}

fn is_reference(name: &str) -> bool {
    name.ends_with("_ref") || name.ends_with("_refs") || name.ends_with("spec_version")
}

/// Whether a string is a timestamp: `2024-05-01T...`.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    text.len() >= 11
        && bytes[10] == b'T'
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && [0, 1, 2, 3, 5, 6, 8, 9].into_iter().all(is_digit)
}

fn prepend(titles: &mut Vec<String>, names: Vec<String>) {
    titles.splice(0..0, names);
}

fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}
