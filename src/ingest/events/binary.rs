//! The binary mode: an event's attributes stand in headers `ce-...`, its data is the body.

use std::borrow::Cow;

use super::Rejected;
use super::envelope::{Envelope, Unreadable, check_names, rejected};
use crate::ingest::files::Reject;

const PREFIX: &str = "ce-";

/// The event that headers and body make.
pub(super) fn read<'b>(headers: &[(String, String)], body: &'b [u8]) -> Result<Envelope<'b>, Unreadable> {
    let data = std::str::from_utf8(body)
        .map_err(|error| Unreadable::Body(format!("the data must be JSON in UTF-8: {error}")))?;
    let data_type = headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
    let attributes: Vec<_> =
        headers.iter().filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?, value))).collect();
    let text = |wanted: &str| -> Result<Option<String>, Reject> {
        let found = attributes.iter().find(|(name, _)| *name == wanted);
        found.map(|(name, value)| decoded(name, value)).transpose()
    };
    check_names(attributes.iter().map(|(name, _)| *name))
        .and_then(|()| Envelope::new(&text, data_type, Cow::Borrowed(data)))
        .map_err(|reject| rejected(vec![Rejected { index: 0, reject }]))
}

/// A header's value: what is no printable ASCII comes percent-encoded.
fn decoded(name: &str, value: &str) -> Result<String, Reject> {
    let bad = || Reject::new("bad_event", format!("header `ce-{name}` is not percent-encoded UTF-8"), value);
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(bad)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| bad())?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).map_err(|_| bad())
}
