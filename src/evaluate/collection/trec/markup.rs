//! What stands between the tags of a TREC document or topic. It looks like SGML and is none: tags are left open, and `<` stands
//! in formulas.

/// What a tag says of the text in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Id,
    Title,
    Text,
    /// Neither a title nor a text.
    Other,
    /// In no known tag.
    Loose,
}

/// The texts of an element, in their order.
pub(super) struct Fields(Vec<(Field, String)>);

/// Longest name of a tag, with all that stands in it, in bytes.
const TAG_BYTES_MAX: usize = 256;

/// Takes an element apart. A tag that `known` does not know is as good as a blank.
pub(super) fn fields(text: &str, known: impl Fn(&str) -> Option<Field>) -> Fields {
    let mut fields: Vec<(Field, String)> = Vec::new();
    let mut open: Vec<(String, Field)> = Vec::new();
    let mut opened = true;
    let mut rest = text;
    while let Some((before, tag, after)) = next_tag(rest) {
        add(&mut fields, open.last().map_or(Field::Loose, |(_, field)| *field), before, opened);
        opened = false;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            if let Some(at) = open.iter().rposition(|(other, _)| other == name) {
                open.truncate(at);
            }
        } else if let Some(field) = known(&tag) {
            open.push((tag, field));
            opened = true;
        }
    }
    add(&mut fields, open.last().map_or(Field::Loose, |(_, field)| *field), rest, opened);
    Fields(fields)
}

/// Adds to the last text, if it is of the same field.
fn add(fields: &mut Vec<(Field, String)>, field: Field, text: &str, anew: bool) {
    let text = decoded(text);
    match fields.last_mut() {
        Some((last, into)) if *last == field && !anew => {
            into.push(' ');
            into.push_str(&text);
        }
        _ => fields.push((field, text)),
    }
}

/// What is before the next tag, its name in small letters with its slash, and what is after it.
fn next_tag(text: &str) -> Option<(&str, String, &str)> {
    memchr::memchr_iter(b'<', text.as_bytes()).find_map(|at| {
        let inside = &text[at + 1..];
        if let Some(comment) = inside.strip_prefix("!--") {
            let after = comment.split_once("-->").map_or("", |(_, after)| after);
            return Some((&text[..at], String::new(), after));
        }
        let end = inside.bytes().take(TAG_BYTES_MAX).position(|byte| byte == b'>')?;
        let name = tag_name(&inside[..end])?;
        Some((&text[..at], name, &inside[end + 1..]))
    })
}

/// The name of a tag, unless it is none: `a < b` has no name behind its sign.
fn tag_name(inside: &str) -> Option<String> {
    let is_end = inside.starts_with('/');
    let named = inside.trim_start_matches('/');
    let name = named.split(|c: char| c.is_whitespace() || c == '/').next()?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-:.".contains(c));
    is_name.then(|| format!("{}{}", if is_end { "/" } else { "" }, name.to_ascii_lowercase()))
}

/// The text with its character references as what they refer to.
fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let known = after.split_once(';').and_then(|(name, after)| Some((referred(name)?, after)));
        let (what, then) = known.unwrap_or(('&', after));
        out.push(what);
        rest = then;
    }
    out.push_str(rest);
    out
}

fn referred(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" | "blank" => ' ',
        "hyph" => '-',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

impl Fields {
    pub(super) fn has(&self, field: Field) -> bool {
        self.0.iter().any(|(of, text)| *of == field && !text.trim().is_empty())
    }

    /// The first text of a field that is not empty.
    pub(super) fn first(&self, field: Field) -> String {
        let mut texts = self.0.iter().filter(|(of, _)| *of == field).map(|(_, text)| text.trim());
        texts.find(|text| !text.is_empty()).unwrap_or_default().to_owned()
    }

    /// Every text of a field.
    pub(super) fn all(&self, field: Field) -> String {
        let texts = self.0.iter().filter(|(of, _)| *of == field).map(|(_, text)| text.trim());
        texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
    }
}
