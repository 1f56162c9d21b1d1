//! Every table, its key and its value, on one page.
//!
//! Keys are big-endian and start with the tenant, so that a range of bytes is a range of meaning and
//! no scan leaves a tenant. Values are field-numbered bodies ([`crate::rows`]) unless said otherwise.

use crate::ids::{LabelId, Lsn, RunId, SourceId, SymbolId, TenantId, ThingId};

/// Declares the tables: variant, name on disk, and what a row is.
macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident = $name:literal,)+) => {
        /// A table of the store.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Table { $($(#[$doc])* $table,)+ }

        impl Table {
            /// Every table, in the order of declaration.
            pub const ALL: &'static [Table] = &[$(Table::$table,)+];

            /// The name on disk.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Table::$table => $name,)+ }
            }
        }
    };
}

tables! {
    /// `()` -> format, node id, epoch, last commit.
    Node = "node",
    /// name -> tenant id (4 bytes).
    Tenants = "tenants",
    /// tenant -> next ids, last time, and the right edge of the ledger tree.
    Heads = "heads",
    /// tenant, first Lsn of the row -> a packed row of records ([`crate::record`]).
    Log = "log",
    /// tenant, tile level (1 byte), index -> root of a full subtree of the ledger tree (32 bytes).
    Subtrees = "subtrees",
    /// tenant, id string -> thing (8 bytes).
    Names = "names",
    /// tenant, thing -> id, type, and where each source's present assertion is.
    Things = "things",
    /// tenant, thing, Lsn -> an assertion that was replaced, and by what.
    Before = "before",
    /// tenant, from, kind, relation, to -> label of the relation; none if it has several, or drew the edge
    /// once and no longer does.
    EdgesOut = "edges_out",
    /// tenant, to, kind, relation, from -> the same.
    EdgesIn = "edges_in",
    /// tenant, word -> symbol (4 bytes).
    Symbols = "symbols",
    /// tenant, symbol -> word (text).
    Words = "words",
    /// tenant, label id -> label.
    Labels = "labels",
    /// tenant, label -> label id (4 bytes).
    LabelIds = "label_ids",
    /// tenant, source -> its declaration.
    Sources = "sources",
    /// tenant, source name -> source (4 bytes).
    SourceNames = "source_names",
    /// token id -> tenant, actor, declaration, revocation.
    Tokens = "tokens",
    /// tenant, SHA-256 of issuer and name -> whom an outside issuer named: actor, denial.
    Subjects = "subjects",
    /// tenant, SHA-256 of issuer and id -> a token of an outside issuer that is denied.
    DeniedTokens = "denied_tokens",
    /// tenant, run -> what it is and how it ended.
    Runs = "runs",
    /// tenant, run, number -> a relation whose ends had not come yet.
    Pending = "pending",
    /// tenant, source, digest of a file and of how it is read (32 bytes) -> how far a run that did not complete has read it.
    Progress = "progress",
    /// tenant, day it came (4 bytes), source, digest of its origin and id (16 bytes) -> where the log ended when an
    /// event had been taken in (8 bytes), digest of what it said (16 bytes).
    Events = "events",
    /// tenant, Lsn of the record that set it -> SHA-256 of its text. The last is in force.
    Policies = "policies",
    /// tenant, number of a closed segment of the decision log -> its SHA-256.
    Decisions = "decisions",
    /// tenant, id of a saved graph -> its version, maker and labels.
    Graphs = "graphs",
    /// tenant, digest of who sent a request under which key (32 bytes), step -> what that step did.
    Once = "once",
    /// tenant, time (8 bytes), digest, step -> nothing: the same, oldest first.
    OnceInTime = "once_in_time",
    /// commit (8 bytes), part (4 bytes) -> keys of the rows that the commit changed ([`crate::changes`]); no tenant's.
    Changed = "changed",
    /// tenant, Lsn of the record with which it began -> a redaction that is not done: what is hidden, and how far it is.
    Erasing = "erasing",
    /// tenant, the same -> a redaction that is done.
    Redactions = "redactions",
    /// tenant, keyed hash of an id or of a source (32 bytes) -> the redaction because of which it is refused (8 bytes).
    Refused = "refused",
    /// tenant, Lsn of the record that set it -> a hold.
    Holds = "holds",
    /// tenant, name of a flag -> what it was set to, by whom and when.
    Flags = "flags",
    /// tenant, Lsn -> nothing: a record with a body that may go by itself, since no row cites it. Those in front of the head's
    /// `loose_to` are listed.
    Loose = "loose",
}

/// A key under construction: parts are appended, most significant first.
#[derive(Clone, Debug, Default)]
pub struct Key(Vec<u8>);

/// What can be part of a key.
pub trait KeyPart {
    /// Appends the part so that byte order is value order.
    fn push_to(&self, key: &mut Vec<u8>);
}

macro_rules! key_part {
    ($($id:ident)+) => {
        $(impl KeyPart for $id {
            fn push_to(&self, key: &mut Vec<u8>) {
                key.extend_from_slice(&self.0.to_be_bytes());
            }
        })+
    };
}
key_part!(TenantId ThingId LabelId SourceId SymbolId RunId Lsn);

impl KeyPart for u8 {
    fn push_to(&self, key: &mut Vec<u8>) {
        key.push(*self);
    }
}

impl KeyPart for u32 {
    fn push_to(&self, key: &mut Vec<u8>) {
        key.extend_from_slice(&self.to_be_bytes());
    }
}

impl KeyPart for u64 {
    fn push_to(&self, key: &mut Vec<u8>) {
        key.extend_from_slice(&self.to_be_bytes());
    }
}

/// Only ever the last part: a string has no end mark.
impl KeyPart for str {
    fn push_to(&self, key: &mut Vec<u8>) {
        key.extend_from_slice(self.as_bytes());
    }
}

/// Only ever the last part.
impl KeyPart for [u8] {
    fn push_to(&self, key: &mut Vec<u8>) {
        key.extend_from_slice(self);
    }
}

impl Key {
    /// The key of a table that has one row for each tenant, or the prefix of a tenant's rows.
    #[must_use]
    pub fn of(tenant: TenantId) -> Key {
        let mut key = Vec::with_capacity(32);
        tenant.push_to(&mut key);
        Key(key)
    }

    /// This key with one more part.
    #[must_use]
    pub fn and(mut self, part: &(impl KeyPart + ?Sized)) -> Key {
        part.push_to(&mut self.0);
        self
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The smallest bytes above every key that starts with this one; `None` if there are none.
    #[must_use]
    pub fn end(&self) -> Option<Vec<u8>> {
        let mut end = self.0.clone();
        while let Some(last) = end.pop() {
            if last < u8::MAX {
                end.push(last + 1);
                return Some(end);
            }
        }
        None
    }
}

/// Reads a big-endian `u64` at a byte offset of a key; 0 if the key is too short, which scrub reports.
#[must_use]
pub fn key_u64(key: &[u8], offset: usize) -> u64 {
    let bytes = key.get(offset..offset + 8).and_then(|part| part.try_into().ok());
    u64::from_be_bytes(bytes.unwrap_or_default())
}

/// Reads a big-endian `u32` at a byte offset of a key; 0 if the key is too short.
#[must_use]
pub fn key_u32(key: &[u8], offset: usize) -> u32 {
    let bytes = key.get(offset..offset + 4).and_then(|part| part.try_into().ok());
    u32::from_be_bytes(bytes.unwrap_or_default())
}
