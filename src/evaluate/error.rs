//! Why a collection could not be evaluated.

use std::io;
use std::path::{Path, PathBuf};

/// The result of what reads or evaluates a collection.
pub type Result<T> = std::result::Result<T, Error>;

/// Longest value that an error repeats, in characters.
const VALUE_CHARS_MAX: usize = 80;

/// Why a collection could not be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A line is not what its format has there.
    #[error("`{}`, line {line}: {what} `{value}`; {wanted}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        what: String,
        /// The value.
        value: String,
        /// What would be right.
        wanted: String,
    },
    /// A file cannot be read, or not to its end.
    #[error("`{}`: {cause}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The files are readable and make no collection.
    #[error("{0}")]
    Collection(String),
    /// The index or the searches failed.
    #[error("{0}")]
    Search(String),
    /// It was told to stop.
    #[error("stopped before the end")]
    Stopped,
}

impl Error {
    pub(super) fn file(file: &Path, cause: io::Error) -> Error {
        Error::File { file: file.to_owned(), cause }
    }

    pub(super) fn line(file: &Path, line: u64, what: &str, value: &str, wanted: &str) -> Error {
        let mut shown: String = value.chars().take(VALUE_CHARS_MAX).collect();
        if shown.len() < value.len() {
            shown.push('…');
        }
        Error::Line {
            file: file.to_owned(),
            line,
            what: what.to_owned(),
            value: shown,
            wanted: wanted.to_owned(),
        }
    }

    /// Whether it is the fault of what was given.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        !matches!(self, Error::Search(_) | Error::Stopped)
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Error {
        Error::Search(format!("{error:#}"))
    }
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Error {
        Error::Search(error.to_string())
    }
}

impl From<crate::gateway::Failure> for Error {
    fn from(failure: crate::gateway::Failure) -> Error {
        Error::Search(failure.message)
    }
}
