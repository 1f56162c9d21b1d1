//! The files of an import: named one by one, by directory or by pattern, and opened when their turn comes.

use std::fs::Metadata;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use futures_util::TryStreamExt;
use futures_util::stream::once;
use indicatif::ProgressBar;
use reqwest::Body;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::multipart::Part;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use super::FileFormat;
use crate::cli::output::Output;
use crate::cli::{Failure, Result};

const PIECE_BYTES: usize = 256 * 1024;
/// A smaller file is not worth to be gone on with.
const RESUMED_BYTES_MIN: u64 = 1 << 20;
/// Most files of one import.
const FILES_MAX: usize = 10_000;
/// Directories may lie so deep in each other.
const DEPTH_MAX: usize = 64;
/// Names of files that are left out are told up to so many.
const LEFT_OUT_SHOWN: usize = 5;

/// A file to send, and what it was when it was found.
pub(super) struct Input {
    path: PathBuf,
    pub(super) name: String,
    pub(super) bytes: Option<u64>,
    before: Option<Metadata>,
}

/// Finds the files that were named: themselves, all of a format below a directory, or those that a pattern fits.
pub(super) fn find(named: &[PathBuf], format: FileFormat, output: &Output) -> Result<Vec<Input>> {
    let mut search = Search { format, found: Vec::new(), left_out: Vec::new(), above: Vec::new() };
    for path in named {
        search.named(path)?;
    }
    search.tell(output);
    Ok(search.found)
}

/// What is found on the way.
struct Search {
    format: FileFormat,
    found: Vec<Input>,
    left_out: Vec<PathBuf>,
    /// The directories that are being looked through, from the outermost.
    above: Vec<PathBuf>,
}

impl Search {
    fn named(&mut self, path: &Path) -> Result<()> {
        if path == Path::new("-") {
            return self.add(Input {
                path: path.to_owned(),
                name: "stdin".to_owned(),
                bytes: None,
                before: None,
            });
        }
        let text = path.to_string_lossy();
        if !path.exists() && text.contains(['*', '?', '[']) {
            return self.pattern(&text);
        }
        let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        if metadata.is_dir() {
            let before = self.found.len();
            self.directory(path)?;
            if self.found.len() == before {
                let wanted = self.format.extensions().join(", .");
                let message =
                    format!("directory `{}` holds no file of this format: .{wanted}", path.display());
                return Err(Failure::bad_input(message));
            }
            return Ok(());
        }
        // A pipe that is named is meant; its name is where the others have their path.
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.add(Input::of(path, name, metadata))
    }

    fn pattern(&mut self, pattern: &str) -> Result<()> {
        let bad = |problem: String| Failure::bad_input(format!("pattern `{pattern}`: {problem}"));
        let paths = glob::glob(pattern).map_err(|error| bad(error.to_string()))?;
        let mut paths =
            paths.collect::<std::result::Result<Vec<_>, _>>().map_err(|error| bad(error.to_string()))?;
        paths.sort();
        if paths.is_empty() {
            return Err(bad("no file fits it".to_owned()));
        }
        for path in paths {
            let metadata = std::fs::metadata(&path).map_err(|error| unreadable(&path, &error))?;
            if metadata.is_file() {
                self.file(&path, metadata)?;
            } else if !metadata.is_dir() {
                return Err(special(&path));
            }
        }
        Ok(())
    }

    /// Everything of the format below a directory, in the order of the names. What links lead to is followed, but
    /// not round and round.
    fn directory(&mut self, path: &Path) -> Result<()> {
        let real = path.canonicalize().map_err(|error| unreadable(path, &error))?;
        if self.above.contains(&real) {
            let message = format!(
                "`{}` is a link to a directory that it lies in (`{}`); name the files, or remove the link",
                path.display(),
                real.display()
            );
            return Err(Failure::bad_input(message));
        }
        if self.above.len() == DEPTH_MAX {
            let message = format!("directory `{}` lies deeper than {DEPTH_MAX} levels", path.display());
            return Err(Failure::bad_input(message));
        }
        self.above.push(real);
        let entries = std::fs::read_dir(path).map_err(|error| unreadable(path, &error))?;
        let paths = entries.map(|entry| entry.map(|entry| entry.path()));
        let mut paths =
            paths.collect::<std::io::Result<Vec<_>>>().map_err(|error| unreadable(path, &error))?;
        paths.sort();
        for path in paths {
            self.entry(path)?;
        }
        self.above.pop();
        Ok(())
    }

    fn entry(&mut self, path: PathBuf) -> Result<()> {
        let metadata = std::fs::metadata(&path).map_err(|error| unreadable(&path, &error))?;
        if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
            self.left_out.push(path);
        } else if metadata.is_dir() {
            self.directory(&path)?;
        } else if !metadata.is_file() {
            return Err(special(&path));
        } else if self.format.is_of(&path) {
            self.file(&path, metadata)?;
        } else {
            self.left_out.push(path);
        }
        Ok(())
    }

    /// One of many is called by its path, so that its rejects can be told from those of others.
    fn file(&mut self, path: &Path, metadata: Metadata) -> Result<()> {
        self.add(Input::of(path, path.display().to_string(), metadata))
    }

    fn add(&mut self, input: Input) -> Result<()> {
        if self.found.len() == FILES_MAX {
            let message = format!("more than {FILES_MAX} files; import them in several commands");
            return Err(Failure::bad_input(message));
        }
        self.found.push(input);
        Ok(())
    }

    fn tell(&self, output: &Output) {
        if self.left_out.is_empty() {
            return;
        }
        let names: Vec<_> =
            self.left_out.iter().take(LEFT_OUT_SHOWN).map(|path| path.display().to_string()).collect();
        let more = if self.left_out.len() > LEFT_OUT_SHOWN { ", ..." } else { "" };
        let (count, names) = (self.left_out.len(), names.join(", "));
        output.note(&format!("left out, for their names: {count} files ({names}{more})"));
    }
}

impl Input {
    fn of(path: &Path, name: String, metadata: Metadata) -> Input {
        // A pipe has no length, and never stays as it was.
        let plain = metadata.is_file().then_some(metadata);
        Input { path: path.to_owned(), name, bytes: plain.as_ref().map(Metadata::len), before: plain }
    }

    /// The file as a part of a form; it is opened when the form gets there.
    pub(super) fn part(&self, bar: &ProgressBar) -> Result<Part> {
        let part = self.streamed(bar);
        let Some(digest) = self.digest()? else { return Ok(part) };
        let value = format!("sha-256=:{}:", base64::engine::general_purpose::STANDARD.encode(digest));
        let value = HeaderValue::from_str(&value).expect("base64 is text");
        Ok(part.headers(HeaderMap::from_iter([(HeaderName::from_static("content-digest"), value)])))
    }

    /// What a file is known by if its import is cut off and comes again. What is small is as soon read anew.
    fn digest(&self) -> Result<Option<[u8; 32]>> {
        if self.bytes.is_none_or(|bytes| bytes < RESUMED_BYTES_MIN) {
            return Ok(None);
        }
        let failed = |error: std::io::Error| unreadable(&self.path, &error);
        let mut file = std::fs::File::open(&self.path).map_err(failed)?.take(self.bytes.unwrap_or_default());
        let mut hash = Sha256::new();
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            match file.read(&mut piece).map_err(failed)? {
                0 => return Ok(Some(hash.finalize().into())),
                count => hash.update(&piece[..count]),
            }
        }
    }

    fn streamed(&self, bar: &ProgressBar) -> Part {
        let bar = bar.clone();
        let counted = move |piece: &bytes::Bytes| {
            bar.inc(piece.len() as u64);
            if bar.length() == Some(bar.position()) {
                bar.set_message("waiting until everything is durable and searchable");
            }
        };
        let body = if self.path == Path::new("-") {
            let pieces = ReaderStream::with_capacity(tokio::io::stdin(), PIECE_BYTES);
            Body::wrap_stream(pieces.inspect_ok(counted))
        } else {
            // A file that grows while it is read must not be read for ever.
            let (path, most) = (self.path.clone(), self.bytes.unwrap_or(u64::MAX));
            let pieces = once(async move {
                let file = tokio::fs::File::open(path).await?;
                Ok::<_, std::io::Error>(ReaderStream::with_capacity(file.take(most), PIECE_BYTES))
            });
            Body::wrap_stream(pieces.try_flatten().inspect_ok(counted))
        };
        Part::stream(body).file_name(self.name.clone())
    }

    /// The first bytes, up to `most`, and whether there are no more.
    pub(super) fn first_bytes(&self, most: usize) -> Result<(Vec<u8>, bool)> {
        let failed = |error: std::io::Error| unreadable(&self.path, &error);
        let mut bytes = Vec::new();
        let limit = most as u64 + 1;
        if self.path == Path::new("-") {
            std::io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(failed)?;
        } else {
            let file = std::fs::File::open(&self.path).map_err(failed)?;
            file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
        }
        let is_all = bytes.len() <= most;
        Ok((bytes, is_all))
    }

    /// Fails now if the file cannot be opened, and not in the middle of an import.
    pub(super) fn check(&self) -> Result<()> {
        if self.before.is_none() {
            return Ok(());
        }
        std::fs::File::open(&self.path).map(|_| ()).map_err(|error| unreadable(&self.path, &error))
    }

    /// A file that changed while it was read was read half old, half new.
    pub(super) fn has_changed(&self) -> bool {
        let Some(before) = &self.before else { return false };
        let now = std::fs::metadata(&self.path).ok();
        !now.is_some_and(|now| now.len() == before.len() && now.modified().ok() == before.modified().ok())
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::bad_input(format!("file `{}`: {error}", path.display()))
}

fn special(path: &Path) -> Failure {
    let message = format!(
        "`{}` is no file but a pipe, socket or device; name it by itself if it is meant",
        path.display()
    );
    Failure::bad_input(message)
}
