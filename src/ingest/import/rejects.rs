//! The file that lists what an import refused: one JSON object a line, with file, line, code, reason and value.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use storage::ids::{RunId, TenantId};

use crate::ingest::files::Reject;

/// The rejects of a run, written as they come; no file is made if there are none.
pub struct Rejects {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

/// Where the rejects of a run are kept.
#[must_use]
pub fn path(data_dir: &Path, tenant: TenantId, run: RunId) -> PathBuf {
    data_dir.join("rejects").join(format!("{tenant}-{run}.jsonl"))
}

impl Rejects {
    pub(super) fn new(path: PathBuf) -> Rejects {
        Rejects { path, file: None }
    }

    /// Adds a reject. A list that cannot be written is logged; the count in the summary stays right.
    pub(super) fn add(&mut self, file: &str, reject: &Reject) {
        if let Err(error) = self.try_add(file, reject) {
            tracing::error!(%error, path = %self.path.display(), "cannot write the rejects file");
        }
    }

    /// Writes out what is buffered; the file, if there is one.
    pub(super) fn close(&mut self) -> Option<PathBuf> {
        let mut file = self.file.take()?;
        if let Err(error) = file.flush() {
            tracing::error!(%error, path = %self.path.display(), "cannot write the rejects file");
        }
        Some(self.path.clone())
    }

    fn try_add(&mut self, file: &str, reject: &Reject) -> std::io::Result<()> {
        if self.file.is_none() {
            fs::create_dir_all(self.path.parent().unwrap_or(Path::new(".")))?;
            // A recovered run goes on with the list that it had begun.
            let opened = File::options().create(true).append(true).open(&self.path)?;
            self.file = Some(BufWriter::new(opened));
        }
        let out = self.file.as_mut().expect("opened above");
        reject.write_line(file, out)
    }
}
