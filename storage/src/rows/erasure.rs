//! Rows of what is erased, refused and held.

use prost::Message;

use crate::error::{Error, Result};
use crate::ids::{Lsn, SourceId, ThingId};

/// A redaction that is not done: what is hidden because of it, and how far it is.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ErasingRow {
    /// The thing; 0 if it is of a source.
    #[prost(uint64, tag = "1")]
    pub thing: u64,
    /// The source; 0 if it is of a thing.
    #[prost(uint32, tag = "2")]
    pub source: u32,
    /// What will be left of it.
    #[prost(message, required, tag = "3")]
    pub redaction: RedactionRow,
    /// Code of a [`Stage`].
    #[prost(uint32, tag = "4")]
    pub stage: u32,
    /// Where the stage goes on: everything in front of this key is done.
    #[prost(bytes = "vec", tag = "5")]
    pub cursor: Vec<u8>,
}

/// A redaction. It names neither a thing nor a source.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RedactionRow {
    /// The keyed hash of the id or the source.
    #[prost(bytes = "vec", tag = "1")]
    pub hash: Vec<u8>,
    /// Whether it is of all that a source said.
    #[prost(bool, tag = "2")]
    pub of_source: bool,
    /// Who ordered it.
    #[prost(uint64, tag = "3")]
    pub actor: u64,
    /// When it began, microseconds since 1970.
    #[prost(sint64, tag = "4")]
    pub began_us: i64,
    /// Records that lost their bodies.
    #[prost(uint64, tag = "5")]
    pub records: u64,
    /// Bytes of bodies and salts that are gone.
    #[prost(uint64, tag = "6")]
    pub bytes: u64,
    /// The record that says that it is done; 0 while it is not.
    #[prost(uint64, tag = "7")]
    pub ended: u64,
    /// The record by which it may be brought in again; 0 while it may not.
    #[prost(uint64, tag = "8")]
    pub lifted: u64,
}

/// A hold that stands.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct HoldRow {
    /// What it is of, and why.
    #[prost(message, required, tag = "1")]
    pub hold: crate::model::Hold,
    /// Who set it.
    #[prost(uint64, tag = "2")]
    pub actor: u64,
    /// When, microseconds since 1970.
    #[prost(sint64, tag = "3")]
    pub since_us: i64,
}

/// How far a redaction is. Each stage goes through one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Stage {
    /// Relations that wait for their ends.
    Waiting = 0,
    /// What is remembered of a source's events.
    Events = 1,
    /// What was said before and replaced.
    Former = 2,
    /// Things, and what is said of them.
    Things = 3,
    /// Records that name what is gone without being cited by it, and graphs that it is on.
    Log = 4,
    /// All of it is gone from the store.
    Gone = 5,
}

impl Stage {
    const ALL: [Stage; 6] =
        [Stage::Waiting, Stage::Events, Stage::Former, Stage::Things, Stage::Log, Stage::Gone];
}

impl ErasingRow {
    /// How far it is.
    ///
    /// # Errors
    /// `Corrupt` if the stored code is unknown.
    pub fn stage(&self) -> Result<Stage> {
        let known = Stage::ALL.into_iter().find(|stage| *stage as u32 == self.stage);
        known.ok_or_else(|| Error::Corrupt { what: "erasing", detail: format!("no stage {}", self.stage) })
    }

    pub(crate) fn enter(&mut self, stage: Stage) {
        self.stage = stage as u32;
        self.cursor = Vec::new();
    }

    /// The thing that it is of.
    #[must_use]
    pub fn thing(&self) -> Option<ThingId> {
        (self.thing != 0).then_some(ThingId(self.thing))
    }

    /// The source that it is of.
    #[must_use]
    pub fn source(&self) -> Option<SourceId> {
        (self.source != 0).then_some(SourceId(self.source))
    }
}

impl RedactionRow {
    /// The record that says that it is done.
    #[must_use]
    pub fn ended(&self) -> Option<Lsn> {
        (self.ended != 0).then_some(Lsn(self.ended))
    }

    /// Whether what was redacted may be brought in again.
    #[must_use]
    pub fn is_lifted(&self) -> bool {
        self.lifted != 0
    }
}
