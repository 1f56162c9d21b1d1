//! CloudEvents 1.0: from a request's headers and body to events, and what each says. Pure, like the reading of files.
//!
//! An event's `data` is one object of the JSONL format, or a list of them; they are read as lines of a file are.

mod binary;
mod envelope;

use std::ops::ControlFlow;

use storage::commands::Event;
use storage::model::SourceSpec;

pub use envelope::{Envelope, Unreadable};

use super::files::{Format, Import, Item, Reject};

/// Most events of one request.
pub const EVENTS_MAX: usize = 1000;

/// One event that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Which, counted from 0.
    pub index: usize,
    /// Why; its line is the object's number in the event's data, from 1.
    pub reject: Reject,
}

/// How a request holds its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One event as a JSON object.
    Structured,
    /// Several as a JSON array.
    Batched,
    /// One: its data is the body, the rest stands in headers.
    Binary,
}

impl Mode {
    /// The mode of a request of a content type, with or without a header `ce-specversion`.
    #[must_use]
    pub fn of(content_type: &str, has_event_headers: bool) -> Option<Mode> {
        match media_type(content_type).as_str() {
            "application/cloudevents+json" => Some(Mode::Structured),
            "application/cloudevents-batch+json" => Some(Mode::Batched),
            _ if has_event_headers => Some(Mode::Binary),
            _ => None,
        }
    }
}

/// The events of a request's body.
///
/// # Errors
/// `Unreadable` if the body as a whole is none; otherwise the events that break a rule of CloudEvents.
pub fn read<'b>(
    mode: Mode,
    headers: &[(String, String)],
    body: &'b [u8],
) -> Result<Vec<Envelope<'b>>, Unreadable> {
    match mode {
        Mode::Structured => envelope::one(body).map(|event| vec![event]),
        Mode::Batched => envelope::many(body, EVENTS_MAX),
        Mode::Binary => binary::read(headers, body).map(|event| vec![event]),
    }
}

/// What events say, on the terms of their source.
///
/// # Errors
/// Every object that cannot be read, with the event it is in.
pub fn said(envelopes: &[Envelope<'_>], source: &SourceSpec) -> Result<Vec<Event>, Vec<Rejected>> {
    let mut import = Import::new(source.clone());
    let (mut events, mut rejected) = (Vec::with_capacity(envelopes.len()), Vec::new());
    for (index, envelope) in envelopes.iter().enumerate() {
        match one(&mut import, envelope) {
            Ok(event) => events.push(event),
            Err(rejects) => rejected.extend(rejects.into_iter().map(|reject| Rejected { index, reject })),
        }
    }
    if rejected.is_empty() { Ok(events) } else { Err(rejected) }
}

fn one(import: &mut Import, envelope: &Envelope<'_>) -> Result<Event, Vec<Reject>> {
    let lines = envelope.lines().map_err(|reject| vec![reject])?;
    let (mut said, mut rejects) = (Vec::new(), Vec::new());
    let read = import.read(Format::Jsonl, "", &mut lines.as_bytes(), &mut |item| {
        match item {
            Item::Said { said: one, .. } => said.push(one),
            Item::Reject(reject) => rejects.push(reject),
        }
        ControlFlow::Continue(())
    });
    if let Err(fatal) = read {
        rejects.push(Reject::new(fatal.code(), fatal.to_string(), ""));
    }
    if !rejects.is_empty() {
        return Err(rejects);
    }
    let mut event = Event::new(envelope.source.clone(), envelope.id.clone(), said);
    for said in &mut event.said {
        // What was seen, and no more is said of when, was seen when the event happened. Libraries stamp that time on an
        // event each time that they make it: it is no part of what tells one event from another.
        said.observed_at_us = said.observed_at_us.or(envelope.time_us);
    }
    Ok(event)
}

/// A content type without its parameters.
fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether data of this content type are JSON.
fn is_json(content_type: &str) -> bool {
    let media_type = media_type(content_type);
    media_type == "application/json" || media_type == "text/json" || media_type.ends_with("+json")
}

#[cfg(test)]
mod tests;
