//! What a cell can be, and the JSON that it becomes.
//!
//! A cell is a number only if the number says all that the text said: `007`, `1.`, `+5` and what a double cannot hold
//! stay text.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Beyond this a double, and so most readers of JSON, no longer tells one integer from the next.
const INTEGER_MAX: u64 = (1 << 53) - 1;
/// Digits that a double always gives back.
const NUMBER_DIGITS_MAX: usize = 15;

/// What every cell of a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Anything.
    Text,
    /// A whole number.
    Integer,
    /// A number with a fraction, perhaps.
    Number,
    /// True or false.
    Boolean,
    /// A point in time, or a day.
    Time,
    /// One of a few words.
    Enumeration,
}

impl Kind {
    /// What a value of this kind must be, for people.
    pub(super) fn must_be(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Integer => "a whole number without leading zeros, at most 9007199254740991",
            Kind::Number => "a number such as -1.5, of at most 15 digits, without leading zeros",
            Kind::Boolean => "true or false",
            Kind::Time => "a time such as 2024-01-31T12:00:00Z or 2024-01-31",
            Kind::Enumeration => "one of its values",
        }
    }

    /// The JSON of a cell of this kind; `None` if it is not of it.
    pub(super) fn json(self, cell: &str, values: &[String]) -> Option<String> {
        match self {
            Kind::Text => Some(quoted(cell)),
            Kind::Integer => is_integer(cell).then(|| cell.to_owned()),
            Kind::Number => is_number(cell).then(|| cell.to_owned()),
            Kind::Boolean => boolean(cell).map(|flag| flag.to_string()),
            Kind::Time => time_us(cell).map(|_| quoted(cell)),
            Kind::Enumeration => values.iter().any(|value| value == cell).then(|| quoted(cell)),
        }
    }
}

/// A text as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    // Nearly no cell holds anything that JSON escapes.
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        return ["\"", text, "\""].concat();
    }
    serde_json::to_string(text).expect("a string is JSON")
}

/// Whether the cell is a whole number, written as JSON writes it.
pub(super) fn is_integer(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let written = match digits.as_bytes() {
        [b'0'] => cell == "0",
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    written && digits.parse::<u64>().is_ok_and(|number| number <= INTEGER_MAX)
}

/// Whether the cell is a number, written as JSON writes it, that a double gives back digit by digit. An exponent is
/// taken only behind a fraction: `12e5` is as likely a name.
pub(super) fn is_number(cell: &str) -> bool {
    if is_integer(cell) {
        return true;
    }
    let (mantissa, exponent) = match cell.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (cell, None),
    };
    let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let Some((whole, fraction)) = unsigned.split_once('.') else { return false };
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let whole_ok = whole == "0" || (all_digits(whole) && !whole.starts_with('0'));
    let exponent_ok = exponent.is_none_or(|text| {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        digits.len() <= 3 && all_digits(digits)
    });
    whole_ok
        && all_digits(fraction)
        && exponent_ok
        && whole.len() + fraction.len() <= NUMBER_DIGITS_MAX
        && cell.parse().is_ok_and(f64::is_finite)
}

/// The truth value that the cell names.
pub(super) fn boolean(cell: &str) -> Option<bool> {
    match cell {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// A time in microseconds since 1970. One without an offset is taken for UTC, a day for its first moment.
pub(super) fn time_us(cell: &str) -> Option<i64> {
    // The library knows more spellings than people mean: `20240131` is more likely a number.
    let bytes = cell.as_bytes();
    if bytes.len() < 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    if let Ok(time) = cell.parse::<Timestamp>() {
        return Some(time.as_microsecond());
    }
    let civil: DateTime = cell.parse().ok()?;
    Some(TimeZone::UTC.to_timestamp(civil).ok()?.as_microsecond())
}
