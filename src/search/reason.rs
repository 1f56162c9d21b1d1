//! Why an answer is by words alone. The list is closed: `docs/search.md` says of each what to do.

use std::fmt;
use std::str::FromStr;

/// Why an answer is by words alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Words were what was asked for.
    NotAsked,
    /// The tenant's flag is off, or it is stopped for the node.
    FlagOff,
    /// There is no word in the question.
    QueryEmpty,
    /// A phrase that must be there or a word that must not: nearness keeps no such condition.
    FilterExact,
    /// No model is installed, or it is not one that this program can use.
    NoModel,
    /// The tenant has no vector index yet.
    IndexMissing,
    /// It is being built for the first time, or by another model.
    IndexBuilding,
    /// It was found to be damaged, and is built anew.
    IndexDamaged,
    /// The model failed on the question.
    EncoderFailed,
    /// The vector stage was not done in time.
    Deadline,
    /// As many vector stages as there may be are at work.
    Busy,
}

impl Reason {
    /// Every reason.
    pub const ALL: &'static [Reason] = &[
        Reason::NotAsked,
        Reason::FlagOff,
        Reason::QueryEmpty,
        Reason::FilterExact,
        Reason::NoModel,
        Reason::IndexMissing,
        Reason::IndexBuilding,
        Reason::IndexDamaged,
        Reason::EncoderFailed,
        Reason::Deadline,
        Reason::Busy,
    ];

    /// Its name in answers and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::NotAsked => "not_asked",
            Reason::FlagOff => "flag_off",
            Reason::QueryEmpty => "query_empty",
            Reason::FilterExact => "filter_exact",
            Reason::NoModel => "no_model",
            Reason::IndexMissing => "index_missing",
            Reason::IndexBuilding => "index_building",
            Reason::IndexDamaged => "index_damaged",
            Reason::EncoderFailed => "encoder_failed",
            Reason::Deadline => "deadline",
            Reason::Busy => "busy",
        }
    }

    /// The same in words, and what to do.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Reason::NotAsked => "words were what was asked for",
            Reason::FlagOff => {
                "the tenant is not in the pilot (flag set vector-preview on), or it is stopped for the node"
            }
            Reason::QueryEmpty => "there is no word in the query",
            Reason::FilterExact => "a \"phrase\" and a -word are exact, and nearness is not",
            Reason::NoModel => "no model is installed",
            Reason::IndexMissing => "the tenant has no vector index yet (index build --now)",
            Reason::IndexBuilding => "the vector index is being built",
            Reason::IndexDamaged => "the vector index is damaged and is built anew",
            Reason::EncoderFailed => "the model failed on the query",
            Reason::Deadline => "it was not done in time; try again",
            Reason::Busy => "the node is busy; try again",
        }
    }
}

impl FromStr for Reason {
    type Err = ();

    fn from_str(name: &str) -> Result<Reason, ()> {
        Reason::ALL.iter().copied().find(|reason| reason.as_str() == name).ok_or(())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
