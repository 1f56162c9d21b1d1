//! The record: the only thing ever appended, and the packed row that holds many of them.
//!
//! A record is a fixed header of 40 bytes, a salt of 16 bytes and a field-numbered body. Its ledger
//! leaf is `header || SHA-256(salt || body)`: header and digest stay for ever, salt and body may be
//! erased later without touching a neighbour or a proof.
//!
//! ```text
//! header (big-endian)   0 format u8 = 1        21 actor u64        31 label u32
//!                       1 kind u16             29 purpose u8       35 body length u32
//!                       3 kind version u16     30 retention u8     39 zero u8
//!                       5 lsn u64
//!                      13 time i64, microseconds since 1970
//!
//! packed row            count u32, then for each record its end offset u32 (from the first record),
//!                       then the records: header, flag u8 (1: salt and body, 0: digest), the rest
//! ```

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::erasing::Erased;
use crate::error::{Error, Result};
use crate::ids::{ActorId, LabelId, Lsn};
use crate::ledger::{self, Header, Leaf, Salt};

/// Rows stay just under this: the engine gives a value a power of two of bytes.
pub const ROW_BYTES_MAX: usize = 64 * 1024 - 128;

/// The newest header format.
const FORMAT: u8 = 1;
const HELD: u8 = 1;
const ERASED: u8 = 0;

/// What a record says, and so how its body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Kind {
    /// A tenant began (body: its name).
    Tenant = 1,
    /// A label was interned (body: the label).
    Label = 2,
    /// A source was declared, or declared anew (body: its declaration).
    Source = 3,
    /// A source said something of a thing under one label (body: the assertion).
    Asserted = 4,
    /// A source no longer says anything of a thing under one label (body: the thing's id).
    Withdrawn = 5,
    /// A thing was hidden from everybody (body: its id).
    Deleted = 6,
    /// A hidden thing was shown again (body: its id).
    Restored = 7,
    /// A token was made (body: its declaration).
    Token = 8,
    /// A token was revoked (body: its id).
    TokenRevoked = 9,
    /// A run began (body: [`crate::model::RunBegin`]).
    RunBegan = 10,
    /// A run ended (body: [`crate::model::RunEnd`]).
    RunEnded = 11,
    /// The policy was set (body: [`crate::model::PolicySet`]).
    Policy = 12,
    /// A segment of the decision log was closed (body: [`crate::model::DecisionSegment`]).
    DecisionsClosed = 13,
    /// A sign-in link was made (body: [`crate::model::LinkMade`]).
    LinkMade = 20,
    /// A session was opened (body: [`crate::model::SignedIn`]).
    SignedIn = 21,
    /// A session was ended by its holder (body: [`crate::model::SignedOut`]).
    SignedOut = 22,
    /// Somebody came by an outside issuer for the first time, or was denied before that (body:
    /// [`crate::model::Subject`]); the record's actor is theirs.
    SubjectMet = 23,
    /// Somebody whom an outside issuer names was denied (body: the same).
    SubjectDenied = 24,
    /// They were let in again (body: the same).
    SubjectAdmitted = 25,
    /// A token of an outside issuer was denied (body: its issuer and id).
    OutsideTokenDenied = 26,
    /// A graph was saved (body: [`crate::model::Graph`]).
    GraphSaved = 30,
    /// A graph was deleted (body: its id).
    GraphDeleted = 31,
    /// A backup was restored, and the ledger's next epoch began (body: [`crate::model::EpochBegan`]).
    EpochBegan = 40,
    /// A redaction began: what it is of is hidden (body: [`crate::model::RedactionBegun`]).
    RedactionBegan = 50,
    /// A redaction is done (body: [`crate::model::ErasureDone`]).
    RedactionEnded = 51,
    /// What was redacted may be brought in again (body: [`crate::model::RedactionLifted`]).
    RedactionLifted = 52,
    /// A hold was set (body: [`crate::model::Hold`]).
    HoldSet = 53,
    /// A hold was removed (body: the position of the record that set it).
    HoldRemoved = 54,
    /// What had come due was removed (body: [`crate::model::ErasureDone`]).
    Purged = 55,
    /// A flag was set for the tenant, or set back (body: [`crate::model::FlagSet`]).
    FlagSet = 60,
    /// What a flag turns on was stopped for the whole node (body: the flag's name).
    FlagStopped = 61,
    /// It goes on (body: the flag's name).
    FlagResumed = 62,
}

impl Kind {
    const ALL: [Kind; 32] = [
        Kind::Tenant,
        Kind::Label,
        Kind::Source,
        Kind::Asserted,
        Kind::Withdrawn,
        Kind::Deleted,
        Kind::Restored,
        Kind::Token,
        Kind::TokenRevoked,
        Kind::RunBegan,
        Kind::RunEnded,
        Kind::Policy,
        Kind::DecisionsClosed,
        Kind::LinkMade,
        Kind::SignedIn,
        Kind::SignedOut,
        Kind::SubjectMet,
        Kind::SubjectDenied,
        Kind::SubjectAdmitted,
        Kind::OutsideTokenDenied,
        Kind::GraphSaved,
        Kind::GraphDeleted,
        Kind::EpochBegan,
        Kind::RedactionBegan,
        Kind::RedactionEnded,
        Kind::RedactionLifted,
        Kind::HoldSet,
        Kind::HoldRemoved,
        Kind::Purged,
        Kind::FlagSet,
        Kind::FlagStopped,
        Kind::FlagResumed,
    ];

    fn from_code(code: u16) -> Result<Kind> {
        let known = Kind::ALL.into_iter().find(|kind| *kind as u16 == code);
        known.ok_or_else(|| Error::Corrupt { what: "record", detail: format!("unknown kind {code}") })
    }
}

/// A record as read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its position.
    pub lsn: Lsn,
    /// What it says.
    pub kind: Kind,
    /// When it was recorded, microseconds since 1970; never before the record in front of it.
    pub time_us: i64,
    /// Who had it recorded.
    pub actor: ActorId,
    /// Its label; `LabelId::SYSTEM` for records about the node.
    pub label: LabelId,
    /// The header as stored, part of the leaf.
    pub header: Header,
    /// Salt and body, or the digest that is left of them.
    pub content: Content,
}

/// What is kept of a record's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// All of it.
    Held {
        /// Keeps the digest from betraying a short body.
        salt: Salt,
        /// The body.
        body: Vec<u8>,
    },
    /// Only the digest: the body was erased.
    Erased {
        /// SHA-256 of salt and body.
        digest: ledger::Hash,
    },
}

impl Record {
    /// The record's ledger leaf.
    #[must_use]
    pub fn leaf(&self) -> Leaf {
        Leaf::new(&self.header, &self.digest())
    }

    /// SHA-256 of salt and body, whether they are still there or not.
    #[must_use]
    pub fn digest(&self) -> ledger::Hash {
        match &self.content {
            Content::Held { salt, body } => ledger::leaf::digest(salt, body),
            Content::Erased { digest } => *digest,
        }
    }

    /// The body, if it was not erased.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Held { body, .. } => Some(body),
            Content::Erased { .. } => None,
        }
    }
}

/// A record about to be appended: everything but its position, time and salt.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What it says.
    pub kind: Kind,
    /// Who says so.
    pub actor: ActorId,
    /// The purpose code it was recorded for (see [`crate::model::Purpose`]).
    pub purpose: u8,
    /// The retention code (see [`crate::model::Retention`]), 0 for records about the node.
    pub retention: u8,
    /// The label.
    pub label: LabelId,
    /// The body.
    pub body: Vec<u8>,
}

/// A salt that nobody can guess afterwards: the seed is random, per batch, and kept nowhere.
#[must_use]
pub fn salt(seed: &[u8; 32], tenant: u32, lsn: Lsn) -> Salt {
    let mut hash = Sha256::new();
    hash.update(seed);
    hash.update(tenant.to_be_bytes());
    hash.update(lsn.0.to_be_bytes());
    hash.finalize()[..ledger::SALT_BYTES].try_into().expect("a digest is longer than a salt")
}

/// Lays out the header of a draft.
#[must_use]
pub fn header(draft: &Draft, lsn: Lsn, time_us: i64) -> Header {
    let body_len = u32::try_from(draft.body.len()).expect("bodies are limited far below 4 GiB");
    let mut bytes = Vec::with_capacity(ledger::HEADER_BYTES);
    bytes.push(FORMAT);
    bytes.extend_from_slice(&(draft.kind as u16).to_be_bytes());
    bytes.extend_from_slice(&1u16.to_be_bytes());
    bytes.extend_from_slice(&lsn.0.to_be_bytes());
    bytes.extend_from_slice(&time_us.to_be_bytes());
    bytes.extend_from_slice(&draft.actor.0.to_be_bytes());
    bytes.extend_from_slice(&[draft.purpose, draft.retention]);
    bytes.extend_from_slice(&draft.label.0.to_be_bytes());
    bytes.extend_from_slice(&body_len.to_be_bytes());
    bytes.push(0);
    bytes.try_into().expect("the header's fields add up to 40 bytes")
}

/// A packed row under construction.
#[derive(Clone, Debug, Default)]
pub struct RowWriter {
    ends: Vec<u32>,
    records: Vec<u8>,
}

impl RowWriter {
    /// Whether one more body of `body_bytes` keeps the row below [`ROW_BYTES_MAX`]. An empty row
    /// takes any body: a large one has a row of its own.
    #[must_use]
    pub fn has_room(&self, body_bytes: usize) -> bool {
        let added = ledger::HEADER_BYTES + 1 + ledger::SALT_BYTES + body_bytes + 4;
        self.ends.is_empty() || 4 + self.ends.len() * 4 + self.records.len() + added <= ROW_BYTES_MAX
    }

    /// Appends a record.
    pub fn push(&mut self, header: &Header, salt: &Salt, body: &[u8]) {
        self.records.extend_from_slice(header);
        self.records.push(HELD);
        self.records.extend_from_slice(salt);
        self.records.extend_from_slice(body);
        self.ends.push(u32::try_from(self.records.len()).expect("rows are limited far below 4 GiB"));
    }

    /// Appends a record of which only the digest is left.
    fn push_erased(&mut self, header: &Header, digest: &ledger::Hash) {
        self.records.extend_from_slice(header);
        self.records.push(ERASED);
        self.records.extend_from_slice(digest);
        self.ends.push(u32::try_from(self.records.len()).expect("rows are limited far below 4 GiB"));
    }

    /// Whether nothing was appended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The row's bytes; the writer is empty afterwards.
    pub fn take(&mut self) -> Vec<u8> {
        let count = u32::try_from(self.ends.len()).expect("rows are limited far below 4 GiB");
        // The engine adds its checksum: with room for it the row need not move again.
        let checksum = crate::engine::CHECKSUM_BYTES;
        let mut row = Vec::with_capacity(4 + self.ends.len() * 4 + self.records.len() + checksum);
        row.extend_from_slice(&count.to_be_bytes());
        for end in self.ends.drain(..) {
            row.extend_from_slice(&end.to_be_bytes());
        }
        row.append(&mut self.records);
        row
    }
}

/// A packed row as read back.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    count: usize,
    ends: &'a [u8],
    records: &'a [u8],
}

impl<'a> Row<'a> {
    /// Reads the row's frame.
    ///
    /// # Errors
    /// `Corrupt` if the bytes cannot be a packed row.
    pub fn parse(bytes: &'a [u8]) -> Result<Row<'a>> {
        let (count, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| damaged("no count"))?;
        let count = u32::from_be_bytes(*count) as usize;
        let (ends, records) = rest.split_at_checked(count * 4).ok_or_else(|| damaged("offsets cut short"))?;
        Ok(Row { count, ends, records })
    }

    /// How many records it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The record at a place in the row.
    ///
    /// # Errors
    /// `Corrupt` if the bytes cannot be a record.
    pub fn record(&self, place: usize) -> Result<Record> {
        let start = if place == 0 { 0 } else { self.end(place - 1)? };
        let bytes = self.records.get(start..self.end(place)?).ok_or_else(|| damaged("record cut short"))?;
        parse_record(bytes)
    }

    /// What the record at a place says, without reading all of it.
    ///
    /// # Errors
    /// `Corrupt` if the bytes cannot be a record.
    pub(crate) fn kind(&self, place: usize) -> Result<Kind> {
        let start = if place == 0 { 0 } else { self.end(place - 1)? };
        let code = self.records.get(start + 1..start + 3).and_then(|code| code.try_into().ok());
        Kind::from_code(u16::from_be_bytes(code.ok_or_else(|| damaged("record cut short"))?))
    }

    /// The row without the bodies and salts at these places: their digests are left. `None` if there is none to take.
    ///
    /// # Errors
    /// `Corrupt` if the bytes cannot be records.
    pub(crate) fn without(&self, places: &BTreeSet<usize>) -> Result<Option<Without>> {
        let (mut row, mut erased) = (RowWriter::default(), Erased::default());
        for place in 0..self.len() {
            let record = self.record(place)?;
            match &record.content {
                Content::Held { body, .. } if places.contains(&place) => {
                    erased.records += 1;
                    erased.bytes += (ledger::SALT_BYTES + body.len()) as u64;
                    row.push_erased(&record.header, &record.digest());
                }
                Content::Held { salt, body } => row.push(&record.header, salt, body),
                Content::Erased { digest } => row.push_erased(&record.header, digest),
            }
        }
        Ok((erased.records > 0).then(|| Without { row: row.take(), erased }))
    }

    fn end(&self, place: usize) -> Result<usize> {
        let end = self.ends.get(place * 4..place * 4 + 4).and_then(|bytes| bytes.try_into().ok());
        end.map(|bytes| u32::from_be_bytes(bytes) as usize).ok_or_else(|| damaged("no such record"))
    }
}

/// A row of which something was taken.
pub(crate) struct Without {
    pub(crate) row: Vec<u8>,
    pub(crate) erased: Erased,
}

fn parse_record(bytes: &[u8]) -> Result<Record> {
    let (header, rest) =
        bytes.split_first_chunk::<{ ledger::HEADER_BYTES }>().ok_or_else(|| damaged("no header"))?;
    let (flag, rest) = rest.split_first().ok_or_else(|| damaged("no flag"))?;
    if header[0] != FORMAT {
        return Err(Error::NewerFormat { found: header[0].into(), known: FORMAT.into() });
    }
    Ok(Record {
        lsn: Lsn(u64::from_be_bytes(field(header, 5))),
        kind: Kind::from_code(u16::from_be_bytes(field(header, 1)))?,
        time_us: i64::from_be_bytes(field(header, 13)),
        actor: ActorId(u64::from_be_bytes(field(header, 21))),
        label: LabelId(u32::from_be_bytes(field(header, 31))),
        header: *header,
        content: parse_content(*flag, rest)?,
    })
}

fn parse_content(flag: u8, rest: &[u8]) -> Result<Content> {
    match flag {
        HELD => {
            let (salt, body) = rest.split_first_chunk().ok_or_else(|| damaged("no salt"))?;
            Ok(Content::Held { salt: *salt, body: body.to_vec() })
        }
        ERASED => {
            let digest = rest.try_into().map_err(|_| damaged("no digest"))?;
            Ok(Content::Erased { digest })
        }
        _ => Err(damaged("unknown flag")),
    }
}

fn field<const N: usize>(header: &Header, offset: usize) -> [u8; N] {
    header[offset..offset + N].try_into().expect("fields lie within the header")
}

fn damaged(detail: &str) -> Error {
    Error::Corrupt { what: "log row", detail: detail.to_owned() }
}
