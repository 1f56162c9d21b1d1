//! Where a collection's documents, queries and judgements are: named one by one, or found in a directory.

use std::fs;
use std::path::{Path, PathBuf};

use super::Format;
use super::judged::{columns, grade};
use super::lines::Lines;
use crate::evaluate::error::{Error, Result};

/// Files of a collection's directory that are looked at, at most.
const FILES_MAX: usize = 10_000;
/// They may lie so deep in it.
const DEPTH_MAX: usize = 4;
/// What a file is can be told from so many lines.
const LINES_LOOKED_AT: usize = 50;

/// The files of a collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// One, or several that make one collection.
    pub docs: Vec<PathBuf>,
    /// The queries, or topics.
    pub queries: PathBuf,
    /// The judgements.
    pub qrels: PathBuf,
}

/// Files that were named.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// Where what is not named is looked for.
    pub corpus: Option<PathBuf>,
    /// The documents: a file, or a directory of nothing else.
    pub docs: Option<PathBuf>,
    /// The queries.
    pub queries: Option<PathBuf>,
    /// The judgements.
    pub qrels: Option<PathBuf>,
}

/// What a file of a collection holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Docs,
    Queries,
    Qrels,
}

impl Files {
    /// The files that were named, and for what was not, those of its directory.
    ///
    /// # Errors
    /// If something is neither named nor to be found, or several files could be it.
    pub fn find(format: Format, named: Named) -> Result<Files> {
        let found = match &named.corpus {
            Some(corpus) => {
                list(corpus)?.into_iter().filter_map(|file| Some((role(format, &file)?, file))).collect()
            }
            None => Vec::new(),
        };
        let of = |role| -> Vec<PathBuf> {
            found.iter().filter(|(is, _)| *is == role).map(|(_, file)| file.clone()).collect()
        };
        let one = |given: Option<PathBuf>, role, flag| match given {
            Some(file) => Ok(file),
            None => single(of(role), &named.corpus, format, flag),
        };
        let docs = match &named.docs {
            Some(docs) if docs.is_dir() => list(docs)?,
            Some(docs) => vec![docs.clone()],
            None => of(Role::Docs),
        };
        if docs.is_empty() {
            return Err(missing(&named.corpus, format, "docs"));
        }
        let queries = one(named.queries.clone(), Role::Queries, "queries")?;
        Ok(Files { docs, queries, qrels: one(named.qrels.clone(), Role::Qrels, "qrels")? })
    }
}

fn single(found: Vec<PathBuf>, corpus: &Option<PathBuf>, format: Format, flag: &str) -> Result<PathBuf> {
    // Of several splits the one that results are reported on.
    let test = |file: &&PathBuf| file.file_stem().is_some_and(|stem| stem == "test");
    match (&found[..], found.iter().find(test)) {
        ([], _) => Err(missing(corpus, format, flag)),
        ([file], _) | (_, Some(file)) => Ok(file.clone()),
        ([first, second, ..], None) => Err(Error::Collection(format!(
            "`{}` and `{}` could both be the {flag}; name one with --{flag}",
            first.display(),
            second.display()
        ))),
    }
}

fn missing(corpus: &Option<PathBuf>, format: Format, flag: &str) -> Error {
    let looks_like = match (format, flag) {
        (Format::Beir, "docs") => "`corpus.jsonl`",
        (Format::Jsonl, "docs") => "`docs.jsonl` or `corpus.jsonl`",
        (Format::Beir | Format::Jsonl, "queries") => "`queries.jsonl`",
        (Format::Beir, _) => "`qrels/test.tsv`",
        (Format::Jsonl, _) => "`qrels.jsonl` or `qrels.tsv`",
        (Format::Trec, "docs") => "files with `<DOC>`",
        (Format::Trec, "queries") => "a file with `<top>`",
        (Format::Trec, _) => "a file of query, iteration, document and grade",
        (Format::Cran, "docs") => "a file of records that begin with `.I`",
        (Format::Cran, "queries") => "such a file with `qry` or `quer` in its name",
        (Format::Cran, _) => "a file of query, document and grade",
    };
    match corpus {
        Some(corpus) => Error::Collection(format!(
            "directory `{}` has no {flag} of format {}: {looks_like}; name them with --{flag}",
            corpus.display(),
            format.as_str()
        )),
        None => {
            Error::Collection(format!("no {flag}; name them with --{flag}, or a directory with --corpus"))
        }
    }
}

/// Every file below a directory, in the order of their names.
fn list(directory: &Path) -> Result<Vec<PathBuf>> {
    let (mut files, mut left) = (Vec::new(), vec![(directory.to_owned(), 0)]);
    while let Some((place, depth)) = left.pop() {
        for entry in fs::read_dir(&place).map_err(|cause| Error::file(&place, cause))? {
            let entry = entry.map_err(|cause| Error::file(&place, cause))?;
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if path.is_dir() && depth + 1 < DEPTH_MAX {
                left.push((path, depth + 1));
            } else if path.is_file() {
                files.push(path);
            }
        }
        if files.len() > FILES_MAX {
            let place = directory.display();
            return Err(Error::Collection(format!("directory `{place}` has more than {FILES_MAX} files")));
        }
    }
    files.sort();
    Ok(files)
}

fn role(format: Format, file: &Path) -> Option<Role> {
    let name = file.file_name()?.to_string_lossy().to_ascii_lowercase();
    let name = name.trim_end_matches(".gz").trim_end_matches(".zst");
    match format {
        Format::Beir | Format::Jsonl => role_by_name(name, file),
        Format::Trec => role_of_trec(name, &head(format, file)?),
        Format::Cran => role_of_cran(name, &head(format, file)?),
    }
}

fn role_by_name(name: &str, file: &Path) -> Option<Role> {
    let is_in_qrels = file.parent().and_then(Path::file_name).is_some_and(|parent| parent == "qrels");
    match name {
        "corpus.jsonl" | "docs.jsonl" | "documents.jsonl" => Some(Role::Docs),
        "queries.jsonl" => Some(Role::Queries),
        "qrels.jsonl" | "qrels.tsv" | "qrels.txt" | "qrels" => Some(Role::Qrels),
        _ if is_in_qrels && [".tsv", ".txt", ".jsonl"].iter().any(|end| name.ends_with(end)) => {
            Some(Role::Qrels)
        }
        _ => None,
    }
}

fn role_of_trec(name: &str, head: &[String]) -> Option<Role> {
    let has = |tag: &str| head.iter().any(|line| line.to_ascii_lowercase().contains(tag));
    let is_named = ["topic", "quer"].iter().any(|part| name.contains(part));
    let is_list = || head.first().is_some_and(|line| line.split('\t').count() == 2);
    let is_table = |columns_wanted| is_table(head, columns_wanted);
    match () {
        () if has("<doc>") => Some(Role::Docs),
        () if has("<top>") || is_named && is_list() => Some(Role::Queries),
        () if is_table(4) => Some(Role::Qrels),
        () => None,
    }
}

fn role_of_cran(name: &str, head: &[String]) -> Option<Role> {
    let is_records = head.iter().find(|line| !line.trim().is_empty())?.starts_with(".I");
    let is_queries = ["qry", "quer"].iter().any(|part| name.contains(part));
    match (is_records, is_queries) {
        (true, true) => Some(Role::Queries),
        (true, false) => Some(Role::Docs),
        (false, _) => (2..=4).any(|wanted| is_table(head, wanted)).then_some(Role::Qrels),
    }
}

/// Whether every line has so many columns, the last of them a number.
fn is_table(head: &[String], wanted: usize) -> bool {
    let is_row = |line: &String| {
        let columns = columns(line);
        columns.len() == wanted && columns.last().is_some_and(|last| grade(last).is_some())
    };
    !head.is_empty() && head.iter().filter(|line| !line.trim().is_empty()).all(is_row)
}

/// The first lines; none of a file that has no lines to read.
fn head(format: Format, file: &Path) -> Option<Vec<String>> {
    let mut lines = Lines::open(file, format.encoding()).ok()?;
    let mut head = Vec::new();
    while head.len() < LINES_LOOKED_AT
        && let Some(line) = lines.next().ok()?
    {
        head.push(line);
    }
    Some(head)
}
