//! The formats of TREC: documents in `<DOC>`, topics in `<top>` or a line each, judgements of four columns.

mod markup;

use super::judged::{columns, grade};
use super::lines::Lines;
use super::{Document, Judgements, Query};
use crate::evaluate::error::Result;
use markup::{Field, fields};

/// Longest document, in bytes.
const DOCUMENT_BYTES_MAX: usize = 16 << 20;

pub(super) fn documents(lines: &mut Lines, take: &mut dyn FnMut(Document) -> Result<()>) -> Result<()> {
    elements(lines, "doc", &mut |lines, line, text| {
        let fields = fields(text, document_field);
        let id = fields.first(Field::Id);
        if id.is_empty() {
            return Err(lines.bad_at(line, "a document without", "<DOCNO>", "each has one"));
        }
        // What is in no field of its own is the text of a document that has no field for it.
        let text = if fields.has(Field::Text) { fields.all(Field::Text) } else { fields.all(Field::Loose) };
        take(Document { id, title: fields.all(Field::Title), text })
    })
}

pub(super) fn queries(lines: &mut Lines) -> Result<Vec<Query>> {
    let mut queries = Vec::new();
    let mut lists = Vec::new();
    let mut loose = |line: &str| {
        if let Some((id, text)) = line.split_once('\t') {
            lists.push(Query { id: number(id), text: text.trim().to_owned() });
        }
    };
    elements_beside(lines, "top", &mut loose, &mut |lines, line, text| {
        let fields = fields(text, topic_field);
        let id = fields.first(Field::Id);
        let id = id.trim_start_matches("Number:").trim();
        if id.is_empty() {
            return Err(lines.bad_at(line, "a topic without", "<num>", "each has one"));
        }
        let title = fields.all(Field::Title);
        let title = title.trim_start_matches("Topic:").trim();
        let described = fields.all(Field::Text);
        let text = if title.is_empty() { described.trim_start_matches("Description:").trim() } else { title };
        queries.push(Query { id: number(id), text: text.to_owned() });
        Ok(())
    })?;
    Ok(if queries.is_empty() { lists } else { queries })
}

pub(super) fn judgements(lines: &mut Lines) -> Result<Judgements> {
    let mut judgements = Judgements::default();
    while let Some(line) = lines.next()? {
        let [query, _, document, stated] = columns(&line)[..] else {
            if line.trim().is_empty() {
                continue;
            }
            return Err(lines.bad("judgement", &line, "query, iteration, document, grade"));
        };
        let grade = grade(stated).ok_or_else(|| lines.bad("grade", stated, "a whole number"))?;
        judgements.add(lines, &number(query), document, grade)?;
    }
    Ok(judgements)
}

/// The number of a topic: `051` of the topics is `51` of the judgements.
fn number(id: &str) -> String {
    let id = id.trim();
    if id.bytes().all(|byte| byte.is_ascii_digit()) {
        let digits = id.trim_start_matches('0');
        return if digits.is_empty() { "0" } else { digits }.to_owned();
    }
    id.to_owned()
}

fn document_field(name: &str) -> Option<Field> {
    Some(match name {
        "docno" => Field::Id,
        "title" | "headline" | "head" | "hl" | "ti" | "ttl" => Field::Title,
        "text" | "body" | "abstract" | "lp" | "leadpara" | "maintext" => Field::Text,
        "docid" | "dochdr" | "docoldno" | "doctype" | "fileid" | "url" | "date" | "date1" | "parent"
        | "author" | "byline" | "bibl" | "source" | "pub" | "page" | "section" | "length" | "dateline"
        | "first" | "second" => Field::Other,
        _ => return None,
    })
}

fn topic_field(name: &str) -> Option<Field> {
    Some(match name {
        "num" => Field::Id,
        "title" => Field::Title,
        "desc" => Field::Text,
        "narr" | "dom" | "head" | "smry" | "con" | "fac" | "def" => Field::Other,
        _ => return None,
    })
}

/// What each `<name>` holds, with the line on which it begins.
fn elements(
    lines: &mut Lines,
    name: &str,
    take: &mut dyn FnMut(&Lines, u64, &str) -> Result<()>,
) -> Result<()> {
    elements_beside(lines, name, &mut |_| {}, take)
}

fn elements_beside(
    lines: &mut Lines,
    name: &str,
    beside: &mut dyn FnMut(&str),
    take: &mut dyn FnMut(&Lines, u64, &str) -> Result<()>,
) -> Result<()> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut inside: Option<(u64, String)> = None;
    while let Some(line) = lines.next()? {
        let mut rest = line.as_str();
        loop {
            let Some((begun, text)) = &mut inside else {
                let Some((before, after)) = split_once(rest, &open) else {
                    beside(rest);
                    break;
                };
                beside(before);
                inside = Some((lines.number(), String::new()));
                rest = after;
                continue;
            };
            let Some((last, after)) = split_once(rest, &close) else {
                text.push_str(rest);
                text.push('\n');
                if text.len() > DOCUMENT_BYTES_MAX {
                    let wanted = format!("at most {DOCUMENT_BYTES_MAX} bytes");
                    return Err(lines.bad_at(*begun, "too long:", &open, &wanted));
                }
                break;
            };
            text.push_str(last);
            take(lines, *begun, text)?;
            inside = None;
            rest = after;
        }
    }
    match inside {
        Some((begun, _)) => {
            Err(lines.bad_at(begun, "the file ends within", &open, &format!("it ends with `{close}`")))
        }
        None => Ok(()),
    }
}

/// Like that of `str`, in letters of any case.
fn split_once<'a>(text: &'a str, tag: &str) -> Option<(&'a str, &'a str)> {
    let is_there = |at: &usize| {
        text.as_bytes()[*at..]
            .get(..tag.len())
            .is_some_and(|there| there.eq_ignore_ascii_case(tag.as_bytes()))
    };
    let at = memchr::memchr_iter(b'<', text.as_bytes()).find(is_there)?;
    Some((&text[..at], &text[at + tag.len()..]))
}
