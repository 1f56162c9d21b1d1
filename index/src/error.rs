//! What can go wrong in derived state, by what the caller should do about it.

use storage::ids::Lsn;

use crate::embed::Unusable;

/// A `Result` of an index.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the caller should do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The question is wrong: correct it.
    Invalid,
    /// Try again later.
    Unavailable,
    /// The index cannot be trusted: rebuild it from the store.
    Rebuild,
    /// A model of vectors cannot be used: install it again.
    Model,
    /// The store itself refused or is damaged; rebuilding an index would not help.
    Storage,
}

/// Everything an index refuses or fails at.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A question breaks a rule.
    #[error("{what}: `{value}`; {limit}")]
    Invalid {
        /// What is wrong.
        what: &'static str,
        /// The offending value, cut to 200 characters.
        value: String,
        /// The rule it breaks.
        limit: String,
    },
    /// The store refused or failed.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The follower has seen records that the log does not have.
    #[error("{follower} is at {position}, ahead of the log, which ends at {head}")]
    Ahead {
        /// The follower's name.
        follower: &'static str,
        /// Where it is.
        position: Lsn,
        /// Where the log ends.
        head: Lsn,
    },
    /// A record is missing between the follower's position and the next one.
    #[error("{follower} expected record {expected}, found {found}")]
    Gap {
        /// The follower's name.
        follower: &'static str,
        /// The record that should come.
        expected: Lsn,
        /// The record that came.
        found: Lsn,
    },
    /// The index's own files cannot be trusted.
    #[error("damaged {what}: {detail}")]
    Damaged {
        /// Which index.
        what: &'static str,
        /// Where and how.
        detail: String,
    },
    /// The disk refused an operation, or the engine did for want of memory or space.
    #[error("index failed: {0}")]
    Io(String),
    /// A model cannot be used, or failed.
    #[error("model `{name}`: {why}")]
    Model {
        /// What it is called.
        name: String,
        /// What is wrong with it.
        why: Unusable,
    },
    /// The caller asked to stop, and nothing was kept.
    #[error("stopped")]
    Stopped,
}

impl Error {
    /// What the caller should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Invalid { .. } => ErrorKind::Invalid,
            Error::Io(_) | Error::Stopped => ErrorKind::Unavailable,
            Error::Ahead { .. } | Error::Gap { .. } | Error::Damaged { .. } => ErrorKind::Rebuild,
            Error::Storage(error) if error.kind() == storage::ErrorKind::Unavailable => {
                ErrorKind::Unavailable
            }
            Error::Model { .. } => ErrorKind::Model,
            Error::Storage(_) => ErrorKind::Storage,
        }
    }

    /// A stable name for scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Error::Invalid { .. } => "invalid",
            Error::Storage(error) => error.code(),
            Error::Ahead { .. } => "index_ahead",
            Error::Gap { .. } => "index_gap",
            Error::Damaged { .. } => "index_damaged",
            Error::Model { why, .. } => why.code(),
            Error::Io(_) => "io",
            Error::Stopped => "stopped",
        }
    }

    pub(crate) fn invalid(what: &'static str, value: &str, limit: String) -> Error {
        let value = value.chars().take(200).collect();
        Error::Invalid { what, value, limit }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        Error::Io(error.to_string())
    }
}

/// Errors of the text engine: bytes that make no sense mean a rebuild, the rest may pass.
impl From<tantivy::TantivyError> for Error {
    fn from(error: tantivy::TantivyError) -> Error {
        use tantivy::TantivyError as E;
        match error {
            E::DataCorruption(_) | E::OpenReadError(_) | E::SchemaError(_) | E::IncompatibleIndex(_) => {
                Error::Damaged { what: "text index", detail: error.to_string() }
            }
            other => Error::Io(other.to_string()),
        }
    }
}
