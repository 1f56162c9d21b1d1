//! Judgements as BEIR has them: a table of query, document and grade. Its documents and queries are those of `jsonl`.

use super::judged::{columns, grade};
use super::lines::Lines;
use super::{Judgements, jsonl};
use crate::evaluate::error::Result;

/// Rows of a table with or without heads, with or without the column `iteration` of TREC, or objects.
pub(super) fn judgements(lines: &mut Lines) -> Result<Judgements> {
    let mut judgements = Judgements::default();
    while let Some(line) = lines.next()? {
        if line.trim().is_empty() {
            continue;
        }
        if line.trim_start().starts_with('{') {
            jsonl::judgement(lines, &line, &mut judgements)?;
            continue;
        }
        let (query, document, stated) = match columns(&line)[..] {
            [query, document, stated] | [query, _, document, stated] => (query, document, stated),
            _ => return Err(lines.bad("judgement", &line, "query, document, grade")),
        };
        match grade(stated) {
            Some(grade) => judgements.add(lines, query, document, grade)?,
            None if lines.number() == 1 => {}
            None => return Err(lines.bad("grade", stated, "a whole number")),
        }
    }
    Ok(judgements)
}
