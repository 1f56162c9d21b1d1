//! STIX 2.1: an object of a bundle becomes what its source says of one thing.
//!
//! Every object but `relationship` and `sighting` is an entity, marking definitions too. Every property but `type` and
//! `id` is a claim, whole, so that an export can give back the object that came.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use serde::Deserialize;
use storage::model::{Claim, Classification, EdgeSaid, Form, Label, LabelKind, Part, Said, Status, Text};

use super::fatal::Fatal;
use super::fields::{self, Field, Fields};
use super::labels::Labels;
use super::markings::{Marked, Markings};
use super::reject::Reject;

/// String properties that people search by what is in them: prose, and the values of observables.
const TEXTS: [&str; 11] = [
    "description",
    "abstract",
    "content",
    "explanation",
    "objective",
    "subject",
    "body",
    "x_mitre_detection",
    "pattern",
    "value",
    "command_line",
];

/// Where the other names of a thing stand.
const ALIASES: [&str; 4] = ["aliases", "x_mitre_aliases", "x_mitre_shortname", "external_references"];

/// Why an object is not taken.
#[derive(Debug)]
pub(super) enum Refused {
    /// The object is left out, the file goes on.
    Reject(Reject),
    /// The file is not what it should be.
    Fatal(Fatal),
}

impl From<Reject> for Refused {
    fn from(reject: Reject) -> Refused {
        Refused::Reject(reject)
    }
}

/// Reads the objects of one file.
pub(super) struct Stix<'a> {
    labels: &'a mut Labels,
    markings: &'a mut Markings,
    /// Whether an object was seen that only STIX 2.1 can have.
    is_2_1: bool,
}

impl<'a> Stix<'a> {
    pub(super) fn new(labels: &'a mut Labels, markings: &'a mut Markings) -> Stix<'a> {
        markings.begin_file();
        Stix { labels, markings, is_2_1: false }
    }

    /// What the object says.
    pub(super) fn said(&mut self, text: &str) -> Result<Said, Refused> {
        let fields = fields::parse(text)?;
        let stix_type = fields.required("type")?;
        let id = fields.required("id")?;
        check_id(&id, &stix_type)?;
        self.check_version(&fields)?;
        if stix_type == "marking-definition" {
            self.markings.learn(&id, &fields)?;
        }
        let mut said = thing(id.into_owned(), stix_type.into_owned(), &fields)?;
        match said.thing_type.as_str() {
            "relationship" => relationship(&mut said, &fields)?,
            "sighting" => sighting(&mut said, &fields)?,
            _ => {}
        }
        said.parts = self.parts(&said, &fields)?;
        said.validate().map_err(Reject::from)?;
        Ok(said)
    }

    /// By the standard an object without `spec_version` is of 2.0, unless it is an observable: those have no
    /// `created`, all others do. A file that begins so is 2.0 as a whole; a stray one later is left out.
    fn check_version(&mut self, fields: &Fields<'_>) -> Result<(), Refused> {
        let sign = match fields.string("spec_version")?.as_deref() {
            Some("2.1") => {
                self.is_2_1 = true;
                return Ok(());
            }
            Some(version @ "2.0") => format!("an object's `spec_version` is {version}"),
            Some(version) => {
                let reason = "the `spec_version` must be 2.1";
                return Err(Reject::new("unsupported_version", reason, version).into());
            }
            None if fields.raw("created").is_none() => return Ok(()),
            None => "an object has no `spec_version`".to_owned(),
        };
        if self.is_2_1 {
            return Err(Reject::new("stix_2_0", sign, fields.raw("id").unwrap_or_default()).into());
        }
        Err(Refused::Fatal(Fatal::Stix20 { sign }))
    }

    /// The claims and texts by label; those of the object's own level first.
    fn parts(&mut self, said: &Said, fields: &Fields<'_>) -> Result<Vec<Part>, Reject> {
        let default = self.labels.source().classification;
        let inseparable = |name: &str| is_inseparable(said, name);
        let marked = self.markings.of(fields, default, inseparable)?;
        let personal = said.thing_type == "identity"
            && fields.string("identity_class")?.as_deref() == Some("individual");
        let part = |level: Classification| {
            let kind = LabelKind::from(said.form);
            let label = self.labels.of(kind, &said.thing_type, level, personal);
            part(label, fields, |name| marked.property(name) == level)
        };
        levels(fields, &marked).into_iter().map(part).collect()
    }
}

/// What every thing has, without its parts.
fn thing(id: String, thing_type: String, fields: &Fields<'_>) -> Result<Said, Reject> {
    let created = fields.time("created")?;
    let modified = fields.time("modified")?;
    let version_us = modified.or(created).map(|(_, us)| us);
    Ok(Said {
        id,
        form: Form::Entity,
        thing_type,
        base: None,
        tags: fields.strings("labels")?,
        status: status(fields)?,
        observed_at_us: version_us,
        version_us,
        edges: Vec::new(),
        weight: None,
        since: None,
        until: None,
        parts: Vec::new(),
    })
}

fn status(fields: &Fields<'_>) -> Result<Status, Reject> {
    let set = |name| fields.flag(name).map(|flag| flag == Some(true));
    Ok(match (set("revoked")?, set("x_mitre_deprecated")?) {
        (true, _) => Status::Revoked,
        (false, true) => Status::Deprecated,
        (false, false) => Status::Active,
    })
}

fn relationship(said: &mut Said, fields: &Fields<'_>) -> Result<(), Reject> {
    let kind = fields.required("relationship_type")?.into_owned();
    said.form = Form::Relation;
    said.edges = vec![EdgeSaid {
        kind: kind.clone(),
        from: fields.required("source_ref")?.into_owned(),
        to: fields.required("target_ref")?.into_owned(),
    }];
    said.thing_type = kind;
    said.since = fields.time("start_time")?;
    said.until = fields.time("stop_time")?;
    Ok(())
}

/// A sighting links more than two things, so its edges leave from itself.
fn sighting(said: &mut Said, fields: &Fields<'_>) -> Result<(), Reject> {
    let of = fields.required("sighting_of_ref")?.into_owned();
    let edge = |kind: &str, to| EdgeSaid { kind: kind.into(), from: String::new(), to };
    said.form = Form::Relation;
    said.edges = vec![edge("sighting-of", of)];
    for (kind, name) in [("where-sighted", "where_sighted_refs"), ("observed-data", "observed_data_refs")] {
        let refs = fields.strings(name)?.into_iter();
        said.edges.extend(refs.map(|to| edge(kind, to)));
    }
    said.since = fields.time("first_seen")?;
    said.until = fields.time("last_seen")?;
    Ok(())
}

/// Whether a property shapes the thing itself, whichever part of it a reader sees.
fn is_inseparable(said: &Said, name: &str) -> bool {
    match name {
        "type" | "id" | "created" | "modified" | "revoked" | "labels" => true,
        "relationship_type" | "source_ref" | "target_ref" | "start_time" | "stop_time"
        | "sighting_of_ref" | "where_sighted_refs" | "observed_data_refs" | "first_seen" | "last_seen" => {
            said.form == Form::Relation
        }
        _ => false,
    }
}

/// The levels that an object's properties have, its own first.
fn levels(fields: &Fields<'_>, marked: &Marked) -> Vec<Classification> {
    let mut levels = Vec::with_capacity(1);
    for field in claims(fields) {
        let level = marked.property(&field.name);
        if !levels.contains(&level) {
            levels.push(level);
        }
    }
    if levels.is_empty() {
        levels.push(marked.object);
    }
    levels.sort_by_key(|level| *level != marked.object);
    levels
}

fn claims<'f, 'a>(fields: &'f Fields<'a>) -> impl Iterator<Item = &'f Field<'a>> {
    fields.iter().filter(|field| field.name != "type" && field.name != "id")
}

/// The claims and texts of the properties that `belongs` picks.
fn part(label: Arc<Label>, fields: &Fields<'_>, belongs: impl Fn(&str) -> bool) -> Result<Part, Reject> {
    let mut part =
        Part { label, claims: Vec::with_capacity(fields.iter().len()), texts: Vec::new(), embedding: None };
    let mut aliases = Aliases::default();
    for field in claims(fields).filter(|field| belongs(&field.name)) {
        let name = field.name.as_ref();
        part.claims.push(Claim { name: name.into(), json: fields::minified(field.raw, 1)? });
        if TEXTS.contains(&name) {
            part.texts.extend(text(name, fields::string(field.raw)));
        } else if ALIASES.contains(&name) {
            other_names(field).into_iter().for_each(|name| aliases.add(name));
        }
    }
    part.texts.extend(text("aliases", Some(aliases.text.into())));
    Ok(part)
}

fn text(of_claim: &str, text: Option<Cow<'_, str>>) -> Option<Text> {
    let text = text.filter(|text| !text.trim().is_empty())?;
    Some(Text { text: text.into_owned(), of_claim: of_claim.into() })
}

#[derive(Deserialize)]
struct Reference {
    external_id: Option<String>,
}

/// The other names of a thing as one text, none twice.
#[derive(Default)]
struct Aliases {
    text: String,
    seen: HashSet<String>,
}

impl Aliases {
    fn add(&mut self, name: String) {
        if self.seen.contains(&name) {
            return;
        }
        if !self.text.is_empty() {
            self.text.push_str(", ");
        }
        self.text.push_str(&name);
        self.seen.insert(name);
    }
}

/// The other names that a property holds. One of an unexpected form is a claim all the same.
fn other_names(field: &Field<'_>) -> Vec<String> {
    if field.name == "external_references" {
        let references: Vec<Reference> = serde_json::from_str(field.raw).unwrap_or_default();
        return references.into_iter().filter_map(|of| of.external_id).collect();
    }
    match fields::string(field.raw) {
        Some(name) => vec![name.into_owned()],
        None => serde_json::from_str(field.raw).unwrap_or_default(),
    }
}

/// An id is `<type>--<uuid>`.
fn check_id(id: &str, stix_type: &str) -> Result<(), Reject> {
    let uuid = id.strip_prefix(stix_type).and_then(|rest| rest.strip_prefix("--"));
    if uuid.is_some_and(is_uuid) {
        return Ok(());
    }
    let reason = format!("the id must be `{stix_type}--` and a UUID");
    Err(Reject::new("bad_id", reason, id))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, byte)| match i {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests;
