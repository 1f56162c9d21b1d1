//! Judged collections: documents, queries, and which documents are relevant to which query.
//!
//! Reading is pure and sequential, like that of an import. Queries and judgements are kept, documents are handed out one
//! by one. What is broken names its file, line and value; what can be used all the same is counted and noted.

mod beir;
mod cran;
mod files;
mod jsonl;
mod judged;
mod lines;
mod trec;

use std::collections::HashMap;
use std::path::Path;
use std::str::FromStr;

use super::error::{Error, Result};
pub use files::{Files, Named};
pub use judged::Judgements;
use lines::{Encoding, Lines};

/// Most queries of a collection.
const QUERIES_MAX: usize = 1_000_000;

/// How a collection is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `corpus.jsonl`, `queries.jsonl` and `qrels/test.tsv`, as BEIR has them.
    Beir,
    /// Documents in `<DOC>`, topics, and qrels of four columns.
    Trec,
    /// Sections that begin with `.I`, `.T` and `.W`, as the Cranfield collection has them.
    Cran,
    /// A JSON object a line in every file.
    Jsonl,
}

/// A document as it is judged: as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Document {
    /// What the judgements call it.
    pub id: String,
    /// May be empty.
    pub title: String,
    /// May be empty.
    pub text: String,
}

/// What somebody wanted to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// What the judgements call it.
    pub id: String,
    /// In words.
    pub text: String,
}

/// A collection whose queries and judgements were read.
#[derive(Debug)]
pub struct Collection {
    format: Format,
    files: Files,
    /// In the order of their file, none twice.
    pub queries: Vec<Query>,
    /// Which document is relevant to which query, and how much.
    pub judgements: Judgements,
    /// What the reader of a result should know.
    pub notes: Vec<String>,
}

impl Collection {
    /// Reads the queries and the judgements.
    ///
    /// # Errors
    /// If a file cannot be read or a line is not what the format has there; if no query is judged.
    pub fn open(format: Format, files: Files) -> Result<Collection> {
        let mut notes = Vec::new();
        let queries = queries(format, &files.queries, &mut notes)?;
        let judgements = judgements(format, &files.qrels)?;
        let collection = Collection { format, files, queries, judgements, notes };
        collection.checked()
    }

    fn checked(mut self) -> Result<Collection> {
        if !self.queries.iter().any(|query| self.judgements.of(&query.id).is_some()) {
            let example = self.queries.first().map_or("", |query| query.id.as_str());
            let judged = self.judgements.queries().min().unwrap_or_default();
            return Err(Error::Collection(format!(
                "no query of `{}` is judged in `{}`: the first of {} is called `{example}`, one of {} judged is called `{judged}`",
                self.files.queries.display(),
                self.files.qrels.display(),
                self.queries.len(),
                self.judgements.queries().count(),
            )));
        }
        let known: HashMap<&str, ()> = self.queries.iter().map(|query| (query.id.as_str(), ())).collect();
        let unknown = self.judgements.queries().filter(|id| !known.contains_key(id)).count();
        if unknown > 0 {
            self.notes
                .push(format!("{unknown} judged queries are not in `{}`", self.files.queries.display()));
        }
        self.notes.extend(self.judgements.note());
        Ok(self)
    }

    /// Hands out each document with the number of its line, until that fails.
    ///
    /// # Errors
    /// If a file cannot be read or a line is not what the format has there; whatever `take` fails with.
    pub fn documents(&self, take: &mut dyn FnMut(Document) -> Result<()>) -> Result<()> {
        for file in &self.files.docs {
            match self.format {
                Format::Beir | Format::Jsonl => jsonl::documents(&mut self.lines(file)?, take)?,
                Format::Trec => trec::documents(&mut self.lines(file)?, take)?,
                Format::Cran => cran::documents(&mut self.lines(file)?, take)?,
            }
        }
        Ok(())
    }

    fn lines(&self, file: &Path) -> Result<Lines> {
        Lines::open(file, self.format.encoding())
    }
}

fn queries(format: Format, file: &Path, notes: &mut Vec<String>) -> Result<Vec<Query>> {
    let mut lines = Lines::open(file, format.encoding())?;
    let all = match format {
        Format::Beir | Format::Jsonl => jsonl::queries(&mut lines)?,
        Format::Trec => trec::queries(&mut lines)?,
        Format::Cran => cran::queries(&mut lines)?,
    };
    if all.is_empty() || all.len() > QUERIES_MAX {
        let count = all.len();
        return Err(Error::Collection(format!("`{}`: {count} queries; 1 to {QUERIES_MAX}", file.display())));
    }
    let (mut first, mut again) = (HashMap::new(), 0);
    let mut queries: Vec<Query> = Vec::with_capacity(all.len());
    for query in all {
        match first.insert(query.id.clone(), ()) {
            None => queries.push(query),
            Some(()) => again += 1,
        }
    }
    if again > 0 {
        notes.push(format!(
            "{again} queries of `{}` have an id that was there before; the first stands",
            file.display()
        ));
    }
    Ok(queries)
}

/// Queries of a tenant and which of its things are relevant to each, as clicks make them: a file of JSON lines.
///
/// # Errors
/// If the file cannot be read or a line is not what it should be.
pub fn judged_queries(file: &Path) -> Result<(Vec<Query>, Judgements)> {
    jsonl::judged_queries(&mut Lines::open(file, Encoding::Utf8)?)
}

/// The same of lines that came with a request.
///
/// # Errors
/// If a line is not what it should be.
pub fn judged_lines(lines: Vec<u8>) -> Result<(Vec<Query>, Judgements)> {
    jsonl::judged_queries(&mut Lines::sent(lines, Encoding::Utf8))
}

fn judgements(format: Format, file: &Path) -> Result<Judgements> {
    let mut lines = Lines::open(file, format.encoding())?;
    match format {
        Format::Beir | Format::Jsonl => beir::judgements(&mut lines),
        Format::Trec => trec::judgements(&mut lines),
        Format::Cran => cran::judgements(&mut lines),
    }
}

impl Format {
    fn encoding(self) -> Encoding {
        match self {
            Format::Beir | Format::Jsonl => Encoding::Utf8,
            Format::Trec | Format::Cran => Encoding::Utf8OrLatin1,
        }
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Beir => "beir",
            Format::Trec => "trec",
            Format::Cran => "cran",
            Format::Jsonl => "jsonl",
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Format, String> {
        [Format::Beir, Format::Trec, Format::Cran, Format::Jsonl]
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| format!("unknown format `{text}`; one of beir, trec, cran, jsonl"))
    }
}

#[cfg(test)]
mod tests;
