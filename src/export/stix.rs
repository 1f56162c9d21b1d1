//! STIX 2.1: a bundle whose objects are what their source said, property by property.
//!
//! What came from STIX leaves as it came. What did not is an object of a type of its own (`x-host`), in the way that the standard
//! has for that: an extension, under which the attributes stand as they were given.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use storage::model::{Claim, Classification, Form, Said};

use super::line::{Line, json};
use crate::read::Leaving;

/// Names the way in which things that are none of STIX's are written. Part of the format: never change it.
const EXTENSION: &str = "extension-definition--5a4c1b52-7f0e-4d39-9a57-3f8a8a1f6c11";
/// Longest part of a type that is taken from a thing's own, in bytes.
const TYPE_BYTES_MAX: usize = 200;

/// The beginning of a bundle that is called by what it holds.
pub(super) fn begin(name: &str) -> String {
    format!("{{\"type\":\"bundle\",\"id\":\"bundle--{}\",\"objects\":[\n", uuid("bundle", name))
}

pub(super) const END: &str = "\n]}\n";

/// A thing as an object. `of` gives the form and type of what a relation joins.
pub(super) fn object(leaving: &Leaving, of: &dyn Fn(&str) -> Option<(Form, String)>) -> String {
    let said = &leaving.said;
    match stix_type(&said.id) {
        Some(stix_type) => as_it_came(said, stix_type),
        None if said.form == Form::Entity => entity(leaving),
        None => relationship(leaving, of),
    }
}

fn as_it_came(said: &Said, stix_type: &str) -> String {
    let mut line = Line::new();
    line.text("type", stix_type).text("id", &said.id);
    for claim in said.parts.iter().flat_map(|part| &part.claims) {
        line.json(&claim.name, &claim.json);
    }
    line.end()
}

fn entity(leaving: &Leaving) -> String {
    let said = &leaving.said;
    let mut line = begun(leaving, &own_id(&said.id, Form::Entity, &said.thing_type));
    let extension = format!("{{\"{EXTENSION}\":{{\"extension_type\":\"new-sdo\"}}}}");
    line.json("extensions", &extension);
    if let Some(name) = claims(said).find(|claim| claim.name == "name") {
        line.json("name", &name.json);
    }
    line.text("original_id", &said.id).text("original_type", &said.thing_type);
    properties(&mut line, said);
    line.end()
}

fn relationship(leaving: &Leaving, of: &dyn Fn(&str) -> Option<(Form, String)>) -> String {
    let said = &leaving.said;
    let mut line = begun(leaving, &own_id(&said.id, Form::Relation, ""));
    let end = |id: &str| match (stix_type(id), of(id)) {
        (None, Some((form, thing_type))) => own_id(id, form, &thing_type),
        _ => id.to_owned(),
    };
    if let Some(edge) = said.edges.first() {
        line.text("relationship_type", &slug(&edge.kind));
        line.text("source_ref", &end(edge.from_or(&said.id))).text("target_ref", &end(&edge.to));
    }
    let since_us = said.since.as_ref().map(|(_, us)| *us);
    let until_us =
        said.until.as_ref().map(|(_, us)| *us).filter(|until| since_us.is_none_or(|since| since < *until));
    for (name, us) in [("start_time", since_us), ("stop_time", until_us)] {
        if let Some(us) = us {
            line.text(name, &time(us));
        }
    }
    let mut own = Line::new();
    own.text("extension_type", "property-extension");
    own.text("original_id", &said.id).text("original_type", &said.thing_type);
    if let Some(weight) = said.weight {
        own.json("weight", &json(&weight));
    }
    properties(&mut own, said);
    line.json("extensions", &format!("{{\"{EXTENSION}\":{}}}", own.end()));
    line.end()
}

/// What every object that did not come from STIX has.
fn begun(leaving: &Leaving, id: &str) -> Line {
    let said = &leaving.said;
    let mut line = Line::new();
    line.text("type", id.split_once("--").map_or(id, |(of, _)| of))
        .text("spec_version", "2.1")
        .text("id", id);
    let at = time(said.observed_at_us.unwrap_or(leaving.recorded_us));
    line.text("created", &at).text("modified", &at);
    if !said.tags.is_empty() {
        line.json("labels", &json(&said.tags));
    }
    let strictest = said.parts.iter().map(|part| part.label.classification).max();
    let marking = tlp(strictest.unwrap_or(Classification::Secret));
    line.json("object_marking_refs", &format!("[\"marking-definition--{marking}\"]"));
    line
}

fn properties(line: &mut Line, said: &Said) {
    let attributes: Vec<_> =
        claims(said).map(|claim| format!("{}:{}", json(&claim.name), claim.json)).collect();
    if !attributes.is_empty() {
        line.json("attributes", &format!("{{{}}}", attributes.join(",")));
    }
    let texts = said.parts.iter().flat_map(|part| &part.texts).filter(|text| text.of_claim.is_empty());
    let texts: Vec<_> = texts.map(|text| json(&text.text)).collect();
    if !texts.is_empty() {
        line.json("texts", &format!("[{}]", texts.join(",")));
    }
}

fn claims(said: &Said) -> impl Iterator<Item = &Claim> {
    said.parts.iter().flat_map(|part| &part.claims)
}

/// The type in an id that is one of STIX's: a type, two hyphens and a UUID.
fn stix_type(id: &str) -> Option<&str> {
    let (stix_type, uuid) = id.split_once("--")?;
    let is_uuid = uuid.len() == 36
        && uuid.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    is_uuid.then_some(stix_type)
}

/// The id of a thing whose own is none of STIX's: the same whenever it is exported.
fn own_id(id: &str, form: Form, thing_type: &str) -> String {
    match form {
        Form::Entity => format!("x-{}--{}", slug(thing_type), uuid("entity", id)),
        Form::Relation => format!("relationship--{}", uuid("relation", id)),
    }
}

/// Lower-case letters, digits and hyphens, as STIX has them in types.
fn slug(word: &str) -> String {
    let mut slug = String::new();
    for char in word.to_ascii_lowercase().chars().take(TYPE_BYTES_MAX) {
        match char {
            'a'..='z' | '0'..='9' => slug.push(char),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "thing".to_owned() } else { slug.to_owned() }
}

/// A UUID made from a name; its version says random, which is what STIX asks of ids.
fn uuid(kind: &str, name: &str) -> String {
    let mut hash = Sha256::new();
    for field in ["intelgraph", kind, name] {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    let digest = hash.finalize();
    let mut half: [u8; 16] = *digest.first_chunk().expect("SHA-256 has 32 bytes");
    half[6] = half[6] & 0x0f | 0x40;
    half[8] = half[8] & 0x3f | 0x80;
    let hex: String = half.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn time(us: i64) -> String {
    let time = Timestamp::from_microsecond(us).unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The marking of TLP 2.0 that a classification came from, or would have come from.
fn tlp(classification: Classification) -> &'static str {
    match classification {
        Classification::Public => "94868c89-83c2-464b-929b-a1a8aa3c8487",
        Classification::Internal => "bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
        Classification::Confidential => "55d920b0-5e8b-4f79-9ee9-91f868d9b421",
        Classification::Restricted => "939a9414-2ddd-4d32-a0cd-375ea402b003",
        Classification::Secret => "e828b379-4e03-4974-9ac4-e53a884c97c1",
    }
}
