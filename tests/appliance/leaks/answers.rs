//! Answers without what differs from one to the next by nature: times, positions, secrets that are new each time, and
//! scores, since the statistics of words span a tenant and move with its index.

use serde_json::Value;

/// What differs between two answers to one question.
const PASSING: &[&str] = &[
    "tookMs",
    "took_ms",
    "lsn",
    "nextCursor",
    "next_cursor",
    "endCursor",
    "cursor",
    "score",
    "keyword",
    "keywordRaw",
    "keyword_raw",
    "expiresAt",
    "token",
    "note",
    "request_id",
    "requestId",
    "version",
    "madeAt",
    "savedAt",
];
/// Headers that differ by nature, or hold words that a tenant may be named by.
const PASSING_HEADERS: &[&str] = &["date", "x-request-id", "content-length", "content-security-policy"];

/// A JSON document with what passes blanked out; null stays null.
pub(super) fn lasting(mut document: Value) -> Value {
    blank(&mut document);
    document
}

/// A text that may be JSON, one document or one a line.
pub(super) fn lasting_text(text: &str) -> String {
    let line = |line: &str| {
        serde_json::from_str(line).map_or_else(|_| line.to_owned(), |json| lasting(json).to_string())
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Headers, with what passes left out.
pub(super) fn lasting_headers(headers: &[(String, String)]) -> String {
    let lasting = headers.iter().filter(|(name, _)| !PASSING_HEADERS.contains(&name.as_str()));
    lasting.map(|(name, value)| format!("{name}: {value}\n")).collect()
}

fn blank(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                if PASSING.contains(&name.as_str()) && !value.is_null() {
                    *value = "PASSING".into();
                } else {
                    blank(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(blank),
        _ => {}
    }
}
