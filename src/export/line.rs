//! A JSON object that is written property by property.

use std::fmt::Write as _;

/// The object, as far as it is written.
pub(super) struct Line(String);

impl Line {
    pub(super) fn new() -> Line {
        Line(String::from("{"))
    }

    pub(super) fn text(&mut self, name: &str, value: &str) -> &mut Line {
        self.json(name, &json(value))
    }

    pub(super) fn json(&mut self, name: &str, value: &str) -> &mut Line {
        let comma = if self.0.len() > 1 { "," } else { "" };
        // Writing to a string does not fail.
        let _ = write!(self.0, "{comma}{}:{value}", json(name));
        self
    }

    pub(super) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// Any value as JSON.
pub(super) fn json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("texts and finite numbers are JSON")
}
