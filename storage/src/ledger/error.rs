//! What can go wrong with a ledger, its exports and its receipts.

use std::io;
use std::path::{Path, PathBuf};

/// A result whose failure is an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a ledger's bytes were refused.
///
/// The first three say that somebody's bytes are wrong; the text names which, and is written for the person who runs
/// `ledger verify`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes do not have the form that their format demands.
    #[error("{what} is malformed: {detail}")]
    Malformed {
        /// The format or part that is broken.
        what: &'static str,
        /// What was found, and what was wanted.
        detail: String,
    },
    /// A note carries no valid signature of the key it was checked against.
    #[error("signature of `{key}`: {detail}")]
    BadSignature {
        /// The name of the key that should have signed.
        key: String,
        /// Missing, or present and false.
        detail: &'static str,
    },
    /// Two things that must be equal are not: a root, a leaf, an origin, a count.
    #[error("{what} does not match: {detail}")]
    Mismatch {
        /// What was compared.
        what: &'static str,
        /// Both sides, or where they part.
        detail: String,
    },
    /// A proof was asked for a record or a size that the tree does not have.
    #[error("{what} {given} is beyond the tree's {size} records")]
    OutOfRange {
        /// What was asked for: an index or a size.
        what: &'static str,
        /// The number that was given.
        given: u64,
        /// The size of the tree.
        size: u64,
    },
    /// A file of an export could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn malformed(what: &'static str, detail: impl Into<String>) -> Error {
        Error::Malformed { what, detail: detail.into() }
    }

    pub(super) fn mismatch(what: &'static str, detail: impl Into<String>) -> Error {
        Error::Mismatch { what, detail: detail.into() }
    }

    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::Io { path: path.to_owned(), source }
    }
}
