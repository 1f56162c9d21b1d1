//! JSONL: one thing a line, as the import reads it.

use storage::model::{Form, Part, Said};

use super::line::{Line, json};
use crate::node::rfc3339;

/// What a source says of a thing, as one line without its end.
///
/// The first part's label is the line's; texts under another label say theirs. What STIX marks property by property has
/// no place in JSONL: such a line has the strictest of its classifications.
#[must_use]
pub fn line(said: &Said) -> String {
    let mut line = Line::new();
    match said.form {
        Form::Entity => line.text("id", &said.id).text("type", &said.thing_type),
        Form::Relation => relation(&mut line, said),
    };
    if !said.tags.is_empty() {
        line.json("labels", &json(&said.tags));
    }
    let claims = said.parts.iter().flat_map(|part| &part.claims);
    let attributes: Vec<_> = claims.map(|claim| format!("{}:{}", json(&claim.name), claim.json)).collect();
    if !attributes.is_empty() {
        line.json("attributes", &format!("{{{}}}", attributes.join(",")));
    }
    let own = own_terms(said);
    let texts: Vec<_> = said.parts.iter().flat_map(|part| texts(part, own)).collect();
    if !texts.is_empty() {
        line.json("texts", &format!("[{}]", texts.join(",")));
    }
    if let Some(embedding) = said.parts.iter().find_map(|part| part.embedding.as_ref()) {
        let model = json(&embedding.model);
        line.json("embedding", &format!("{{\"model\":{model},\"vector\":{}}}", json(&embedding.vector)));
    }
    line.text("classification", own.0);
    if own.1 {
        line.json("personal", "true");
    }
    if let Some(at_us) = said.observed_at_us {
        line.text("observed_at", &rfc3339(at_us));
    }
    line.end()
}

fn relation<'l>(line: &'l mut Line, said: &Said) -> &'l mut Line {
    if let Some(edge) = said.edges.first() {
        line.text("relation", &edge.kind).text("from", edge.from_or(&said.id)).text("to", &edge.to);
    }
    line.text("id", &said.id);
    if let Some(weight) = said.weight {
        line.json("weight", &json(&weight));
    }
    for (name, moment) in [("since", &said.since), ("until", &said.until)] {
        if let Some((text, us)) = moment {
            // A day, as a table has it, is no time in JSONL.
            let is_time = text.parse::<jiff::Timestamp>().is_ok();
            line.text(name, &if is_time { text.clone() } else { rfc3339(*us) });
        }
    }
    line
}

/// Classification of the line, and whether it is personal data: those of its strictest part with claims.
fn own_terms(said: &Said) -> (&'static str, bool) {
    let with_claims = said.parts.iter().filter(|part| !part.claims.is_empty());
    let strictest = with_claims.max_by_key(|part| part.label.classification).or(said.parts.first());
    strictest.map_or(("secret", true), |part| (part.label.classification.as_str(), part.label.personal))
}

/// The texts that are not claims as well.
fn texts(part: &Part, own: (&str, bool)) -> impl Iterator<Item = String> {
    let texts = part.texts.iter().filter(|text| text.of_claim.is_empty());
    texts.map(move |text| {
        let mut line = Line::new();
        line.text("text", &text.text);
        let classification = part.label.classification.as_str();
        if classification != own.0 {
            line.text("classification", classification);
        }
        if part.label.personal != own.1 {
            line.json("personal", if part.label.personal { "true" } else { "false" });
        }
        line.end()
    })
}
