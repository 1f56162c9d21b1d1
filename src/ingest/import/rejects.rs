//! The file that lists what an import refused: one JSON object a line, with file, line, code, reason, value and a checksum.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use storage::View;
use storage::ids::{RunId, TenantId};

use crate::ingest::files::{Reject, is_reject_whole};

/// A line is never longer, in bytes.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// The rejects of a run, written as they come; no file is made if there are none.
pub struct Rejects {
    path: PathBuf,
    file: Option<BufWriter<File>>,
    /// Lines that were added and not lost on the way, as far as is known.
    listed: u64,
}

/// Where the rejects of a run are kept.
#[must_use]
pub fn path(data_dir: &Path, tenant: TenantId, run: RunId) -> PathBuf {
    data_dir.join("rejects").join(format!("{tenant}-{run}.jsonl"))
}

/// Deletes the rejects of a run.
pub(crate) fn forget_run(data_dir: &Path, tenant: TenantId, run: RunId) -> std::io::Result<()> {
    match fs::remove_file(path(data_dir, tenant, run)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Takes what names an id out of every list of a tenant.
pub(crate) fn forget_id(data_dir: &Path, tenant: TenantId, id: &str) -> std::io::Result<()> {
    let entries = match fs::read_dir(data_dir.join("rejects")) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&format!("{tenant}-")) {
            forget_id_in(&entry.path(), id)?;
        }
    }
    Ok(())
}

/// The list is written anew and put in place whole, so that none of its old bytes stays in a file.
fn forget_id_in(path: &Path, id: &str) -> std::io::Result<()> {
    cut_off_line(path)?;
    let beside = path.with_extension("new");
    let (mut named, mut left) = (0_u64, 0_u64);
    let mut out = BufWriter::new(File::create(&beside)?);
    for line in BufReader::new(File::open(path)?).split(b'\n') {
        let line = line?;
        if names(&String::from_utf8_lossy(&line), id) {
            named += 1;
            continue;
        }
        left += 1;
        out.write_all(&line)?;
        out.write_all(b"\n")?;
    }
    out.into_inner()?.sync_all()?;
    match (named, left) {
        (0, _) => fs::remove_file(&beside),
        (_, 0) => fs::remove_file(&beside).and_then(|()| fs::remove_file(path)),
        _ => fs::rename(&beside, path),
    }
}

/// Whether a line names an id: as a value, or within one, in quotes.
fn names(line: &str, id: &str) -> bool {
    let Ok(serde_json::Value::Object(row)) = serde_json::from_str(line) else { return line.contains(id) };
    let quoted = [format!("`{id}`"), serde_json::Value::from(id).to_string()];
    row.values()
        .filter_map(|value| value.as_str())
        .any(|text| text == id || quoted.iter().any(|quoted| text.contains(quoted.as_str())))
}

/// What is wrong with the lists, in words: lines that are not as they were written. A last one without an end is not there yet.
pub(crate) fn problems(data_dir: &Path) -> std::io::Result<Vec<String>> {
    let mut problems = Vec::new();
    let entries = match fs::read_dir(data_dir.join("rejects")) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(problems),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        match first_damaged(&path) {
            // It was forgotten since.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            line => problems.extend(line?.map(|line| {
                format!("rejects `{}`, line {line}: it is not as it was written", path.display())
            })),
        }
    }
    Ok(problems)
}

/// Which lists lack lines, in words. Once something was redacted they may: nobody can tell any more what it was, and a restore leaves
/// the lists of all tenants out then.
pub(crate) fn shorter(data_dir: &Path, view: &View) -> storage::Result<Vec<String>> {
    let (mut problems, tenants) = (Vec::new(), view.tenants()?);
    for (tenant, _) in &tenants {
        if !view.redactions(*tenant)?.is_empty() {
            return Ok(problems);
        }
    }
    for (tenant, _) in tenants {
        for (run, row) in view.runs(tenant)? {
            let path = path(data_dir, tenant, run);
            let listed = row.end.map_or(0, |end| end.listed);
            let lines = if listed == 0 { 0 } else { lines(&path).map_err(|error| failed(&path, &error))? };
            if lines < listed {
                problems.push(format!("rejects `{}`: {lines} of {listed} lines are there", path.display()));
            }
        }
    }
    Ok(problems)
}

/// The lines of a list, 0 if there is none.
fn lines(path: &Path) -> std::io::Result<u64> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        file => file?,
    };
    let (mut chunk, mut lines) = (vec![0; 64 << 10], 0);
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(lines),
            read => lines += memchr::memchr_iter(b'\n', &chunk[..read]).count() as u64,
        }
    }
}

fn failed(path: &Path, error: &std::io::Error) -> storage::Error {
    storage::Error::io(path, error)
}

fn first_damaged(path: &Path) -> std::io::Result<Option<u64>> {
    let (mut file, mut line) = (BufReader::new(File::open(path)?), Vec::new());
    for number in 1.. {
        line.clear();
        if file.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let is_damaged = match line.strip_suffix(b"\n") {
            Some(line) => !is_reject_whole(line),
            None => line.len() as u64 == LINE_BYTES_MAX || is_line_without_end(&line),
        };
        if is_damaged {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

/// Whether it is a line with another byte for its end: no crash writes that.
fn is_line_without_end(rest: &[u8]) -> bool {
    rest.split_last().is_some_and(|(_, line)| is_reject_whole(line))
}

/// Takes off what a crash left of a last line, so that the next does not stand behind it.
fn cut_off_line(path: &Path) -> std::io::Result<()> {
    let mut file = match File::options().read(true).write(true).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    let from = file.metadata()?.len().saturating_sub(LINE_BYTES_MAX);
    let mut end = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    file.read_to_end(&mut end)?;
    let whole = memchr::memrchr(b'\n', &end).map_or(0, |at| at + 1);
    match is_line_without_end(&end[whole..]) {
        true => Ok(()),
        false => file.set_len(from + whole as u64),
    }
}

impl Rejects {
    pub(super) fn new(path: PathBuf) -> Rejects {
        Rejects { path, file: None, listed: 0 }
    }

    /// Adds a reject. A list that cannot be written is logged; the count in the summary stays right.
    pub(super) fn add(&mut self, file: &str, reject: &Reject) {
        match self.try_add(file, reject) {
            Ok(()) => self.listed += 1,
            Err(error) => self.lost(&error),
        }
    }

    /// Writes out what is buffered; the file, if there is one.
    pub(super) fn close(&mut self) -> Option<PathBuf> {
        let mut file = self.file.take()?;
        if let Err(error) = file.flush() {
            self.lost(&error);
        }
        Some(self.path.clone())
    }

    /// Makes durable what was added, and says how many lines that are.
    pub(super) fn durable(&mut self) -> u64 {
        self.sync();
        self.listed
    }

    /// Makes durable what was added.
    pub(super) fn sync(&mut self) {
        let Some(file) = &mut self.file else { return };
        if let Err(error) = file.flush().and_then(|()| file.get_ref().sync_data()) {
            self.lost(&error);
        }
    }

    /// Nobody knows which lines are there.
    fn lost(&mut self, error: &std::io::Error) {
        self.listed = 0;
        tracing::error!(%error, path = %self.path.display(), "cannot write the rejects file");
    }

    fn try_add(&mut self, file: &str, reject: &Reject) -> std::io::Result<()> {
        if self.file.is_none() {
            let parent = self.path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(parent)?;
            // A recovered run goes on with the list that it had begun.
            cut_off_line(&self.path)?;
            let opened = File::options().create(true).append(true).open(&self.path)?;
            File::open(parent)?.sync_all()?;
            self.file = Some(BufWriter::new(opened));
        }
        let out = self.file.as_mut().expect("opened above");
        reject.write_line(file, out)
    }
}
