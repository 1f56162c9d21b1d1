//! One object that could not be taken, and why; the rest of its file goes on.

use std::io::{self, Write};

use serde::Serialize;

/// Longest value shown in a reject, in characters.
pub const VALUE_CHARS_MAX: usize = 200;

/// An object that is left out of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The line on which the object starts, from 1.
    pub line: u64,
    /// A stable name for scripts.
    pub code: &'static str,
    /// The column of a table in which it is wrong.
    pub column: Option<String>,
    /// What is wrong, for people.
    pub reason: String,
    /// The offending value, cut to [`VALUE_CHARS_MAX`].
    pub value: String,
}

/// Behind a row and in front of the CRC-32 of what stands before this, in 8 hex digits.
const SUM: &str = ",\"crc32\":\"";

#[derive(Serialize)]
struct Row<'a> {
    file: &'a str,
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<&'a str>,
    code: &'a str,
    reason: &'a str,
    value: &'a str,
}

impl Reject {
    /// A reject whose line is not known yet: see [`Reject::at`].
    #[must_use]
    pub fn new(code: &'static str, reason: impl Into<String>, value: &str) -> Reject {
        let value = value.chars().take(VALUE_CHARS_MAX).collect();
        Reject { line: 0, column: None, code, reason: reason.into(), value }
    }

    /// The same reject, on that line.
    #[must_use]
    pub fn at(self, line: u64) -> Reject {
        Reject { line, ..self }
    }

    /// The same reject, in that column.
    #[must_use]
    pub fn in_column(self, column: &str) -> Reject {
        Reject { column: Some(column.to_owned()), ..self }
    }

    /// Writes the reject as one line of a rejects file.
    ///
    /// # Errors
    /// What `out` fails with.
    pub fn write_line(&self, file: &str, out: &mut dyn Write) -> io::Result<()> {
        let row = Row {
            file,
            line: self.line,
            column: self.column.as_deref(),
            code: self.code,
            reason: &self.reason,
            value: &self.value,
        };
        let mut line = serde_json::to_vec(&row)?;
        line.pop();
        let sum = crc32fast::hash(&line);
        out.write_all(&line)?;
        writeln!(out, "{SUM}{sum:08x}\"}}")
    }
}

/// Whether a line of a rejects file, without its end, is as it was written.
#[must_use]
pub(crate) fn is_whole(line: &[u8]) -> bool {
    let Some(at) = memchr::memmem::rfind(line, SUM.as_bytes()) else { return is_unsummed(line) };
    let sum = format!("{:08x}\"}}", crc32fast::hash(&line[..at]));
    line[at + SUM.len()..] == *sum.as_bytes()
}

/// Whether it is a line of an earlier program, which wrote no checksums.
fn is_unsummed(line: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "what is in them is for people")]
    struct Unsummed {
        file: String,
        line: u64,
        column: Option<String>,
        code: String,
        reason: String,
        value: String,
    }
    serde_json::from_slice::<Unsummed>(line).is_ok()
}

/// What breaks a rule of the model is a reject with a code of its own.
impl From<storage::Error> for Reject {
    fn from(error: storage::Error) -> Reject {
        let reason = error.to_string();
        match error {
            storage::Error::Invalid { what, value, limit } => {
                Reject::new(code_of(what), format!("{what}: {limit}"), &value)
            }
            _ => Reject::new(error.code(), reason, ""),
        }
    }
}

fn code_of(what: &str) -> &'static str {
    match what {
        "id" => "bad_id",
        "type" | "relation kind" => "bad_type",
        "property name" => "bad_property_name",
        "weight" => "bad_weight",
        "embedding" | "model of an embedding" => "bad_embedding",
        "text too long" => "text_too_large",
        "unknown classification" => "bad_classification",
        _ => "invalid",
    }
}
