//! One JSON object as its properties, each still the text that stood in the file.
//!
//! Values are never turned into numbers or trees and back: what a source said is exported as it was given, so `1.0`
//! stays `1.0`. Only white space between tokens goes.

use std::borrow::Cow;
use std::collections::HashSet;

use jiff::Timestamp;

use super::reject::Reject;

mod json;

pub(super) use json::minified;

/// Above this many properties, duplicates are looked for by hashing.
const FEW: usize = 32;

/// One property of an object.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::ingest) struct Field<'a> {
    /// Its name.
    pub(in crate::ingest) name: Cow<'a, str>,
    /// Its value as JSON text, with the white space it came with.
    pub(in crate::ingest) raw: &'a str,
}

/// The properties of an object in their order; no name twice.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::ingest) struct Fields<'a>(Vec<Field<'a>>);

/// The properties of the object that `text` holds.
///
/// # Errors
/// `bad_json`, `not_an_object` or `duplicate_key`.
pub(in crate::ingest) fn parse(text: &str) -> Result<Fields<'_>, Reject> {
    let fields = Fields(json::properties(text)?);
    match fields.duplicate() {
        Some(name) => {
            Err(Reject::new("duplicate_key", format!("the property `{name}` stands twice; keep one"), name))
        }
        None => Ok(fields),
    }
}

impl<'a> Fields<'a> {
    /// The properties in the order of the file.
    pub(in crate::ingest) fn iter(&self) -> impl ExactSizeIterator<Item = &Field<'a>> {
        self.0.iter()
    }

    /// The JSON text of a property; none if it is absent or null.
    pub(in crate::ingest) fn raw(&self, name: &str) -> Option<&'a str> {
        let field = self.0.iter().find(|field| field.name == name)?;
        (field.raw != "null").then_some(field.raw)
    }

    /// A property that is a string.
    ///
    /// # Errors
    /// `bad_property` if it is something else.
    pub(in crate::ingest) fn string(&self, name: &str) -> Result<Option<Cow<'a, str>>, Reject> {
        self.raw(name).map(|raw| string(raw).ok_or_else(|| bad(name, "a string", raw))).transpose()
    }

    /// A string that must be there.
    ///
    /// # Errors
    /// `missing_property`, or `bad_property` if it is something else.
    pub(in crate::ingest) fn required(&self, name: &str) -> Result<Cow<'a, str>, Reject> {
        self.string(name)?.ok_or_else(|| {
            let reason = format!("the property `{name}` is missing");
            Reject::new("missing_property", reason, name)
        })
    }

    /// A list of strings, empty if absent.
    ///
    /// # Errors
    /// `bad_property` if it is something else.
    pub(super) fn strings(&self, name: &str) -> Result<Vec<String>, Reject> {
        let Some(raw) = self.raw(name) else {
            return Ok(Vec::new());
        };
        serde_json::from_str(raw).map_err(|_| bad(name, "a list of strings", raw))
    }

    /// A property that is a truth value.
    ///
    /// # Errors
    /// `bad_property` if it is something else.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Reject> {
        match self.raw(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(raw) => Err(bad(name, "true or false", raw)),
        }
    }

    /// A point in time, as text and as microseconds since 1970.
    ///
    /// # Errors
    /// `bad_timestamp` if it is not RFC 3339.
    pub(super) fn time(&self, name: &str) -> Result<Option<(String, i64)>, Reject> {
        let Some(raw) = self.raw(name) else {
            return Ok(None);
        };
        let time = string(raw).and_then(|text| {
            let time: Timestamp = text.parse().ok()?;
            Some((text.into_owned(), time.as_microsecond()))
        });
        time.map(Some).ok_or_else(|| {
            let reason = format!("`{name}` must be a time like 2024-01-31T12:00:00Z");
            Reject::new("bad_timestamp", reason, raw)
        })
    }

    /// Refuses any property that is not among `known`.
    ///
    /// # Errors
    /// `unknown_property`, naming it.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Reject> {
        let unknown = self.0.iter().find(|field| !known.contains(&field.name.as_ref()));
        unknown.map_or(Ok(()), |field| {
            let known = known.join("`, `");
            let reason = format!("unknown property `{}`; known are `{known}`", field.name);
            Err(Reject::new("unknown_property", reason, &field.name))
        })
    }

    fn duplicate(&self) -> Option<&str> {
        let names = || self.0.iter().map(|field| field.name.as_ref());
        if self.0.len() > FEW {
            let mut seen = HashSet::with_capacity(self.0.len());
            return names().find(|name| !seen.insert(*name));
        }
        names()
            .enumerate()
            .find(|(i, name)| names().take(*i).any(|earlier| earlier == *name))
            .map(|(_, name)| name)
    }
}

/// A `bad_property`: what it is called, what it must be and what it is.
pub(super) fn bad(name: &str, expected: &str, raw: &str) -> Reject {
    Reject::new("bad_property", format!("`{name}` must be {expected}"), raw)
}

/// The string that a JSON text holds, if it holds one.
pub(super) fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str(raw).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests;
