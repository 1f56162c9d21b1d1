//! The files beside the database, each held against what tells of it. The index is not among them: it is derived, and
//! looked at by who keeps it.

use std::path::Path;

use storage::anchor::Anchor;
use storage::{Directory, Error, Result, View};

use crate::embedding;
use crate::ingest::import::rejects;
use crate::node;
use crate::policy::DecisionLog;

/// What is wrong with them, in words.
///
/// # Errors
/// `Io` if they cannot be read at all; as for reading the view.
pub(crate) fn problems(
    data_dir: &Path,
    view: &View,
    anchor: &Anchor,
    decisions: &DecisionLog,
) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    problems.extend(key(data_dir, anchor));
    match anchor.check(view) {
        Err(damage @ Error::Corrupt { .. }) => problems.push(damage.to_string()),
        checked => checked?,
    }
    problems.extend(without_key(data_dir, view, decisions)?);
    Ok(problems)
}

/// What is wrong with those for which no key is needed.
///
/// # Errors
/// As for [`problems`].
pub(crate) fn without_key(data_dir: &Path, view: &View, decisions: &DecisionLog) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    problems.extend(Directory::check_format(data_dir).err().map(|error| error.to_string()));
    problems.extend(of_decisions(view, decisions)?);
    problems.extend(rejects::problems(data_dir).map_err(|error| failed("rejects", &error))?);
    problems.extend(rejects::shorter(data_dir, view)?);
    problems.extend(embedding::check_installed(data_dir).err());
    Ok(problems)
}

/// The signing key has no checksum: it is held against the one that the node began with.
fn key(data_dir: &Path, anchor: &Anchor) -> Option<String> {
    match node::signing_seed(&data_dir.join("keys"), true) {
        Ok(seed) if anchor.is_signed_with(&seed) => None,
        Ok(_) => Some(format!("signing key `keys/{}` is another than it was", node::SIGNING_KEY)),
        Err(error) => Some(format!("{error:#}")),
    }
}

/// The ledger vouches for files of decisions once they are closed; what is written to has a checksum on every line.
fn of_decisions(view: &View, log: &DecisionLog) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for (tenant, head) in view.tenants()? {
        let found = log.problems(view, tenant).map_err(|error| failed("decisions", &error))?;
        problems.extend(found.into_iter().map(|problem| format!("{problem} (tenant `{}`)", head.name)));
    }
    Ok(problems)
}

fn failed(what: &str, error: &std::io::Error) -> Error {
    Error::Io(format!("{what}: {error}"))
}
