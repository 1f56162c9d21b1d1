//! Why a file cannot be read on. What came before stays read.

use std::io;

use super::decompress;

/// What ends the reading of a file.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// The reader failed.
    #[error("cannot read the file: {0}")]
    Read(#[source] io::Error),
    /// The compressed stream is damaged, cut off or too large.
    #[error(transparent)]
    Compressed(decompress::Error),
    /// The file ends where more must follow.
    #[error(
        "the file is cut off at offset {offset}, line {line}: {expected}; everything before was read, get the whole file and import it again"
    )]
    Truncated {
        /// Length of what is there, in bytes.
        offset: u64,
        /// The last line.
        line: u64,
        /// What must follow.
        expected: String,
    },
    /// The structure around the objects is broken.
    #[error("the bundle is broken at offset {offset}, line {line}: {expected}, found `{found}`")]
    Broken {
        /// Where, in bytes.
        offset: u64,
        /// On which line, from 1.
        line: u64,
        /// What must stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// The file is no CSV that can be read.
    #[error("not a CSV file: {found}")]
    NotCsv {
        /// What it is instead.
        found: String,
    },
    /// The columns of a CSV file are not those of the mapping.
    #[error("the columns do not fit: {problem}")]
    Columns {
        /// Which do not.
        problem: String,
    },
    /// The file holds something, but not a STIX bundle.
    #[error(
        "not a STIX bundle: {found}; a STIX file is one JSON object with `\"type\": \"bundle\"` and a list `objects`"
    )]
    NotABundle {
        /// What the file is instead.
        found: String,
    },
    /// The file follows STIX 2.0, which has other objects.
    #[error("the file is STIX 2.0 ({sign}), not 2.1; convert it first, for example with stix2-elevator")]
    Stix20 {
        /// How that shows.
        sign: String,
    },
}

impl Fatal {
    /// A stable name for scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Fatal::Read(_) => "unreadable",
            Fatal::Compressed(error) => error.code(),
            Fatal::Truncated { .. } => "truncated",
            Fatal::Broken { .. } => "broken_bundle",
            Fatal::NotCsv { .. } => "not_csv",
            Fatal::Columns { .. } => "columns_do_not_fit",
            Fatal::NotABundle { .. } => "not_a_bundle",
            Fatal::Stix20 { .. } => "stix_2_0",
        }
    }
}

/// The decompressor sits behind `Read` and hands its own errors through it.
impl From<io::Error> for Fatal {
    fn from(error: io::Error) -> Fatal {
        match error.downcast::<decompress::Error>() {
            Ok(compressed) => Fatal::Compressed(compressed),
            Err(error) => Fatal::Read(error),
        }
    }
}
