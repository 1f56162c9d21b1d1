//! Checks a stopped node's data: every row, every ledger, and the anchor.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use clap::Args;
use serde_json::{Map, Value, json};
use storage::anchor::Anchor;
use storage::{Directory, View};

use super::output::Output;
use super::{Answer, Failure, Result};
use crate::node;
use crate::policy::DecisionLog;

const CACHE_BYTES: usize = 64 << 20;

/// Which directory.
#[derive(Args)]
pub(super) struct Verify {
    /// The data directory of a node that is not running
    path: PathBuf,
}

impl Verify {
    pub(super) fn run(self, output: &Output) -> Result {
        if !self.path.join("format").is_file() {
            return Err(Failure::bad_input(format!("`{}` is not a data directory", self.path.display())));
        }
        let directory = Directory::hold(&self.path)?;
        let store = directory.open_store(CACHE_BYTES, String::new())?;
        let view = store.view()?;
        let report = view.verify(&mut |_| ())?;
        let mut problems = report.problems;
        problems.extend(check_anchor(&directory, &view)?);
        problems.extend(check_decisions(&directory, &view)?);
        let roots: Map<String, Value> = report
            .roots
            .iter()
            .map(|(tenant, root)| {
                let encoded = base64::engine::general_purpose::STANDARD.encode(root.root);
                (tenant.clone(), json!({"size": root.size, "root": encoded}))
            })
            .collect();
        let ok = problems.is_empty();
        let document = json!({
            "commit": report.commit, "epoch": report.epoch, "bytes": report.bytes,
            "roots": roots, "ok": ok, "problems": problems,
        });
        output.result(&document, |output| print(&document, &self.path, output));
        Ok(if ok { Answer::Yes } else { Answer::No })
    }
}

/// A directory that never was anchored has nothing to compare with.
fn check_anchor(directory: &Directory, view: &View) -> Result<Option<String>> {
    if !directory.anchor().exists() {
        return Ok(None);
    }
    let anchor = Anchor::new(directory.anchor(), node::signing_seed(&directory.keys(), true)?);
    Ok(anchor.check(view).err().map(|error| error.to_string()))
}

/// The decision log is in files of its own, which the ledger vouches for once they are closed.
fn check_decisions(directory: &Directory, view: &View) -> Result<Vec<String>> {
    let log = DecisionLog::new(directory.path().join("decisions"));
    let mut problems = Vec::new();
    for (tenant, name) in view.tenants()?.into_iter().map(|(tenant, head)| (tenant, head.name)) {
        let found = log.problems(view, tenant).map_err(anyhow::Error::from)?;
        problems.extend(found.into_iter().map(|problem| format!("{problem} (tenant `{name}`)")));
    }
    Ok(problems)
}

fn print(document: &Value, path: &Path, output: &Output) {
    let verdict = if document["ok"] == true { "ok" } else { "DAMAGED" };
    output.line(&format!(
        "{verdict}: {}, commit {}, {} bytes of rows",
        path.display(),
        document["commit"],
        document["bytes"]
    ));
    for (tenant, root) in document["roots"].as_object().into_iter().flatten() {
        output.line(&format!(
            "  {tenant}: {} records, root {}",
            root["size"],
            root["root"].as_str().unwrap_or_default()
        ));
    }
    for problem in document["problems"].as_array().into_iter().flatten() {
        output.line(&format!("  {}", problem.as_str().unwrap_or_default()));
    }
}
