//! Checks a stopped node's data: every row, every ledger, and the anchor; or backups.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use storage::anchor::Anchor;
use storage::{Directory, Report, View};

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
            true => (self.directory(&mut count)?, "bytes of rows"),
            false => (backup::check(&self.path, &mut count).map_err(refused)?, "bytes of backups"),
        };
        bar.finish_and_clear();
        let document = document(&report);
        output.result(&document, |output| print(&document, self.path.display(), rows, output));
        Ok(if report.problems.is_empty() { Answer::Yes } else { Answer::No })
    }

    fn directory(&self, progress: &mut dyn FnMut(u64)) -> Result<Report> {
        let directory = Directory::hold(&self.path)?.checking(u64::MAX);
        let (directory, store, damage) = match directory.open_store(CACHE_BYTES, String::new()) {
            Ok(store) => (directory, store, None),
            // Which rows that concerns is told by those that can be read.
            Err(damage @ storage::Error::Corrupt { .. }) => {
                let directory = directory.checking(0);
                let store = directory.open_store(CACHE_BYTES, String::new())?;
                (directory, store, Some(damage.to_string()))
            }
            Err(error) => return Err(error.into()),
        };
        let view = store.view()?;
        let mut report = view.verify(progress)?;
        report.problems.extend(damage);
        report.problems.extend(files_beside(&directory, &view)?);
        Ok(report)
    }
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
fn files_beside(directory: &Directory, view: &View) -> Result<Vec<String>> {
    let (path, key) = (directory.path(), directory.keys().join(node::SIGNING_KEY));
    let decisions = DecisionLog::new(path.join("decisions"));
    if !directory.anchor().exists() && !key.exists() && !view.is_signed()? {
        return Ok(Vec::new());
    }
    match node::signing_seed(&directory.keys(), true) {
        Ok(seed) => Ok(files::problems(path, view, &Anchor::new(directory.anchor(), seed), &decisions)?),
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
