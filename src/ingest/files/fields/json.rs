//! JSON text: its top-level properties, and the same text without white space between tokens.

use std::borrow::Cow;
use std::fmt;

use memchr::memchr2;
use memchr::memmem;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::reject::Reject;
use super::Field;

/// Deepest nesting of an object, itself included.
const DEPTH_MAX: usize = 128;

/// The properties of the object that `text` holds, duplicates too.
pub(super) fn properties(text: &str) -> Result<Vec<Field<'_>>, Reject> {
    if !text.trim_ascii_start().starts_with('{') {
        return Err(Reject::new("not_an_object", "not a JSON object", text));
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let fields = json.deserialize_map(Properties).map_err(|error| bad_json(&error, text))?;
    json.end().map_err(|error| bad_json(&error, text))?;
    check_surrogates(text)?;
    Ok(fields)
}

struct Properties;

impl<'de> Visitor<'de> for Properties {
    type Value = Vec<Field<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::with_capacity(24);
        while let Some(name) = map.next_key_seed(Name)? {
            let raw = map.next_value::<&'de RawValue>()?.get();
            fields.push(Field { name, raw });
        }
        Ok(fields)
    }
}

/// A name borrowed from the text where it has no escapes; serde's own `Cow` is always owned.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a property name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.into()))
    }
}

/// Raw values are not looked into, so an escape that names half a character would go unseen and could never be read.
fn check_surrogates(text: &str) -> Result<(), Reject> {
    let suspect = |escape: &[u8]| memmem::find(text.as_bytes(), escape).is_some();
    if !suspect(br"\ud") && !suspect(br"\uD") {
        return Ok(());
    }
    let whole = serde_json::from_str::<serde_json::Value>(text);
    whole.map_or_else(|error| Err(bad_json(&error, text)), |_| Ok(()))
}

/// Shows the text around the place where it stops being JSON.
fn bad_json(error: &serde_json::Error, text: &str) -> Reject {
    const BEFORE: usize = 60;
    let at = offset_of(error, text);
    let start = text.floor_char_boundary(at.saturating_sub(BEFORE));
    let what = error.to_string();
    let what = what.split(" at line ").next().unwrap_or(&what);
    let reason = format!("not JSON: {what}, at byte {at} of the object");
    Reject::new("bad_json", reason, &text[start..])
}

fn offset_of(error: &serde_json::Error, text: &str) -> usize {
    let before = error.line().saturating_sub(1);
    let lines: usize = text.split_inclusive('\n').take(before).map(str::len).sum();
    (lines + error.column()).min(text.len())
}

/// The same JSON text without white space between tokens, where `depth` levels are around it.
///
/// # Errors
/// `too_deep`, or `number_out_of_range` for a number beyond a double, which no reader could show.
pub(in super::super) fn minified(raw: &str, depth: usize) -> Result<String, Reject> {
    match raw.as_bytes().first() {
        Some(b'{' | b'[') => container(raw, depth),
        Some(b'-' | b'0'..=b'9') => check_number(raw).map(|()| raw.into()),
        _ => Ok(raw.into()),
    }
}

fn container(raw: &str, mut depth: usize) -> Result<String, Reject> {
    let bytes = raw.as_bytes();
    let mut out = String::with_capacity(raw.len());
    let (mut at, mut copied) = (0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = after_string(bytes, at),
            b'{' | b'[' => {
                depth += 1;
                check_depth(depth, raw)?;
                at += 1;
            }
            b'}' | b']' => {
                depth -= 1;
                at += 1;
            }
            b' ' | b'\t' | b'\r' | b'\n' => {
                out.push_str(&raw[copied..at]);
                at = after(bytes, at, |byte| b" \t\r\n".contains(&byte));
                copied = at;
            }
            b'-' | b'0'..=b'9' => {
                let end = after(bytes, at, |byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
                check_number(&raw[at..end])?;
                at = end;
            }
            _ => at += 1,
        }
    }
    out.push_str(&raw[copied..]);
    Ok(out)
}

/// Where the string that starts at `at` ends; the text is known to be JSON.
fn after_string(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(n) = memchr2(b'"', b'\\', &bytes[at..]) {
        if bytes[at + n] == b'"' {
            return at + n + 1;
        }
        at += n + 2;
    }
    bytes.len()
}

fn after(bytes: &[u8], at: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let n = bytes[at..].iter().take_while(|byte| belongs(**byte)).count();
    at + n
}

fn check_depth(depth: usize, raw: &str) -> Result<(), Reject> {
    if depth <= DEPTH_MAX {
        return Ok(());
    }
    let reason = format!("nested deeper than {DEPTH_MAX} levels");
    Err(Reject::new("too_deep", reason, raw))
}

fn check_number(number: &str) -> Result<(), Reject> {
    /// No double with fewer digits and no exponent is out of range.
    const SAFE_DIGITS: usize = 300;
    let safe = number.len() < SAFE_DIGITS && !number.contains(['e', 'E']);
    if safe || number.parse().is_ok_and(f64::is_finite) {
        return Ok(());
    }
    let reason = "a number beyond what a double can hold";
    Err(Reject::new("number_out_of_range", reason, number))
}
