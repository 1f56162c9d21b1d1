//! Writes a stopped node's database anew: smaller, and without a byte of what was deleted or replaced.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use storage::{Compacted, Directory, Report};

use super::backup::progress;
use super::output::Output;
use super::serve::load;
use super::{Answer, Failure, Result, verify};
use crate::config::Flags;

const CACHE_BYTES: usize = 64 << 20;

/// Which directory.
#[derive(Args)]
pub(super) struct Compact {
    /// The data directory of a node that is not running [default: as for `serve`]
    path: Option<PathBuf>,
    /// The same, as `serve` names it
    #[arg(long, value_name = "DIR", conflicts_with = "path")]
    data_dir: Option<PathBuf>,
}

impl Compact {
    pub(super) fn run(self, output: &Output) -> Result {
        let data_dir = self.path.or(self.data_dir);
        let path = load(Flags { data_dir, ..Flags::default() })?.data_dir;
        if !path.join("format").is_file() {
            return Err(Failure::bad_input(format!("`{}` is not a data directory", path.display())));
        }
        let bar = progress(output);
        let compacted = compact(&path, &mut |bytes| bar.set_position(bytes))?;
        bar.finish_and_clear();
        let mut document = verify::document(&compacted.report);
        let (before, after) = (compacted.bytes_before, compacted.bytes_after);
        let more = json!({"bytes_before": before, "bytes_after": after});
        document.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        let ok = compacted.report.problems.is_empty();
        output.result(&document, |output| print(&document, &path, output));
        Ok(if ok { Answer::Yes } else { Answer::No })
    }
}

/// Damage is the answer no: nothing is put in place of what cannot be read.
fn compact(path: &Path, progress: &mut dyn FnMut(u64)) -> storage::Result<Compacted> {
    let mut report = Report::default();
    let compacted = Directory::hold(path).and_then(|directory| directory.compact(CACHE_BYTES, progress));
    if let Some(compacted) = report.or_problem(compacted)? {
        return Ok(compacted);
    }
    let bytes = std::fs::metadata(path.join("store.redb")).map_or(0, |file| file.len());
    Ok(Compacted { report, bytes_before: bytes, bytes_after: bytes })
}

fn print(document: &Value, path: &Path, output: &Output) {
    match document["ok"] == true {
        true => output
            .line(&format!("{} bytes before, {} after", document["bytes_before"], document["bytes_after"])),
        false => output.line("nothing was changed; restore a backup"),
    }
    verify::print(document, path.display(), "bytes of rows", output);
}
