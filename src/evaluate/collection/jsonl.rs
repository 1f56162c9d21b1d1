//! A JSON object a line. Documents are those of BEIR and its like, or lines as they are imported and exported.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::judged::grade;
use super::lines::Lines;
use super::{Document, Judgements, Query};
use crate::evaluate::error::Result;

const IDS: &[&str] = &["_id", "id", "doc_id", "docid", "docno", "query_id", "query-id", "qid"];
const TITLES: &[&str] = &["title", "name"];
const TEXTS: &[&str] = &["text", "contents", "body", "abstract"];
const QUERIES: &[&str] = &["text", "query", "title"];
const JUDGED_QUERIES: &[&str] = &["query-id", "query_id", "qid", "query"];
const JUDGED_DOCUMENTS: &[&str] =
    &["corpus-id", "corpus_id", "doc-id", "doc_id", "docid", "docno", "document", "doc", "id"];
const GRADES: &[&str] = &["score", "grade", "relevance", "rel", "label"];

pub(super) fn documents(lines: &mut Lines, take: &mut dyn FnMut(Document) -> Result<()>) -> Result<()> {
    while let Some(line) = lines.next()? {
        let Some(object) = object(lines, &line)? else { continue };
        if object.contains_key("relation") {
            continue;
        }
        let id = required(lines, &object, IDS, &line)?;
        take(Document { id, title: title(&object), text: text(&object) })?;
    }
    Ok(())
}

pub(super) fn queries(lines: &mut Lines) -> Result<Vec<Query>> {
    let mut queries = Vec::new();
    while let Some(line) = lines.next()? {
        let Some(object) = object(lines, &line)? else { continue };
        let id = required(lines, &object, IDS, &line)?;
        queries.push(Query { id, text: required(lines, &object, QUERIES, &line)? });
    }
    Ok(queries)
}

/// One judgement: `{"query":"7","document":"d-12","grade":2}`.
pub(super) fn judgement(lines: &Lines, line: &str, into: &mut Judgements) -> Result<()> {
    let Some(object) = object(lines, line)? else { return Ok(()) };
    let query = required(lines, &object, JUDGED_QUERIES, line)?;
    let document = required(lines, &object, JUDGED_DOCUMENTS, line)?;
    let stated = required(lines, &object, GRADES, line)?;
    let grade = grade(&stated).ok_or_else(|| lines.bad("grade", &stated, "a whole number"))?;
    into.add(lines, &query, &document, grade)
}

/// Lines of a query in words and one document, or all that are `relevant`: `{"query":"stolen tickets","relevant":["t-1"]}`.
pub(super) fn judged_queries(lines: &mut Lines) -> Result<(Vec<Query>, Judgements)> {
    let (mut queries, mut judgements) = (Vec::<Query>::new(), Judgements::default());
    let mut known = HashSet::new();
    while let Some(line) = lines.next()? {
        let Some(object) = object(lines, &line)? else { continue };
        let text = required(lines, &object, JUDGED_QUERIES, &line)?;
        match object.get("relevant").and_then(Value::as_array) {
            Some(relevant) => {
                for id in relevant.iter().filter_map(Value::as_str) {
                    judgements.add(lines, &text, id, 1)?;
                }
            }
            None => judgement(lines, &line, &mut judgements)?,
        }
        if known.insert(text.clone()) {
            queries.push(Query { id: text.clone(), text });
        }
    }
    queries.retain(|query| judgements.of(&query.id).is_some());
    Ok((queries, judgements))
}

fn object(lines: &Lines, line: &str) -> Result<Option<Map<String, Value>>> {
    if line.trim().is_empty() {
        return Ok(None);
    }
    match serde_json::from_str(line) {
        Ok(Value::Object(object)) => Ok(Some(object)),
        Ok(_) => Err(lines.bad("not an object:", line, "a JSON object a line")),
        Err(error) => Err(lines.bad(&format!("not JSON ({error}):"), line, "a JSON object a line")),
    }
}

/// The first of these names that is there, and is a text or a number.
fn required(lines: &Lines, object: &Map<String, Value>, names: &[&str], line: &str) -> Result<String> {
    let found = names.iter().filter_map(|name| object.get(*name)).find_map(|value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    let wanted = format!("a text or a number by one of the names {}", names.join(", "));
    found.filter(|text| !text.is_empty()).ok_or_else(|| lines.bad("a value is missing in", line, &wanted))
}

fn title(object: &Map<String, Value>) -> String {
    let attributes = object.get("attributes").and_then(Value::as_object);
    let named = [Some(object), attributes].into_iter().flatten();
    let found = named.flat_map(|of| TITLES.iter().filter_map(|name| of.get(*name))).find_map(Value::as_str);
    found.unwrap_or_default().to_owned()
}

fn text(object: &Map<String, Value>) -> String {
    let own = TEXTS.iter().filter_map(|name| object.get(*name)).find_map(Value::as_str);
    let said = object.get("texts").and_then(Value::as_array).into_iter().flatten();
    let texts = own.into_iter().chain(said.filter_map(|text| text["text"].as_str()));
    texts.collect::<Vec<_>>().join("\n")
}
