//! CSV: a table with a column for each attribute, that a spreadsheet opens without running anything in it.
//!
//! A text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, a tab or a carriage return) gets a `'` in front.
//! Numbers and truth values stand as they are; lists and objects as JSON.

use std::collections::BTreeSet;

use storage::model::Said;

use crate::node::rfc3339;

/// Attributes that have a column of their own; what is beyond that stands as JSON in the last column.
const ATTRIBUTES_MAX: usize = 1000;
/// What every thing has.
const FIXED: [&str; 11] = [
    "id",
    "type",
    "labels",
    "classification",
    "observed_at",
    "from",
    "to",
    "weight",
    "since",
    "until",
    "texts",
];
const MORE: &str = "more_attributes";

/// The columns of an export.
#[derive(Default)]
pub(super) struct Columns {
    attributes: BTreeSet<String>,
    has_more: bool,
}

impl Columns {
    /// Meets a thing that will be a row.
    pub(super) fn meet(&mut self, said: &Said) {
        for claim in said.parts.iter().flat_map(|part| &part.claims) {
            if self.attributes.contains(&claim.name) {
                continue;
            }
            if self.attributes.len() == ATTRIBUTES_MAX {
                self.has_more = true;
                continue;
            }
            self.attributes.insert(claim.name.clone());
        }
    }

    /// The first row.
    pub(super) fn header(&self) -> String {
        let own = |name: &String| {
            let is_taken = FIXED.contains(&name.as_str()) || name == MORE;
            if is_taken { text(&format!("attribute {name}")) } else { text(name) }
        };
        let fixed = FIXED.iter().map(|name| (*name).to_owned());
        row(fixed.chain(self.attributes.iter().map(own)).chain(self.has_more.then(|| MORE.to_owned())))
    }

    /// A thing.
    pub(super) fn row(&self, said: &Said) -> String {
        let claims = || said.parts.iter().flat_map(|part| &part.claims);
        let of = |name: &String| {
            claims().find(|claim| claim.name == *name).map_or(String::new(), |claim| value(&claim.json))
        };
        let more = || {
            let beyond = claims().filter(|claim| !self.attributes.contains(&claim.name));
            let more: Vec<_> =
                beyond.map(|claim| format!("{}:{}", super::line::json(&claim.name), claim.json)).collect();
            if more.is_empty() { String::new() } else { format!("{{{}}}", more.join(",")) }
        };
        row(fixed(said).into_iter().chain(self.attributes.iter().map(of)).chain(self.has_more.then(more)))
    }
}

fn fixed(said: &Said) -> [String; 11] {
    let edge = said.edges.first();
    let strictest = said.parts.iter().map(|part| part.label.classification).max();
    let texts = said.parts.iter().flat_map(|part| &part.texts).filter(|of| of.of_claim.is_empty());
    [
        text(&said.id),
        text(&said.thing_type),
        text(&said.tags.join("; ")),
        strictest.map_or("secret", |strictest| strictest.as_str()).to_owned(),
        said.observed_at_us.map(rfc3339).unwrap_or_default(),
        edge.map(|edge| text(edge.from_or(&said.id))).unwrap_or_default(),
        edge.map(|edge| text(&edge.to)).unwrap_or_default(),
        said.weight.map(|weight| weight.to_string()).unwrap_or_default(),
        said.since.as_ref().map(|(since, _)| text(since)).unwrap_or_default(),
        said.until.as_ref().map(|(until, _)| text(until)).unwrap_or_default(),
        text(&texts.map(|of| of.text.as_str()).collect::<Vec<_>>().join("\n\n")),
    ]
}

/// A JSON text as a cell.
fn value(json: &str) -> String {
    match json.as_bytes().first() {
        Some(b'"') => text(&serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned())),
        Some(b'n') => String::new(),
        // A number that begins with `-` is one, and not the beginning of something else.
        _ => json.to_owned(),
    }
}

/// A text that nothing runs.
fn text(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { ["'", text].concat() } else { text.to_owned() }
}

fn row(cells: impl Iterator<Item = String>) -> String {
    let mut row = cells.map(|cell| quoted(&cell)).collect::<Vec<_>>().join(",");
    row.push('\n');
    row
}

fn quoted(cell: &str) -> String {
    let edges = cell.starts_with(' ') || cell.ends_with(' ');
    if edges || cell.contains([',', '"', '\n', '\r', ';', '\t']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
