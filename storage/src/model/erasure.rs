//! What the ledger keeps of an erasure and of a hold: who ordered it, when and why, and never what of.

use prost::Message;

use crate::error::{Error, Result};

/// Longest reason, in characters.
pub const REASON_CHARS_MAX: usize = 1000;

/// A redaction began. It names no id: what it is of would stay for ever.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RedactionBegun {
    /// Why, in the words of who ordered it.
    #[prost(string, tag = "1")]
    pub reason: String,
    /// Whether it is of all that a source said, and not of one thing.
    #[prost(bool, tag = "2")]
    pub of_source: bool,
}

/// A redaction, or what had come due, is gone from the store and from what follows it.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct ErasureDone {
    /// The record with which the redaction began; 0 if nobody ordered it because it had come due.
    #[prost(uint64, tag = "1")]
    pub begun: u64,
    /// Records that lost their bodies.
    #[prost(uint64, tag = "2")]
    pub records: u64,
    /// Bytes of bodies and salts that are gone.
    #[prost(uint64, tag = "3")]
    pub bytes: u64,
}

/// What was redacted may be brought in again.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct RedactionLifted {
    /// The record with which the redaction began.
    #[prost(uint64, tag = "1")]
    pub begun: u64,
}

/// What a hold or a redaction is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selection {
    /// A thing, by its id: all that is said of it, and what joins it to others.
    Thing(String),
    /// All that a source says, by its name.
    Source(String),
    /// All of a tenant. Only a hold can be of this.
    Tenant,
}

/// A hold: what it is of is neither purged nor redacted while it stands.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Hold {
    /// The id of a thing, or the name of a source.
    #[prost(string, tag = "1")]
    pub name: String,
    /// 1 a thing, 2 a source, 3 the tenant.
    #[prost(uint32, tag = "2")]
    pub of: u32,
    /// Why.
    #[prost(string, tag = "3")]
    pub reason: String,
}

impl RedactionBegun {
    /// Reads the body of a record.
    ///
    /// # Errors
    /// `Corrupt` if the bytes are not one.
    pub fn from_body(bytes: &[u8]) -> Result<RedactionBegun> {
        super::decode(bytes, "beginning of a redaction")
    }
}

impl ErasureDone {
    /// Reads the body of a record.
    ///
    /// # Errors
    /// `Corrupt` if the bytes are not one.
    pub fn from_body(bytes: &[u8]) -> Result<ErasureDone> {
        super::decode(bytes, "end of an erasure")
    }
}

impl RedactionLifted {
    /// Reads the body of a record.
    ///
    /// # Errors
    /// `Corrupt` if the bytes are not one.
    pub fn from_body(bytes: &[u8]) -> Result<RedactionLifted> {
        super::decode(bytes, "lifted redaction")
    }
}

impl Hold {
    /// A hold on a selection.
    #[must_use]
    pub fn on(selection: Selection, reason: String) -> Hold {
        let (of, name) = match selection {
            Selection::Thing(id) => (1, id),
            Selection::Source(name) => (2, name),
            Selection::Tenant => (3, String::new()),
        };
        Hold { name, of, reason }
    }

    /// What it is of.
    ///
    /// # Errors
    /// `Corrupt` if the stored code is unknown.
    pub fn selection(&self) -> Result<Selection> {
        match self.of {
            1 => Ok(Selection::Thing(self.name.clone())),
            2 => Ok(Selection::Source(self.name.clone())),
            3 => Ok(Selection::Tenant),
            code => Err(Error::Corrupt { what: "hold", detail: format!("no hold is of {code}") }),
        }
    }

    /// Reads a stored hold.
    ///
    /// # Errors
    /// `Corrupt` if the bytes are not one.
    pub fn from_body(bytes: &[u8]) -> Result<Hold> {
        super::decode(bytes, "hold")
    }
}

/// Checks a reason against its limit: an erasure or a hold that says nothing of why is worth nothing later.
///
/// # Errors
/// `Invalid` with the limit.
pub(crate) fn check_reason(reason: &str) -> Result<()> {
    let chars = reason.trim().chars().count();
    if (1..=REASON_CHARS_MAX).contains(&chars) && !reason.chars().any(char::is_control) {
        return Ok(());
    }
    let limit = format!("1 to {REASON_CHARS_MAX} characters, no control characters");
    Err(Error::invalid("reason", reason, limit))
}
