//! The bodies of the table rows that have fields.

mod erasure;

use std::collections::BTreeSet;

use prost::Message;

use crate::error::Result;
use crate::ids::{ActorId, LabelId, Lsn, SourceId, SymbolId, TenantId, ThingId};
use crate::model::{self, Form, Retention, SESSION_IDLE_US_MAX, Status};
use crate::tables::Key;

pub use erasure::{ErasingRow, HoldRow, RedactionRow, Stage};

/// A day, in microseconds.
pub(crate) const DAY_US: i64 = 86_400_000_000;

/// The node: one row.
#[derive(Clone, PartialEq, Message)]
pub struct NodeRow {
    /// Format of everything stored.
    #[prost(uint32, tag = "1")]
    pub format: u32,
    /// The node's name in ledger origins: 16 hex digits.
    #[prost(string, tag = "2")]
    pub node_id: String,
    /// Counts the restores.
    #[prost(uint32, tag = "3")]
    pub epoch: u32,
    /// The last commit.
    #[prost(uint64, tag = "4")]
    pub commit: u64,
    /// The next tenant.
    #[prost(uint32, tag = "5")]
    pub next_tenant: u32,
    /// The next actor.
    #[prost(uint64, tag = "6")]
    pub next_actor: u64,
    /// Not 0 where an earlier program noted what commits changed, and things by their names: that is dropped when a store is opened.
    #[prost(uint64, tag = "7")]
    pub named_from: u64,
    /// What the clock showed when it was last believed, microseconds since 1970; 0 if it never was looked at.
    #[prost(sint64, tag = "9")]
    pub clock_us: i64,
    /// Flags that are stopped for every tenant, by name, in order.
    #[prost(string, repeated, tag = "10")]
    pub stopped: Vec<String>,
    /// From this commit on it is noted what each changed ([`crate::changes`]); 0: it is not.
    #[prost(uint64, tag = "11")]
    pub changes_from: u64,
    /// Bytes of what is noted.
    #[prost(uint64, tag = "12")]
    pub changes_bytes: u64,
    /// SHA-256 of the public key that its ledgers are signed with; empty until it was started with one.
    #[prost(bytes = "vec", tag = "13")]
    pub key_sha256: Vec<u8>,
    /// Whether there is an anchor: one that is missing was lost.
    #[prost(bool, tag = "14")]
    pub anchored: bool,
}

/// A tenant's counters and the right edge of its ledger.
#[derive(Clone, PartialEq, Message)]
pub struct HeadRow {
    /// The tenant's name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The next position.
    #[prost(uint64, tag = "2")]
    pub next_lsn: u64,
    /// The next thing.
    #[prost(uint64, tag = "3")]
    pub next_thing: u64,
    /// The next label.
    #[prost(uint32, tag = "4")]
    pub next_label: u32,
    /// The next source.
    #[prost(uint32, tag = "5")]
    pub next_source: u32,
    /// The next symbol.
    #[prost(uint32, tag = "6")]
    pub next_symbol: u32,
    /// Time of the last record, microseconds since 1970.
    #[prost(sint64, tag = "7")]
    pub last_time_us: i64,
    /// [`crate::ledger::Frontier`], encoded.
    #[prost(bytes = "vec", tag = "8")]
    pub frontier: Vec<u8>,
    /// How many entities there are, deleted ones included.
    #[prost(uint64, tag = "9")]
    pub entities: u64,
    /// How many relations there are, deleted ones included.
    #[prost(uint64, tag = "10")]
    pub relations: u64,
    /// How many relations wait for their ends.
    #[prost(uint64, tag = "11")]
    pub pending: u64,
    /// How many events are remembered as taken in.
    #[prost(uint64, tag = "12")]
    pub events: u64,
    /// How many commands are remembered so that they are not carried out twice.
    #[prost(uint64, tag = "13")]
    pub once: u64,
    /// How many files are remembered as read in part.
    #[prost(uint64, tag = "14")]
    pub progress: u64,
    /// How many records have lost their bodies.
    #[prost(uint64, tag = "15")]
    pub erased: u64,
    /// How many ids and sources are refused because they were redacted.
    #[prost(uint64, tag = "16")]
    pub refused: u64,
    /// Where the listing of bodies that may go by themselves goes on, by whoever looks for them; 0: it was never begun.
    #[prost(uint64, tag = "17")]
    pub loose_to: u64,
}

impl HeadRow {
    /// The last position, `Lsn::NONE` if there is none.
    #[must_use]
    pub fn head(&self) -> Lsn {
        Lsn(self.next_lsn - 1)
    }
}

/// A thing, and where each source's present assertion of it is.
#[derive(Clone, PartialEq, Message)]
pub struct ThingRow {
    /// The id string.
    #[prost(string, tag = "1")]
    pub id: String,
    /// Code of a [`Form`].
    #[prost(uint32, tag = "2")]
    pub form: u32,
    /// The type, or the relation's kind.
    #[prost(uint32, tag = "3")]
    pub thing_type: u32,
    /// What is said now, by source and label.
    #[prost(message, repeated, tag = "4")]
    pub said: Vec<SaidRow>,
    /// When it was deleted and restored, in turn, microseconds since 1970; of odd length while deleted.
    #[prost(sint64, repeated, tag = "5")]
    pub deletions_us: Vec<i64>,
}

/// One present assertion of a thing.
#[derive(Clone, PartialEq, Message)]
pub struct SaidRow {
    /// Who says it.
    #[prost(uint32, tag = "1")]
    pub source: u32,
    /// Under which label.
    #[prost(uint32, tag = "2")]
    pub label: u32,
    /// The record that holds it.
    #[prost(uint64, tag = "3")]
    pub lsn: u64,
    /// The first 16 bytes of the SHA-256 of the body: tells a claim said again.
    #[prost(bytes = "vec", tag = "4")]
    pub digest: Vec<u8>,
    /// The source's own version.
    #[prost(sint64, optional, tag = "5")]
    pub version_us: Option<i64>,
    /// When it was last said, microseconds since 1970, to the hour: retention counts from here.
    #[prost(sint64, tag = "6")]
    pub asserted_us: i64,
    /// Code of a [`Status`].
    #[prost(uint32, tag = "7")]
    pub status: u32,
    /// The links it draws.
    #[prost(message, repeated, tag = "8")]
    pub edges: Vec<EdgeRow>,
    /// Since when it holds.
    #[prost(sint64, optional, tag = "9")]
    pub since_us: Option<i64>,
    /// Until when it holds.
    #[prost(sint64, optional, tag = "10")]
    pub until_us: Option<i64>,
    /// A relation's weight.
    #[prost(double, optional, tag = "11")]
    pub weight: Option<f64>,
    /// When it was recorded, microseconds since 1970.
    #[prost(sint64, tag = "12")]
    pub recorded_us: i64,
    /// Code of the [`crate::model::Retention`] that holds for it, what is personal being what it is.
    #[prost(uint32, tag = "13")]
    pub keep: u32,
}

/// One link of a relation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Message)]
pub struct EdgeRow {
    /// Its kind.
    #[prost(uint32, tag = "1")]
    pub kind: u32,
    /// The thing it leaves.
    #[prost(uint64, tag = "2")]
    pub from: u64,
    /// The thing it points to.
    #[prost(uint64, tag = "3")]
    pub to: u64,
}

impl ThingRow {
    /// Entity or relation.
    ///
    /// # Errors
    /// `Corrupt` if the stored code is unknown.
    pub fn form(&self) -> Result<Form> {
        Form::from_code(self.form)
    }

    /// Its type or kind.
    #[must_use]
    pub fn symbol(&self) -> SymbolId {
        SymbolId(self.thing_type)
    }

    /// Whether it is deleted now.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.deletions_us.len() % 2 == 1
    }

    /// Whether it was deleted at a time.
    #[must_use]
    pub fn was_deleted_at(&self, time_us: i64) -> bool {
        self.deletions_us.iter().filter(|at| **at <= time_us).count() % 2 == 1
    }

    /// The links that any source draws now.
    #[must_use]
    pub fn links(&self) -> BTreeSet<EdgeRow> {
        self.said.iter().flat_map(|said| said.edges.iter().copied()).collect()
    }

    /// The label of its edges: the only one, or `LabelId::SYSTEM` if it has several.
    #[must_use]
    pub fn edge_label(&self) -> LabelId {
        match self.said.as_slice() {
            [only] => only.label(),
            _ => LabelId::SYSTEM,
        }
    }

    /// The present assertions of one source.
    pub fn said_by(&self, source: SourceId) -> impl Iterator<Item = &SaidRow> {
        self.said.iter().filter(move |said| said.source == source.0)
    }
}

impl SaidRow {
    /// The label it stands under.
    #[must_use]
    pub fn label(&self) -> LabelId {
        LabelId(self.label)
    }

    /// The record that holds it.
    #[must_use]
    pub fn lsn(&self) -> Lsn {
        Lsn(self.lsn)
    }

    /// When it is over, microseconds since 1970: its tier counts from when it was last said, or from the end of what it
    /// holds for, if that is later. `None` if it never is.
    #[must_use]
    pub fn due_us(&self) -> Option<i64> {
        let days = Retention::from_code(self.keep).ok()?.days()?;
        let from_us = self.until_us.map_or(self.asserted_us, |until_us| until_us.max(self.asserted_us));
        Some(from_us.saturating_add(i64::from(days) * DAY_US))
    }

    /// Whether it is over at a time.
    #[must_use]
    pub fn is_due(&self, now_us: i64) -> bool {
        self.due_us().is_some_and(|due_us| due_us <= now_us)
    }

    /// Whether the source stands by it.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == u32::from(Status::Active.code())
    }
}

impl EdgeRow {
    /// The thing it leaves.
    #[must_use]
    pub fn from(&self) -> ThingId {
        ThingId(self.from)
    }

    /// The thing it points to.
    #[must_use]
    pub fn to(&self) -> ThingId {
        ThingId(self.to)
    }

    /// Its keys in both edge tables: tenant, one end, kind, relation, other end.
    #[must_use]
    pub fn keys(&self, tenant: TenantId, relation: ThingId) -> (Key, Key) {
        let key = |near: ThingId, far: ThingId| {
            Key::of(tenant).and(&near).and(&SymbolId(self.kind)).and(&relation).and(&far)
        };
        (key(self.from(), self.to()), key(self.to(), self.from()))
    }
}

/// An assertion that was replaced or withdrawn.
#[derive(Clone, PartialEq, Message)]
pub struct BeforeRow {
    /// What was said.
    #[prost(message, required, tag = "1")]
    pub said: SaidRow,
    /// The record that replaced it.
    #[prost(uint64, tag = "2")]
    pub replaced_by: u64,
    /// When it was replaced, microseconds since 1970.
    #[prost(sint64, tag = "3")]
    pub replaced_us: i64,
}

/// A token and whose it is.
#[derive(Clone, PartialEq, Message)]
pub struct TokenRow {
    /// The tenant it belongs to.
    #[prost(uint32, tag = "1")]
    pub tenant: u32,
    /// The actor in record headers.
    #[prost(uint64, tag = "2")]
    pub actor: u64,
    /// [`crate::model::TokenSpec`], encoded.
    #[prost(bytes = "vec", tag = "3")]
    pub spec: Vec<u8>,
    /// When it was made, microseconds since 1970.
    #[prost(sint64, tag = "4")]
    pub created_us: i64,
    /// When it was revoked.
    #[prost(sint64, optional, tag = "5")]
    pub revoked_us: Option<i64>,
    /// The actor that made it.
    #[prost(uint64, tag = "6")]
    pub made_by: u64,
    /// When it was last used, to [`crate::commands::SEEN_EVERY_US`].
    #[prost(sint64, optional, tag = "7")]
    pub used_us: Option<i64>,
    /// Links that nobody has used, oldest first.
    #[prost(message, repeated, tag = "8")]
    pub links: Vec<LinkRow>,
    /// Sessions, oldest first; some may be over.
    #[prost(message, repeated, tag = "9")]
    pub sessions: Vec<SessionRow>,
}

/// A link by which the holder of a token signs in, once.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct LinkRow {
    /// SHA-256 of its code.
    #[prost(bytes = "vec", tag = "1")]
    pub code_sha256: Vec<u8>,
    /// When it ends, microseconds since 1970.
    #[prost(sint64, tag = "2")]
    pub expires_us: i64,
}

/// A session of a token's holder.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SessionRow {
    /// SHA-256 of its secret.
    #[prost(bytes = "vec", tag = "1")]
    pub secret_sha256: Vec<u8>,
    /// When it was opened, microseconds since 1970.
    #[prost(sint64, tag = "2")]
    pub began_us: i64,
    /// When it was last used, to [`crate::commands::SEEN_EVERY_US`].
    #[prost(sint64, tag = "3")]
    pub seen_us: i64,
    /// When it ends at the latest.
    #[prost(sint64, tag = "4")]
    pub ends_us: i64,
}

impl SessionRow {
    /// Whether it still lets somebody in, at a time.
    #[must_use]
    pub fn is_live(&self, now_us: i64) -> bool {
        now_us < self.ends_us && now_us < self.idle_until_us()
    }

    /// When it is over if nobody uses it, microseconds since 1970.
    #[must_use]
    pub fn idle_until_us(&self) -> i64 {
        self.seen_us.saturating_add(SESSION_IDLE_US_MAX)
    }
}

/// Somebody whom an outside issuer named.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SubjectRow {
    /// Who.
    #[prost(message, required, tag = "1")]
    pub subject: model::Subject,
    /// The actor in record headers.
    #[prost(uint64, tag = "2")]
    pub actor: u64,
    /// When they came first, microseconds since 1970.
    #[prost(sint64, tag = "3")]
    pub since_us: i64,
    /// Since when they are denied, if they are.
    #[prost(sint64, optional, tag = "4")]
    pub denied_us: Option<i64>,
}

/// A token of an outside issuer that lets nobody in.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct DeniedRow {
    /// Which.
    #[prost(message, required, tag = "1")]
    pub token: model::Subject,
    /// Since when, microseconds since 1970.
    #[prost(sint64, tag = "2")]
    pub denied_us: i64,
}

/// A saved graph: what is needed to list it. What is on it is in its record.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct GraphRow {
    /// The record of its last version.
    #[prost(uint64, tag = "1")]
    pub version: u64,
    /// The actor that made it.
    #[prost(uint64, tag = "2")]
    pub maker: u64,
    /// Whether others may open it.
    #[prost(bool, tag = "3")]
    pub shared: bool,
    /// The labels of things that who opens it must be allowed to see,
    #[prost(uint32, repeated, tag = "4")]
    pub labels: Vec<u32>,
    /// and those of relations.
    #[prost(uint32, repeated, tag = "5")]
    pub relation_labels: Vec<u32>,
    /// When it was first saved, microseconds since 1970.
    #[prost(sint64, tag = "6")]
    pub made_us: i64,
    /// When it was last saved.
    #[prost(sint64, tag = "7")]
    pub saved_us: i64,
}

impl GraphRow {
    /// The row of a graph that was just saved over the row `before`, if there was one.
    pub(crate) fn of(
        graph: &model::Graph,
        maker: ActorId,
        version: Lsn,
        saved_us: i64,
        before: Option<&GraphRow>,
    ) -> GraphRow {
        GraphRow {
            version: version.0,
            maker: maker.0,
            shared: graph.shared,
            labels: graph.labels.clone(),
            relation_labels: graph.relation_labels.clone(),
            made_us: before.map_or(saved_us, |before| before.made_us),
            saved_us,
        }
    }

    /// The record of its last version.
    #[must_use]
    pub fn version(&self) -> Lsn {
        Lsn(self.version)
    }
}

/// A flag that is set for a tenant.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct FlagRow {
    /// To what.
    #[prost(string, tag = "1")]
    pub value: String,
    /// Who set it.
    #[prost(uint64, tag = "2")]
    pub actor: u64,
    /// The record that says so.
    #[prost(uint64, tag = "3")]
    pub version: u64,
    /// When, microseconds since 1970.
    #[prost(sint64, tag = "4")]
    pub set_us: i64,
}

impl FlagRow {
    /// The row of a flag that was just set; none if it was set back.
    pub(crate) fn of(set: &model::FlagSet, actor: ActorId, version: Lsn, set_us: i64) -> Option<FlagRow> {
        let value = set.value.clone()?;
        Some(FlagRow { value, actor: actor.0, version: version.0, set_us })
    }
}

/// A run.
#[derive(Clone, PartialEq, Message)]
pub struct RunRow {
    /// What it is.
    #[prost(message, required, tag = "1")]
    pub begin: model::RunBegin,
    /// Who started it.
    #[prost(uint64, tag = "2")]
    pub actor: u64,
    /// When it began, microseconds since 1970.
    #[prost(sint64, tag = "3")]
    pub began_us: i64,
    /// How it ended, if it has.
    #[prost(message, optional, tag = "4")]
    pub end: Option<model::RunEnd>,
    /// When it ended.
    #[prost(sint64, optional, tag = "5")]
    pub ended_us: Option<i64>,
}

/// How far a file was read.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct ProgressRow {
    /// The run that read it last.
    #[prost(uint64, tag = "1")]
    pub run: u64,
    /// So many things of it, from its beginning, are durable, refused, or were set aside by the run.
    #[prost(uint64, tag = "2")]
    pub things: u64,
}

/// A relation whose ends had not come when it was read.
#[derive(Clone, PartialEq, Message)]
pub struct PendingRow {
    /// The source that said it.
    #[prost(uint32, tag = "1")]
    pub source: u32,
    /// Which input it came from.
    #[prost(uint32, tag = "2")]
    pub input: u32,
    /// The line it was on.
    #[prost(uint64, tag = "3")]
    pub line: u64,
    /// Its parts.
    #[prost(message, repeated, tag = "4")]
    pub parts: Vec<PendingPart>,
    /// The purpose code it is recorded for.
    #[prost(uint32, tag = "5")]
    pub purpose: u32,
}

/// What a step of a request did.
#[derive(Clone, PartialEq, Message)]
pub struct OnceRow {
    /// Digest of what was asked for.
    #[prost(bytes = "vec", tag = "1")]
    pub request: Vec<u8>,
    /// When it was carried out, microseconds since 1970.
    #[prost(sint64, tag = "2")]
    pub at_us: i64,
    /// The last record it wrote, or the head.
    #[prost(uint64, tag = "3")]
    pub lsn: u64,
    /// Code of a [`crate::commands::Effect`].
    #[prost(uint32, tag = "4")]
    pub effect: u32,
    /// The number of what it made, if it made something that has one.
    #[prost(uint64, tag = "5")]
    pub number: u64,
}

/// One part of a pending relation.
#[derive(Clone, PartialEq, Message)]
pub struct PendingPart {
    /// [`crate::model::Label`], encoded.
    #[prost(bytes = "vec", tag = "1")]
    pub label: Vec<u8>,
    /// What is said under it.
    #[prost(message, required, tag = "2")]
    pub assertion: model::Assertion,
}

/// Decodes a row of a table.
pub(crate) fn decode<M: Message + Default>(bytes: &[u8], what: &'static str) -> Result<M> {
    model::decode(bytes, what)
}
