//! STIX data markings: which TLP level an object or one of its properties has.
//!
//! A file is read once, so a marking is known by its well-known id, or if its definition came before its use (in this
//! file or in one read before it). The standard asks producers to use the well-known ids; for those who do not,
//! [`Markings::late`] lists the definitions that came too late: read the files again and they are known.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::Value;
use storage::model::Classification;

use super::fields::{self, Fields};
use super::reject::Reject;

/// Definitions kept at most, and as many that are used but not known.
const DEFINITIONS_MAX: usize = 65_536;

/// Property of the extension that carries TLP 2.0 in a definition.
const TLP_2_EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

/// TLP 1.0 as the standard defines it, then TLP 2.0 as its extension does.
const WELL_KNOWN: [(&str, Classification); 9] = [
    ("613f2e26-407d-48c7-9eca-b8e91df99dc9", Classification::Public),
    ("34098fce-860f-48ae-8e50-ebd3cc5e41da", Classification::Internal),
    ("f88d31f6-486f-44da-b317-01333bde0b82", Classification::Confidential),
    ("5e57c739-391a-4eb3-b6be-7d15ca92d5ed", Classification::Secret),
    ("94868c89-83c2-464b-929b-a1a8aa3c8487", Classification::Public),
    ("bab4a63c-aed9-4cf5-a766-dfca5abac2bb", Classification::Internal),
    ("55d920b0-5e8b-4f79-9ee9-91f868d9b421", Classification::Confidential),
    ("939a9414-2ddd-4d32-a0cd-375ea402b003", Classification::Restricted),
    ("e828b379-4e03-4974-9ac4-e53a884c97c1", Classification::Secret),
];

/// The marking definitions seen so far.
#[derive(Default)]
pub(super) struct Markings {
    levels: HashMap<String, Classification>,
    used_unknown: HashSet<String>,
    late: Vec<String>,
}

/// The levels of one object.
pub(super) struct Marked {
    /// The level of what has none of its own.
    pub(super) object: Classification,
    /// By the name of a property: the level of all of it, and the strictest of something in it.
    granular: HashMap<String, Granular>,
}

#[derive(Default)]
struct Granular {
    all: Option<Classification>,
    inner: Option<Classification>,
}

#[derive(Deserialize)]
struct GranularMarking {
    marking_ref: Option<String>,
    #[serde(default)]
    selectors: Vec<String>,
}

impl Markings {
    /// Definitions of a TLP level that came after an object that uses them.
    pub(super) fn late(&self) -> &[String] {
        &self.late
    }

    /// Forgets what came late, at the start of a file.
    pub(super) fn begin_file(&mut self) {
        self.late.clear();
    }

    /// Remembers a marking definition, if it is one of TLP. Statements do not classify.
    pub(super) fn learn(&mut self, id: &str, fields: &Fields<'_>) -> Result<(), Reject> {
        let Some(level) = defined_level(fields)?.filter(|_| well_known(id).is_none()) else {
            return Ok(());
        };
        if self.levels.len() >= DEFINITIONS_MAX {
            let reason = format!("more than {DEFINITIONS_MAX} TLP marking definitions");
            return Err(Reject::new("too_many_markings", reason, id));
        }
        // A definition has no versions; one that is given twice cannot become laxer.
        let known = self.levels.entry(id.into()).or_insert(level);
        *known = level.max(*known);
        if self.used_unknown.remove(id) {
            self.late.push(id.into());
        }
        Ok(())
    }

    /// The levels of an object that has `default` if nothing marks it. A TLP marking beats it, downward too. A granular
    /// marking on a property that is `inseparable` raises the whole object, since it cannot be hidden alone.
    pub(super) fn of(
        &mut self,
        fields: &Fields<'_>,
        default: Classification,
        inseparable: impl Fn(&str) -> bool,
    ) -> Result<Marked, Reject> {
        let refs = fields.strings("object_marking_refs")?;
        let object = refs.iter().filter_map(|id| self.level(id)).max();
        let mut marked = Marked { object: object.unwrap_or(default), granular: self.granular(fields)? };
        marked.raise(inseparable);
        Ok(marked)
    }

    fn granular(&mut self, fields: &Fields<'_>) -> Result<HashMap<String, Granular>, Reject> {
        let Some(raw) = fields.raw("granular_markings") else {
            return Ok(HashMap::new());
        };
        let markings: Vec<GranularMarking> = serde_json::from_str(raw)
            .map_err(|_| fields::bad("granular_markings", "a list of granular markings", raw))?;
        let mut granular: HashMap<String, Granular> = HashMap::new();
        for marking in markings {
            let Some(level) = marking.marking_ref.and_then(|id| self.level(&id)) else {
                continue;
            };
            for selector in &marking.selectors {
                let (name, inner) = selector.split_once('.').unwrap_or((selector, ""));
                granular.entry(name.into()).or_default().add(level, inner);
            }
        }
        Ok(granular)
    }

    fn level(&mut self, id: &str) -> Option<Classification> {
        let level = well_known(id).or_else(|| self.levels.get(id).copied());
        if level.is_none() && self.used_unknown.len() < DEFINITIONS_MAX {
            self.used_unknown.insert(id.into());
        }
        level
    }
}

impl Marked {
    /// The level of one property. A marking of all of it stands for itself; a marking of something in it can only make
    /// it stricter, since the rest of it is not marked.
    pub(super) fn property(&self, name: &str) -> Classification {
        let Some(granular) = self.granular.get(name) else {
            return self.object;
        };
        let level = granular.all.unwrap_or(self.object);
        granular.inner.map_or(level, |inner| inner.max(level))
    }

    fn raise(&mut self, inseparable: impl Fn(&str) -> bool) {
        for (_, granular) in self.granular.extract_if(|name, _| inseparable(name)) {
            let level = granular.all.max(granular.inner);
            self.object = level.unwrap_or(self.object).max(self.object);
        }
    }
}

impl Granular {
    fn add(&mut self, level: Classification, inner: &str) {
        let of = if inner.is_empty() { &mut self.all } else { &mut self.inner };
        *of = Some(level).max(*of);
    }
}

fn well_known(id: &str) -> Option<Classification> {
    let uuid = id.strip_prefix("marking-definition--")?;
    let known = WELL_KNOWN.iter().find(|(known, _)| *known == uuid);
    known.map(|(_, level)| *level)
}

/// The TLP level that a definition stands for: by TLP 2.0's extension, by type `tlp`, or by a name like `TLP:RED`.
fn defined_level(fields: &Fields<'_>) -> Result<Option<Classification>, Reject> {
    if let Some(level) = object(fields, "extensions")
        .as_ref()
        .and_then(|all| all.get(TLP_2_EXTENSION)?.get("tlp_2_0")?.as_str())
    {
        return Ok(Some(level_of(level)));
    }
    let is_tlp = |kind: &str| kind.eq_ignore_ascii_case("tlp");
    if fields.string("definition_type")?.is_some_and(|kind| is_tlp(&kind)) {
        let definition = object(fields, "definition");
        let level = definition.as_ref().and_then(|of| of.as_object()?.values().next()?.as_str());
        return Ok(Some(level.map_or(Classification::Secret, level_of)));
    }
    let name = fields.string("name")?;
    Ok(name.and_then(|name| tlp_name(&name).map(level_of)))
}

fn object(fields: &Fields<'_>, name: &str) -> Option<Value> {
    serde_json::from_str(fields.raw(name)?).ok()
}

fn tlp_name(name: &str) -> Option<&str> {
    let (tlp, level) = name.split_once(':')?;
    tlp.eq_ignore_ascii_case("tlp").then_some(level)
}

/// A level nobody knows is taken for the strictest.
fn level_of(level: &str) -> Classification {
    let level = tlp_name(level).unwrap_or(level).trim().to_ascii_lowercase();
    match level.as_str() {
        "clear" | "white" => Classification::Public,
        "green" => Classification::Internal,
        "amber" => Classification::Confidential,
        "amber+strict" => Classification::Restricted,
        _ => Classification::Secret,
    }
}

#[cfg(test)]
mod tests;
