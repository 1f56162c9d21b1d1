//! What can go wrong in the store, by what the caller should do about it.

use std::path::{Path, PathBuf};

use crate::ids::Lsn;

/// A `Result` of the store.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the caller should do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The input is wrong: correct it.
    Invalid,
    /// The input contradicts what is stored.
    Conflict,
    /// There is no such thing.
    NotFound,
    /// Try again later.
    Unavailable,
    /// Stored bytes are damaged: restore or rebuild.
    Corrupt,
    /// Somebody else holds the store, or it is of a newer format.
    Locked,
}

/// Everything the store refuses or fails at.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A value breaks a rule of the model.
    #[error("{what}: `{value}`; {limit}")]
    Invalid {
        /// What is wrong.
        what: &'static str,
        /// The offending value, cut to 200 characters.
        value: String,
        /// The rule it breaks.
        limit: String,
    },
    /// The thing exists with another type.
    #[error(
        "type conflict: `{id}` is a `{stored}`, not a `{given}`; say it as a `{stored}`, or of another id"
    )]
    TypeConflict {
        /// The thing's id.
        id: String,
        /// Its type as stored.
        stored: String,
        /// The type that the new assertion claims.
        given: String,
    },
    /// A relation names an end that nobody ever described.
    #[error("relation end missing: `{end}` is not in the tenant")]
    EndMissing {
        /// The id of the missing end.
        end: String,
    },
    /// The id of an event was used before, for other data.
    #[error("the event id `{id}` was used for other data; give this event an id of its own")]
    EventReused {
        /// The id.
        id: String,
    },
    /// Some of the events that are taken together cannot be taken.
    #[error("{} of {of} events cannot be taken, so none was; the first: {}", .rejects.len(), first(.rejects))]
    EventsRejected {
        /// Which they are.
        rejects: Vec<EventRejected>,
        /// How many there were.
        of: usize,
    },
    /// Something that must be new exists already.
    #[error("{what} `{name}` exists already; use that one, or choose another name")]
    Exists {
        /// The kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// What was to be replaced was replaced meanwhile.
    #[error("the {what} is version {now} by now, not {seen}; look at that first, then replace it")]
    Superseded {
        /// The kind of thing.
        what: &'static str,
        /// The version that was to be replaced.
        seen: Lsn,
        /// The version that is there.
        now: Lsn,
    },
    /// A client uses one key for two requests.
    #[error("the idempotency key was used for another request; choose a new one for each request")]
    KeyReused,
    /// It, or what it is joined to, was redacted. The id is not repeated: it would be kept in a list of rejects.
    #[error("it was redacted, or what it names was; a redaction can be lifted, then it may come in again")]
    Redacted,
    /// A hold is on it.
    #[error("hold {hold} is on it; nothing of it is erased until `hold remove {hold}`")]
    Held {
        /// The record that set the hold.
        hold: Lsn,
    },
    /// The clock moved by more than a day since it was looked at last.
    #[error(
        "the clock jumped: it showed {seen_us} and now shows {now_us}, in microseconds since 1970; put it right, or vouch \
         for it with `purge --accept-clock`"
    )]
    ClockJumped {
        /// What it showed when it was last believed.
        seen_us: i64,
        /// What it shows.
        now_us: i64,
    },
    /// There is no such thing.
    #[error("no {what} `{name}`")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// An earlier commit failed; the store refuses everything until it is reopened.
    #[error("the store stopped after a failed commit: {cause}; it is being reopened, try again")]
    Poisoned {
        /// The first failure.
        cause: String,
    },
    /// More is going on already than may at a time.
    #[error("busy: {limit} {what} already; try again in a moment")]
    Busy {
        /// What is going on: `writes are waiting`.
        what: &'static str,
        /// How many of them may.
        limit: usize,
    },
    /// The disk refused an operation.
    #[error("storage failed: {0}; look at the disk and at what may be written there, then try again")]
    Io(String),
    /// There is less room than is kept free, or than is needed.
    #[error(
        "no space on the disk of `{path}`: {free_bytes} bytes free, {needed_bytes} needed; make room there, then try again"
    )]
    NoSpace {
        /// The directory whose disk it is.
        path: PathBuf,
        /// Bytes free on it.
        free_bytes: u64,
        /// Bytes that are needed.
        needed_bytes: u64,
    },
    /// The disk was full before everything was written.
    #[error("no space left on the disk of `{path}`; make room there, then try again")]
    DiskFull {
        /// What was to be written.
        path: PathBuf,
    },
    /// Something was broken off, by the other side or at a limit: why, and what to do.
    #[error("{0}")]
    BrokeOff(String),
    /// A row does not match its checksum, or the log has a hole.
    #[error("damaged {what}: {detail}")]
    Corrupt {
        /// The table or file.
        what: &'static str,
        /// Where and how.
        detail: String,
    },
    /// What was given cannot tell what it is asked for.
    #[error("the {what} cannot tell: {detail}")]
    Unverifiable {
        /// What was given.
        what: &'static str,
        /// Why it cannot, and what to do.
        detail: String,
    },
    /// The record at a position is not there.
    #[error(
        "no record at {lsn}, the log ends at {head}; ask for one up to there, or when it has been written"
    )]
    BeyondHead {
        /// The position asked for.
        lsn: Lsn,
        /// The last position.
        head: Lsn,
    },
    /// Another process has the data directory open.
    #[error(
        "data directory `{path}` is in use by process {pid}; ask the node that runs, or stop that process first"
    )]
    InUse {
        /// The data directory.
        path: PathBuf,
        /// The process that holds it, as it wrote it down (0: unknown).
        pid: u32,
    },
    /// The data was written by a newer program.
    #[error("data format {found} is newer than this program's {known}; use the newer program")]
    NewerFormat {
        /// The format on disk.
        found: u32,
        /// The newest format that this program knows.
        known: u32,
    },
}

impl Error {
    /// The code of [`Error::KeyReused`].
    pub const KEY_REUSED: &'static str = "idempotency_key_reused";

    /// What the caller should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Invalid { .. } | Error::EndMissing { .. } | Error::EventsRejected { .. } => {
                ErrorKind::Invalid
            }
            Error::TypeConflict { .. }
            | Error::Exists { .. }
            | Error::Superseded { .. }
            | Error::KeyReused
            | Error::Redacted
            | Error::Held { .. }
            | Error::ClockJumped { .. }
            | Error::EventReused { .. } => ErrorKind::Conflict,
            Error::NotFound { .. } | Error::BeyondHead { .. } => ErrorKind::NotFound,
            Error::Poisoned { .. }
            | Error::Busy { .. }
            | Error::Io(_)
            | Error::NoSpace { .. }
            | Error::DiskFull { .. }
            | Error::BrokeOff(_)
            | Error::Unverifiable { .. } => ErrorKind::Unavailable,
            Error::Corrupt { .. } => ErrorKind::Corrupt,
            Error::InUse { .. } | Error::NewerFormat { .. } => ErrorKind::Locked,
        }
    }

    /// Whether a command was refused, with nothing changed, rather than the store failing.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self.kind(), ErrorKind::Invalid | ErrorKind::Conflict | ErrorKind::NotFound)
    }

    /// A stable name for scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Error::Invalid { .. } => "invalid",
            Error::TypeConflict { .. } => "type_conflict",
            Error::EndMissing { .. } => "end_missing",
            Error::EventReused { .. } => "event_reused",
            Error::EventsRejected { .. } => "events_rejected",
            Error::Exists { .. } => "exists",
            Error::Superseded { .. } => "superseded",
            Error::KeyReused => Error::KEY_REUSED,
            Error::Redacted => "redacted",
            Error::Held { .. } => "held",
            Error::ClockJumped { .. } => "clock_jumped",
            Error::NotFound { .. } => "not_found",
            Error::Poisoned { .. } => "store_stopped",
            Error::Busy { .. } => "busy",
            Error::Io(_) => "io",
            Error::NoSpace { .. } | Error::DiskFull { .. } => "no_space",
            Error::BrokeOff(_) => "broke_off",
            Error::Corrupt { .. } => "corrupt",
            Error::Unverifiable { .. } => "unverifiable",
            Error::BeyondHead { .. } => "lsn_ahead",
            Error::InUse { .. } => "in_use",
            Error::NewerFormat { .. } => "newer_format",
        }
    }

    /// An [`Error::Invalid`] whose value is cut to a printable length.
    #[must_use]
    pub fn invalid(what: &'static str, value: &str, limit: impl Into<String>) -> Error {
        let value = value.chars().take(200).collect();
        Error::Invalid { what, value, limit: limit.into() }
    }

    /// What the system refused to do at a path.
    #[must_use]
    pub fn io(path: &Path, error: &std::io::Error) -> Error {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Error::DiskFull { path: path.to_owned() }
            }
            _ => Error::Io(format!("`{}`: {error}", path.display())),
        }
    }
}

/// An event that cannot be taken.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRejected {
    /// Which it is, counted from 0.
    pub index: usize,
    /// The id of what it says something of, or its own.
    pub id: String,
    /// Why.
    pub error: Error,
}

fn first(rejects: &[EventRejected]) -> String {
    rejects.first().map(|reject| format!("number {}, {}", reject.index, reject.error)).unwrap_or_default()
}

impl From<crate::ledger::Error> for Error {
    fn from(error: crate::ledger::Error) -> Error {
        Error::Corrupt { what: "ledger", detail: error.to_string() }
    }
}
