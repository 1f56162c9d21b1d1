//! What stands around an event's data, by the rules of CloudEvents 1.0 and of its JSON format.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use super::{Rejected, is_json};
use crate::ingest::files::Reject;
use crate::ingest::files::fields::{self, Fields};
use crate::node::parse_time;

/// Longest id or source of an event, in bytes.
const NAME_BYTES_MAX: usize = 1024;

/// An event as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope<'b> {
    /// Where it came from: unique with its id.
    pub source: String,
    /// Its id.
    pub id: String,
    /// When it happened, in microseconds since 1970.
    pub time_us: Option<i64>,
    /// Its data: JSON text.
    pub data: Cow<'b, str>,
}

/// Why a request holds no events that can be looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The body is not what its content type says.
    #[error("{0}")]
    Body(String),
    /// There are more than may come at a time.
    #[error("{count} events; at most {max} may come at a time, send them in parts")]
    TooMany {
        /// How many there are.
        count: usize,
        /// How many there may be.
        max: usize,
    },
    /// Some events break a rule of CloudEvents.
    #[error("{} events are none by the rules of CloudEvents 1.0", .0.len())]
    Rejected(Vec<Rejected>),
}

/// The event that a JSON object holds.
pub(super) fn one(body: &[u8]) -> Result<Envelope<'_>, Unreadable> {
    let body = std::str::from_utf8(body)
        .map_err(|error| Unreadable::Body(format!("the body must be JSON in UTF-8: {error}")))?;
    read(body).map_err(|reject| rejected(vec![Rejected { index: 0, reject }]))
}

/// The events that a JSON array holds.
pub(super) fn many(body: &[u8], max: usize) -> Result<Vec<Envelope<'_>>, Unreadable> {
    let texts: Vec<&RawValue> = serde_json::from_slice(body)
        .map_err(|error| Unreadable::Body(format!("the body must be a JSON array of objects: {error}")))?;
    if texts.len() > max {
        return Err(Unreadable::TooMany { count: texts.len(), max });
    }
    let (mut envelopes, mut rejects) = (Vec::with_capacity(texts.len()), Vec::new());
    for (index, text) in texts.into_iter().enumerate() {
        match read(text.get()) {
            Ok(envelope) => envelopes.push(envelope),
            Err(reject) => rejects.push(Rejected { index, reject }),
        }
    }
    if rejects.is_empty() { Ok(envelopes) } else { Err(rejected(rejects)) }
}

fn read(text: &str) -> Result<Envelope<'_>, Reject> {
    let fields = fields::parse(text)?;
    check_names(fields.iter().map(|field| field.name.as_ref()))?;
    let text = |name: &str| Ok(fields.string(name)?.map(Cow::into_owned));
    Envelope::new(&text, fields.string("datacontenttype")?.as_deref(), data(&fields)?)
}

fn data<'b>(fields: &Fields<'b>) -> Result<Cow<'b, str>, Reject> {
    match (fields.raw("data"), fields.raw("data_base64")) {
        (Some(data), None) => Ok(Cow::Borrowed(data)),
        (None, Some(encoded)) => decoded(encoded).map(Cow::Owned),
        (Some(_), Some(_)) => Err(Reject::new("bad_event", "`data` and `data_base64`: send one of them", "")),
        (None, None) => Err(Reject::new("missing_property", "the event has no `data`", "data")),
    }
}

fn decoded(raw: &str) -> Result<String, Reject> {
    let problem = || bad("data_base64", "base64 of JSON in UTF-8", raw);
    let encoded: String = serde_json::from_str(raw).map_err(|_| problem())?;
    String::from_utf8(STANDARD.decode(encoded).map_err(|_| problem())?).map_err(|_| problem())
}

impl<'b> Envelope<'b> {
    /// An envelope of attributes that `text` gives by name.
    pub(super) fn new(
        text: &dyn Fn(&str) -> Result<Option<String>, Reject>,
        data_type: Option<&str>,
        data: Cow<'b, str>,
    ) -> Result<Envelope<'b>, Reject> {
        let version = required(text, "specversion")?;
        if version != "1.0" {
            return Err(Reject::new("bad_event", "`specversion` must be 1.0", &version));
        }
        required(text, "type")?;
        if let Some(data_type) = data_type.filter(|data_type| !is_json(data_type)) {
            return Err(Reject::new("bad_event", "`datacontenttype` must be a kind of JSON", data_type));
        }
        let time_us = match text("time")? {
            None => None,
            Some(time) => Some(parse_time(&time).map_err(|_| {
                Reject::new("bad_timestamp", "`time` must be a time like 2024-01-31T12:00:00Z", &time)
            })?),
        };
        Ok(Envelope { source: required(text, "source")?, id: required(text, "id")?, time_us, data })
    }

    /// The data as lines of a file, one for each object.
    pub(super) fn lines(&self) -> Result<String, Reject> {
        let one_line = |text: &str| text.replace(['\n', '\r'], " ");
        let data = self.data.trim();
        if !data.starts_with('[') {
            return Ok(one_line(data));
        }
        let objects: Vec<&RawValue> = serde_json::from_str(data)
            .map_err(|error| Reject::new("bad_json", format!("`data` is no JSON: {error}"), data))?;
        let lines: Vec<_> = objects.iter().map(|object| one_line(object.get())).collect();
        if lines.is_empty() {
            return Err(Reject::new("bad_event", "`data` says nothing", data));
        }
        Ok(lines.join("\n"))
    }
}

fn required(text: &dyn Fn(&str) -> Result<Option<String>, Reject>, name: &str) -> Result<String, Reject> {
    let value = text(name)?.filter(|value| !value.is_empty());
    let value =
        value.ok_or_else(|| Reject::new("missing_property", format!("the event has no `{name}`"), name))?;
    if value.len() > NAME_BYTES_MAX || value.chars().any(char::is_control) {
        let limit = format!("`{name}` must have at most {NAME_BYTES_MAX} bytes and no control characters");
        return Err(Reject::new("bad_event", limit, &value));
    }
    Ok(value)
}

/// Names of attributes are lower-case letters and digits.
pub(super) fn check_names<'n>(names: impl Iterator<Item = &'n str>) -> Result<(), Reject> {
    let is_good = |name: &str| {
        name == "data_base64"
            || (!name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
    };
    for name in names {
        if !is_good(name) {
            return Err(Reject::new(
                "bad_event",
                "an attribute's name has lower-case letters and digits only",
                name,
            ));
        }
    }
    Ok(())
}

pub(super) fn rejected(rejects: Vec<Rejected>) -> Unreadable {
    Unreadable::Rejected(rejects)
}

fn bad(name: &str, expected: &str, raw: &str) -> Reject {
    Reject::new("bad_event", format!("`{name}` must be {expected}"), raw)
}
