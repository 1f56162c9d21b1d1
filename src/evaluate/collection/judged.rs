//! Judgements: which document is relevant to which query, and how much.

use std::collections::HashMap;

use super::lines::Lines;
use crate::evaluate::error::{Error, Result};

/// Most judgements of a collection.
const JUDGEMENTS_MAX: usize = 20_000_000;
/// The highest grade.
const GRADE_MAX: i32 = 1000;

/// How relevant documents are to queries: from 1, the more the higher; 0 if somebody looked and it is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgements {
    of: HashMap<String, HashMap<String, u32>>,
    count: usize,
    again: usize,
}

impl Judgements {
    /// The grades of the documents that were judged for a query, if one of them is relevant.
    #[must_use]
    pub fn of(&self, query: &str) -> Option<&HashMap<String, u32>> {
        self.of.get(query).filter(|grades| grades.values().any(|grade| *grade > 0))
    }

    /// The queries for which something was judged.
    pub fn queries(&self) -> impl Iterator<Item = &str> {
        self.of.keys().map(String::as_str)
    }

    /// Whether a document is more or less relevant, and not just relevant or not.
    #[must_use]
    pub fn are_graded(&self) -> bool {
        self.of.values().any(|grades| grades.values().any(|grade| *grade > 1))
    }

    /// The same without degrees.
    #[must_use]
    pub fn binary(mut self) -> Judgements {
        for grade in self.of.values_mut().flat_map(HashMap::values_mut) {
            *grade = (*grade).min(1);
        }
        self
    }

    /// What is judged last stands.
    pub(super) fn add(&mut self, lines: &Lines, query: &str, document: &str, grade: i32) -> Result<()> {
        if query.is_empty() || document.is_empty() {
            return Err(lines.bad(
                "a judgement without an id:",
                &format!("{query} {document}"),
                "query, document, grade",
            ));
        }
        if grade > GRADE_MAX {
            return Err(lines.bad("grade", &grade.to_string(), &format!("at most {GRADE_MAX}")));
        }
        let grades = self.of.entry(query.to_owned()).or_default();
        let grade = u32::try_from(grade).unwrap_or_default();
        match grades.insert(document.to_owned(), grade) {
            Some(before) => self.again += usize::from(before != grade),
            None => self.count += 1,
        }
        if self.count > JUDGEMENTS_MAX {
            return Err(Error::Collection(format!(
                "more than {JUDGEMENTS_MAX} judgements; take those of fewer queries"
            )));
        }
        Ok(())
    }

    /// What the reader of a result should know of them.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let note = "judgements differ from one of the same query and document before them; the last stands";
        (self.again > 0).then(|| format!("{} {note}", self.again))
    }
}

/// The grade that a column states: a whole number, also when it is written as `1.0`.
pub(super) fn grade(text: &str) -> Option<i32> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let number: f64 = text.parse().ok()?;
        (number.fract() == 0.0 && number.abs() <= f64::from(i32::MAX)).then_some(number as i32)
    })
}

/// The columns of a line: between tabs if it has some, else between blanks.
pub(super) fn columns(line: &str) -> Vec<&str> {
    if line.contains('\t') {
        line.split('\t').map(str::trim).collect()
    } else {
        line.split_whitespace().collect()
    }
}
