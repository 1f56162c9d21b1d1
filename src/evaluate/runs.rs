//! Rankings as files that other programs judge: a run of TREC for each way to search.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::Way;
use super::error::{Error, Result};

/// A file for each way to search.
pub(super) struct RunFiles(Vec<RunFile>);

struct RunFile {
    path: PathBuf,
    name: String,
    file: BufWriter<File>,
}

impl RunFiles {
    pub(super) fn create(place: &Path, ways: &[Way]) -> Result<RunFiles> {
        fs::create_dir_all(place).map_err(|cause| Error::file(place, cause))?;
        let file = |way: &Way| {
            let name = way.name();
            let path = place.join(format!("{name}.run"));
            let file = BufWriter::new(File::create(&path).map_err(|cause| Error::file(&path, cause))?);
            Ok(RunFile { path, name, file })
        };
        ways.iter().map(file).collect::<Result<_>>().map(RunFiles)
    }

    /// Writes the ranking of a query.
    pub(super) fn write<'a>(
        &mut self,
        way: usize,
        query: &str,
        ranked: impl Iterator<Item = (&'a str, f64)>,
    ) -> Result<()> {
        let RunFile { path, name, file } = &mut self.0[way];
        for (place, (document, score)) in (1..).zip(ranked) {
            writeln!(file, "{query} Q0 {document} {place} {score} {name}")
                .map_err(|cause| Error::file(path, cause))?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<()> {
        for mut run in self.0 {
            run.file.flush().map_err(|cause| Error::file(&run.path, cause))?;
        }
        Ok(())
    }
}
