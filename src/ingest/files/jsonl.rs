//! JSONL: one entity or relation a line.
//!
//! ```json
//! {"id":"h-1","type":"host","labels":["dmz"],"attributes":{"name":"gate"},"texts":[{"text":"…"}],"observed_at":"…"}
//! {"id":"h-2","type":"host","embedding":{"model":"…","vector":[0.25,-0.5]}}
//! {"relation":"talks-to","from":"h-1","to":"h-2","weight":0.5,"since":"…","until":"…"}
//! ```
//! Both may carry `classification`, `personal`, `labels`, `attributes`, `texts` and `observed_at`; a relation may carry
//! its `id`. A property that is not known is a reject: silently dropped data are lost data.

mod embedding;

use std::str::FromStr;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use storage::model::{Claim, Classification, EdgeSaid, Form, LabelKind, Part, Said, Status, Text};

use super::fields::{self, Fields};
use super::labels::Labels;
use super::reject::Reject;

const ENTITY: [&str; 9] =
    ["id", "type", "labels", "attributes", "texts", "embedding", "classification", "personal", "observed_at"];

const RELATION: [&str; 13] = [
    "relation",
    "from",
    "to",
    "id",
    "weight",
    "since",
    "until",
    "labels",
    "attributes",
    "texts",
    "classification",
    "personal",
    "observed_at",
];

/// Reads the lines of one file.
pub(super) struct Jsonl<'a> {
    labels: &'a mut Labels,
}

/// Who may see a line or a text, as far as it says so itself.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Terms {
    classification: Classification,
    personal: bool,
}

impl<'a> Jsonl<'a> {
    pub(super) fn new(labels: &'a mut Labels) -> Jsonl<'a> {
        Jsonl { labels }
    }

    /// What the line says.
    pub(super) fn said(&mut self, line: &str) -> Result<Said, Reject> {
        let fields = fields::parse(line).map_err(|reject| embedding::unnumbered(reject, line))?;
        let mut said = if fields.raw("relation").is_some() {
            relation(&fields, &self.labels.source().name)?
        } else {
            entity(&fields)?
        };
        said.parts = self.parts(&said, &fields)?;
        said.validate()?;
        Ok(said)
    }

    /// The line's own part, then one for each other label that its texts have.
    fn parts(&mut self, said: &Said, fields: &Fields<'_>) -> Result<Vec<Part>, Reject> {
        let source = self.labels.source();
        let own = terms(fields, Terms { classification: source.classification, personal: source.personal })?;
        let mut parts = vec![self.part(said, LabelKind::from(said.form), own)];
        parts[0].claims = claims(fields)?;
        // What its vector is of nobody knows but who brings it: it is as the line is.
        parts[0].embedding = embedding::embedding(fields)?;
        for (terms, text) in texts(fields, own)? {
            let part = if terms == own { 0 } else { self.part_of(&mut parts, said, terms) };
            parts[part].texts.push(text);
        }
        Ok(parts)
    }

    /// The index of the part for texts on these terms.
    fn part_of(&mut self, parts: &mut Vec<Part>, said: &Said, terms: Terms) -> usize {
        let part = self.part(said, LabelKind::Text, terms);
        let same = |other: &Part| other.label == part.label;
        parts.iter().position(same).unwrap_or_else(|| {
            parts.push(part);
            parts.len() - 1
        })
    }

    fn part(&mut self, said: &Said, kind: LabelKind, terms: Terms) -> Part {
        let thing_type = &said.thing_type;
        let label = self.labels.of(kind, thing_type, terms.classification, terms.personal);
        Part { label, claims: Vec::new(), texts: Vec::new(), embedding: None }
    }
}

fn entity(fields: &Fields<'_>) -> Result<Said, Reject> {
    fields.only(&ENTITY)?;
    let id = fields.required("id")?.into_owned();
    thing(id, fields.required("type")?.into_owned(), Form::Entity, fields)
}

fn relation(fields: &Fields<'_>, source: &str) -> Result<Said, Reject> {
    fields.only(&RELATION)?;
    let edge = EdgeSaid {
        kind: fields.required("relation")?.into_owned(),
        from: fields.required("from")?.into_owned(),
        to: fields.required("to")?.into_owned(),
    };
    if edge.from.is_empty() {
        // An empty end would mean the relation itself.
        return Err(Reject::new("bad_id", "`from` must not be empty", ""));
    }
    let since = fields.time("since")?;
    let id = match fields.string("id")? {
        Some(id) => id.into_owned(),
        None => relation_id(source, &edge, since.as_ref().map(|(text, _)| text.as_str())),
    };
    let said = thing(id, edge.kind.clone(), Form::Relation, fields)?;
    Ok(Said { edges: vec![edge], weight: weight(fields)?, since, until: fields.time("until")?, ..said })
}

/// What every thing has, without its parts. A line has no version: what is said last is what holds.
fn thing(id: String, thing_type: String, form: Form, fields: &Fields<'_>) -> Result<Said, Reject> {
    Ok(Said {
        id,
        form,
        thing_type,
        base: None,
        tags: fields.strings("labels")?,
        status: Status::Active,
        observed_at_us: fields.time("observed_at")?.map(|(_, us)| us),
        version_us: None,
        edges: Vec::new(),
        weight: None,
        since: None,
        until: None,
        parts: Vec::new(),
    })
}

/// The id of a relation that has none: the same relation of the same source gets the same.
///
/// Lengths go in front so that no two lists of fields are the same bytes. Part of the format: never change it.
pub(super) fn relation_id(source: &str, edge: &EdgeSaid, since: Option<&str>) -> String {
    let mut hash = Sha256::new();
    for field in [source, &edge.kind, &edge.from, &edge.to, since.unwrap_or_default()] {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    let digest = hash.finalize();
    let half = digest.first_chunk().expect("SHA-256 has 32 bytes");
    format!("relation--{:032x}", u128::from_be_bytes(*half))
}

fn weight(fields: &Fields<'_>) -> Result<Option<f64>, Reject> {
    let Some(raw) = fields.raw("weight") else {
        return Ok(None);
    };
    let weight: Option<f64> = serde_json::from_str(raw).ok();
    weight
        .filter(|weight| weight.is_finite())
        .map(Some)
        .ok_or_else(|| Reject::new("bad_weight", "`weight` must be a finite number", raw))
}

fn claims(fields: &Fields<'_>) -> Result<Vec<Claim>, Reject> {
    let Some(raw) = fields.raw("attributes") else {
        return Ok(Vec::new());
    };
    if !raw.starts_with('{') {
        return Err(fields::bad("attributes", "an object", raw));
    }
    let claim = |field: &fields::Field<'_>| {
        Ok(Claim { name: field.name.as_ref().into(), json: fields::minified(field.raw, 2)? })
    };
    fields::parse(raw)?.iter().map(claim).collect()
}

/// The texts, each with the terms it is under.
fn texts(fields: &Fields<'_>, own: Terms) -> Result<Vec<(Terms, Text)>, Reject> {
    let Some(raw) = fields.raw("texts") else {
        return Ok(Vec::new());
    };
    let texts: Vec<&RawValue> = serde_json::from_str(raw)
        .map_err(|_| fields::bad("texts", "a list of objects with a `text`", raw))?;
    texts.iter().map(|text| one_text(text.get(), own)).collect()
}

fn one_text(raw: &str, own: Terms) -> Result<(Terms, Text), Reject> {
    let fields = fields::parse(raw)?;
    fields.only(&["text", "classification", "personal"])?;
    let text = Text { text: fields.required("text")?.into_owned(), of_claim: String::new() };
    Ok((terms(&fields, own)?, text))
}

/// The terms that an object states, or else `default`.
fn terms(fields: &Fields<'_>, default: Terms) -> Result<Terms, Reject> {
    let classification = fields.string("classification")?;
    Ok(Terms {
        classification: match classification {
            Some(name) => Classification::from_str(&name)?,
            None => default.classification,
        },
        personal: fields.flag("personal")?.unwrap_or(default.personal),
    })
}

#[cfg(test)]
mod tests;
