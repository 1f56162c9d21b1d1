//! Checks a stopped node's data: every row, every ledger, and the anchor; or backups.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use storage::anchor::Anchor;
use storage::{Directory, Report, Store, View};

use super::backup::{print_roots, progress, refused, roots};
use super::output::Output;
use super::{Answer, Result};
use crate::backup::{self, Place};
use crate::node;
use crate::policy::DecisionLog;
use crate::scrub::files;

const CACHE_BYTES: usize = 64 << 20;

/// Which directory.
#[derive(Args)]
pub(super) struct Verify {
    /// The data directory of a node that is not running, or a directory of backups
    path: PathBuf,
}

impl Verify {
    /// Of a path that another command names.
    pub(super) fn of(path: PathBuf) -> Verify {
        Verify { path }
    }

    pub(super) fn run(self, output: &Output) -> Result {
        let bar = progress(output);
        let mut count = |bytes| bar.set_position(bytes);
        let (report, rows) = match is_data_directory(&self.path) {
            true => (directory(&self.path, &mut count)?, "bytes of rows"),
            false => (backup::check(&self.path, &mut count).map_err(refused)?, "bytes of backups"),
        };
        bar.finish_and_clear();
        let document = document(&report);
        output.result(&document, |output| print(&document, self.path.display(), rows, output));
        Ok(if report.problems.is_empty() { Answer::Yes } else { Answer::No })
    }
}

/// Damage is what this is to find, wherever it is met.
fn directory(path: &Path, progress: &mut dyn FnMut(u64)) -> storage::Result<Report> {
    let mut report = Report::default();
    let Some(directory) = report.or_problem(Directory::hold(path))? else { return Ok(report) };
    let (directory, Some(store)) = opened(directory, &mut report)? else { return Ok(report) };
    let view = store.view()?;
    if let Some(rows) = report.or_problem(view.verify(progress))? {
        let problems = [rows.problems, report.problems].concat();
        report = Report { problems, ..rows };
    }
    let beside = report.or_problem(files_beside(&directory, &view))?;
    report.problems.extend(beside.into_iter().flatten());
    Ok(report)
}

/// The store, with all its pages checked, or as it is: which rows a damage concerns is told by those that can be read.
fn opened(directory: Directory, report: &mut Report) -> storage::Result<(Directory, Option<Store>)> {
    let directory = directory.checking(u64::MAX);
    if let Some(store) = report.or_problem(directory.open_store(CACHE_BYTES, String::new()))? {
        return Ok((directory, Some(store)));
    }
    let directory = directory.checking(0);
    let again = directory.open_store(CACHE_BYTES, String::new());
    let store = report.or_problem(again)?;
    report.problems.dedup();
    Ok((directory, store))
}

/// What a report says, for programs.
pub(super) fn document(report: &Report) -> Value {
    json!({
        "commit": report.commit, "epoch": report.epoch, "bytes": report.bytes,
        "roots": roots(report), "ok": report.problems.is_empty(), "problems": report.problems,
    })
}

/// By the file that says which format is there; a damaged one is still nobody else's.
fn is_data_directory(path: &Path) -> bool {
    path.join("store.redb").is_file() || path.join("format").is_file() && matches!(Place::at(path), Ok(None))
}

/// What is wrong with the files beside the database. A node that was killed in its first moments has no key, and no anchor.
fn files_beside(directory: &Directory, view: &View) -> storage::Result<Vec<String>> {
    let (path, key) = (directory.path(), directory.keys().join(node::SIGNING_KEY));
    let decisions = DecisionLog::new(path.join("decisions"));
    if !directory.anchor().exists() && !key.exists() && !view.is_signed()? {
        return Ok(Vec::new());
    }
    match node::signing_seed(&directory.keys(), true) {
        Ok(seed) => files::problems(path, view, &Anchor::new(directory.anchor(), seed), &decisions),
        Err(no_key) => {
            let others = files::without_key(path, view, &decisions)?;
            Ok([vec![format!("{no_key:#}")], others].concat())
        }
    }
}

/// What a report says, for people.
pub(super) fn print(document: &Value, of: impl std::fmt::Display, rows: &str, output: &Output) {
    let verdict = if document["ok"] == true { "ok" } else { "DAMAGED" };
    let (commit, bytes) = (&document["commit"], &document["bytes"]);
    output.line(&format!("{verdict}: {of}, commit {commit}, {bytes} {rows}"));
    print_roots(&document["roots"], output);
    for problem in document["problems"].as_array().into_iter().flatten() {
        output.line(&format!("  {}", problem.as_str().unwrap_or_default()));
    }
}
