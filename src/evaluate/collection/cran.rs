//! The format of the Cranfield collection, and of others from the same time: `.I 12`, then sections such as `.T` and `.W`.
//!
//! Queries are judged by their order in the file and not by what `.I` calls them. In the judgements 1 is the most relevant
//! and 4 the least, so grades say no more here than relevant or not.

use super::judged::grade;
use super::lines::Lines;
use super::{Document, Judgements, Query};
use crate::evaluate::error::Result;

/// Grades that mean relevant.
const RELEVANT: std::ops::RangeInclusive<i32> = 1..=4;
/// Grades there are.
const GRADES: std::ops::RangeInclusive<i32> = -1..=5;

#[derive(Clone, Copy)]
enum Section {
    Title,
    Text,
    /// Authors, sources, references.
    Other,
}

pub(super) fn documents(lines: &mut Lines, take: &mut dyn FnMut(Document) -> Result<()>) -> Result<()> {
    records(lines, take)
}

pub(super) fn queries(lines: &mut Lines) -> Result<Vec<Query>> {
    let mut queries = Vec::new();
    records(lines, &mut |record| {
        let text = if record.text.trim().is_empty() { record.title } else { record.text };
        queries.push(Query { id: (queries.len() + 1).to_string(), text });
        Ok(())
    })?;
    Ok(queries)
}

pub(super) fn judgements(lines: &mut Lines) -> Result<Judgements> {
    let mut judgements = Judgements::default();
    while let Some(line) = lines.next()? {
        // Ids are numbers, so a blank parts columns, also beside tabs.
        let columns: Vec<&str> = line.split_whitespace().collect();
        let (query, document, stated) = match columns[..] {
            [] => continue,
            [query, document] => (query, document, Some(1)),
            [query, document, stated] => (query, document, grade(stated)),
            [query, "0" | "Q0", document, stated] => (query, document, grade(stated)),
            // SMART's: what is listed is relevant, and the rest says nothing.
            [query, document, "0", rest] if grade(rest) == Some(0) => (query, document, Some(1)),
            _ => return Err(lines.bad("judgement", &line, "query, document, grade")),
        };
        if query.parse::<u32>().is_err() {
            return Err(lines.bad("query", query, "its place in the file of the queries, from 1"));
        }
        let Some(stated) = stated.filter(|stated| GRADES.contains(stated)) else {
            return Err(lines.bad("grade in", &line, "-1 to 5, of which 1 to 4 are relevant"));
        };
        let query = query.trim_start_matches('0');
        judgements.add(lines, query, document, i32::from(RELEVANT.contains(&stated)))?;
    }
    Ok(judgements)
}

fn records(lines: &mut Lines, take: &mut dyn FnMut(Document) -> Result<()>) -> Result<()> {
    let mut record: Option<Document> = None;
    let (mut section, mut begun) = (Section::Other, String::new());
    while let Some(line) = lines.next()? {
        match (marker(&line), &mut record) {
            (Some(('I', "")), _) => {
                return Err(lines.bad("no id in", &line, "such as `.I 12`"));
            }
            (Some(('I', id)), _) => {
                let next = Document { id: id.to_owned(), ..Document::default() };
                record.replace(next).map_or(Ok(()), &mut *take)?;
                (section, begun) = (Section::Other, String::new());
            }
            // A section comes once: texts of the collection have lines that look as if another began.
            (Some((name, _)), Some(_)) if !begun.contains(name) => {
                section = Section::of(name);
                begun.push(name);
            }
            (_, Some(record)) => section.add(record, &line),
            (_, None) if line.trim().is_empty() => {}
            (_, None) => return Err(lines.bad("before the first record:", &line, "records begin with `.I`")),
        }
    }
    record.map_or(Ok(()), take)
}

/// The letter and the rest of a line such as `.I 12` or `.W`.
fn marker(line: &str) -> Option<(char, &str)> {
    let rest = line.strip_prefix('.')?;
    let name = rest.chars().next().filter(char::is_ascii_uppercase)?;
    let rest = &rest[1..];
    let value = rest.trim();
    let is_marker =
        if name == 'I' { value.is_empty() || rest.starts_with([' ', '\t']) } else { value.is_empty() };
    is_marker.then_some((name, value))
}

impl Section {
    fn of(name: char) -> Section {
        match name {
            'T' => Section::Title,
            'W' => Section::Text,
            _ => Section::Other,
        }
    }

    fn add(self, record: &mut Document, line: &str) {
        let (into, between) = match self {
            Section::Title => (&mut record.title, ' '),
            Section::Text => (&mut record.text, '\n'),
            Section::Other => return,
        };
        if !into.is_empty() {
            into.push(between);
        }
        into.push_str(line.trim());
    }
}
