//! An unchanging picture of the store, and the questions that readers ask of it.
//!
//! A view is revocable: when the engine must be reopened after a failure, every view ends and says so.

mod policy;

use std::ops::{ControlFlow, Range};
use std::sync::{Arc, RwLock};

use crate::batch::{head_row, id_u32, node_row};
use crate::commands::{RequestKey, check_key, subject_key};
use crate::engine::Snapshot;
use crate::error::{Error, Result};
use crate::ids::{LabelId, Lsn, RunId, SourceId, SymbolId, TenantId, ThingId};
use crate::ledger::{self, Hash, Hashes};
use crate::model::{Assertion, Label, SourceSpec, Subject};
use crate::record::{Record, Row};
use crate::rows::{BeforeRow, HeadRow, NodeRow, PendingRow, RunRow, SubjectRow, ThingRow, TokenRow, decode};
use crate::tables::{Key, Table, key_u32, key_u64};
use crate::tx::{Read, Visit, VisitAll};

/// An unchanging picture of the store.
#[derive(Clone)]
pub struct View {
    snapshot: Arc<Revocable>,
}

/// A snapshot that can be taken away.
pub(crate) struct Revocable(RwLock<Option<Arc<Snapshot>>>);

/// Which end of its edges a thing is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Edges that leave it.
    Out,
    /// Edges that point to it.
    In,
}

/// One edge of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edge {
    /// The relation's kind.
    pub kind: SymbolId,
    /// The relation, a thing of its own.
    pub relation: ThingId,
    /// The thing at the other end.
    pub other: ThingId,
    /// The relation's only label; `LabelId::SYSTEM` if it has several, or drew this edge only once: its
    /// rows tell.
    pub label: LabelId,
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("View")
    }
}

impl Revocable {
    pub(crate) fn new(snapshot: Snapshot) -> Arc<Revocable> {
        Arc::new(Revocable(RwLock::new(Some(Arc::new(snapshot)))))
    }

    pub(crate) fn revoke(&self) {
        if let Ok(mut snapshot) = self.0.write() {
            *snapshot = None;
        }
    }

    /// The lock is not held while reading: a visitor may read more, and would wait for ever behind
    /// a [`Revocable::revoke`] that waits for it.
    fn with<T>(&self, read: impl FnOnce(&Snapshot) -> Result<T>) -> Result<T> {
        let snapshot = self.0.read().map_err(|_| revoked())?.clone();
        read(&*snapshot.ok_or_else(revoked)?)
    }
}

fn revoked() -> Error {
    Error::Poisoned { cause: "the view was revoked".to_owned() }
}

impl Read for View {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.snapshot.with(|snapshot| snapshot.get(table, key))
    }

    fn scan(&self, table: Table, from: &[u8], to: Option<&[u8]>, visit: Visit<'_>) -> Result<()> {
        self.snapshot.with(|snapshot| snapshot.scan(table, from, to, visit))
    }

    fn last_at(&self, table: Table, from: &[u8], at: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        self.snapshot.with(|snapshot| snapshot.last_at(table, from, at))
    }
}

impl View {
    pub(crate) fn new(snapshot: Arc<Revocable>) -> View {
        View { snapshot }
    }

    /// The node's row.
    ///
    /// # Errors
    /// As for every question here: `Corrupt` for a damaged row, `Io` for a failing disk, `Poisoned`
    /// if the view was revoked.
    pub fn node(&self) -> Result<NodeRow> {
        node_row(self)
    }

    /// The tenant of a name.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn tenant(&self, name: &str) -> Result<Option<TenantId>> {
        let id = self.get(Table::Tenants, name.as_bytes())?;
        id.map(|id| Ok(TenantId(id_u32(&id, "tenant id")?))).transpose()
    }

    /// Every tenant.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn tenants(&self) -> Result<Vec<(TenantId, HeadRow)>> {
        let mut tenants = Vec::new();
        self.scan(Table::Heads, &[], None, &mut |key, value| {
            tenants.push((TenantId(key_u32(key, 0)), decode(value, "head row")?));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(tenants)
    }

    /// A tenant's counters and ledger edge.
    ///
    /// # Errors
    /// `NotFound` if there is no such tenant; see [`View::node`].
    pub fn head(&self, tenant: TenantId) -> Result<HeadRow> {
        head_row(self, tenant)
    }

    /// The thing of an id.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn thing_by_id(&self, tenant: TenantId, id: &str) -> Result<Option<(ThingId, ThingRow)>> {
        crate::commands::thing_by_id(self, tenant, id)
    }

    /// A thing.
    ///
    /// # Errors
    /// `Corrupt` if it has no row; see [`View::node`].
    pub fn thing(&self, tenant: TenantId, thing: ThingId) -> Result<ThingRow> {
        crate::commands::thing_row(self, tenant, thing)
    }

    /// Visits every thing of a tenant, in the order in which they were first said.
    ///
    /// # Errors
    /// See [`View::node`], and whatever the visitor returns.
    pub fn things(
        &self,
        tenant: TenantId,
        visit: &mut dyn FnMut(ThingId, ThingRow) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let prefix = Key::of(tenant);
        self.scan(Table::Things, prefix.bytes(), prefix.end().as_deref(), &mut |key, value| {
            visit(ThingId(key_u64(key, 4)), decode(value, "thing row")?)
        })
    }

    /// What was said of a thing and replaced since, oldest first.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn before(&self, tenant: TenantId, thing: ThingId) -> Result<Vec<BeforeRow>> {
        let mut rows = Vec::new();
        self.each(Table::Before, &Key::of(tenant).and(&thing), &mut |_, value| {
            rows.push(decode(value, "before row")?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// Visits the edges at one end of a thing, ordered by kind, relation and other end; those after
    /// `after`, of one kind if `kind` is given.
    ///
    /// # Errors
    /// See [`View::node`], and whatever the visitor returns.
    pub fn edges(
        &self,
        tenant: TenantId,
        thing: ThingId,
        end: End,
        kind: Option<SymbolId>,
        after: Option<Edge>,
        visit: &mut dyn FnMut(Edge) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let table = match end {
            End::Out => Table::EdgesOut,
            End::In => Table::EdgesIn,
        };
        let mut prefix = Key::of(tenant).and(&thing);
        if let Some(kind) = kind {
            prefix = prefix.and(&kind);
        }
        let from = match after {
            Some(edge) => {
                past(&Key::of(tenant).and(&thing).and(&edge.kind).and(&edge.relation).and(&edge.other))
            }
            None => prefix.bytes().to_vec(),
        };
        // A cursor of another question must not lead in front of what this one asks for.
        let from = from.max(prefix.bytes().to_vec());
        self.scan(table, &from, prefix.end().as_deref(), &mut |key, value| visit(edge(key, value)?))
    }

    /// The record at a position.
    ///
    /// # Errors
    /// `BeyondHead` if the log is shorter; see [`View::node`].
    pub fn record(&self, tenant: TenantId, lsn: Lsn) -> Result<Record> {
        let found = self.last_at(Table::Log, Key::of(tenant).bytes(), Key::of(tenant).and(&lsn).bytes())?;
        let missing = || self.no_record(tenant, lsn);
        let (key, row) = found.ok_or_else(missing)?;
        let place = (lsn.0 - key_u64(&key, 4)) as usize;
        let row = Row::parse(&row)?;
        if place >= row.len() {
            return Err(missing());
        }
        let record = row.record(place)?;
        if record.lsn != lsn {
            return Err(gap(lsn, record.lsn.0));
        }
        Ok(record)
    }

    fn no_record(&self, tenant: TenantId, lsn: Lsn) -> Error {
        match self.head(tenant).map(|row| row.head()) {
            Ok(head) if (Lsn::FIRST..=head).contains(&lsn) => Error::Corrupt {
                what: "log",
                detail: format!("no record at {lsn}, though the log ends at {head}"),
            },
            Ok(head) => Error::BeyondHead { lsn, head },
            Err(error) => error,
        }
    }

    /// What a record asserts; `None` if its body was erased.
    ///
    /// # Errors
    /// `Corrupt` if the record is no assertion; see [`View::record`].
    pub fn assertion(&self, tenant: TenantId, lsn: Lsn) -> Result<Option<Assertion>> {
        self.record(tenant, lsn)?.body().map(Assertion::from_body).transpose()
    }

    /// Visits the records from `from` on, in order.
    ///
    /// # Errors
    /// `Corrupt` at a gap; see [`View::node`], and whatever the visitor returns.
    pub fn records(
        &self,
        tenant: TenantId,
        from: Lsn,
        visit: &mut dyn FnMut(Record) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let tenant_key = Key::of(tenant);
        let start = self.last_at(Table::Log, tenant_key.bytes(), tenant_key.clone().and(&from).bytes())?;
        let start = start.map_or_else(|| tenant_key.bytes().to_vec(), |(key, _)| key);
        let mut expected = from.max(Lsn::FIRST);
        let mut stopped = false;
        self.scan(Table::Log, &start, tenant_key.end().as_deref(), &mut |key, value| {
            let row = Row::parse(value)?;
            let first = key_u64(key, 4);
            let skip = expected.0.checked_sub(first).ok_or_else(|| gap(expected, first))? as usize;
            for place in skip..row.len() {
                let record = row.record(place)?;
                if record.lsn != expected {
                    return Err(gap(expected, record.lsn.0));
                }
                expected = expected.next();
                if visit(record)?.is_break() {
                    stopped = true;
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        // A log that lost its last row looks shorter, not damaged; only the head knows.
        if !stopped && expected <= self.head(tenant)?.head() {
            return Err(self.no_record(tenant, expected));
        }
        Ok(())
    }

    /// A label.
    ///
    /// # Errors
    /// `Corrupt` if there is none by that id; see [`View::node`].
    pub fn label(&self, tenant: TenantId, label: LabelId) -> Result<Label> {
        let bytes = self.get(Table::Labels, Key::of(tenant).and(&label).bytes())?;
        let missing = || Error::Corrupt { what: "labels", detail: format!("no label {label}") };
        Label::decode(&bytes.ok_or_else(missing)?)
    }

    /// The labels of a tenant from `from` on, in order of id.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn labels(&self, tenant: TenantId, from: LabelId) -> Result<Vec<(LabelId, Label)>> {
        let mut labels = Vec::new();
        let (start, end) = (Key::of(tenant).and(&from), Key::of(tenant).end());
        self.scan(Table::Labels, start.bytes(), end.as_deref(), &mut |key, value| {
            labels.push((LabelId(key_u32(key, 4)), Label::decode(value)?));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(labels)
    }

    /// The word of a symbol.
    ///
    /// # Errors
    /// `Corrupt` if there is none; see [`View::node`].
    pub fn word(&self, tenant: TenantId, symbol: SymbolId) -> Result<String> {
        let word = self.get(Table::Words, Key::of(tenant).and(&symbol).bytes())?;
        let damaged = |detail: String| Error::Corrupt { what: "words", detail };
        let word = word.ok_or_else(|| damaged(format!("no word for symbol {symbol}")))?;
        String::from_utf8(word).map_err(|error| damaged(error.to_string()))
    }

    /// The symbol of a word, if the tenant ever used it.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn symbol(&self, tenant: TenantId, word: &str) -> Result<Option<SymbolId>> {
        let symbol = self.get(Table::Symbols, Key::of(tenant).and(word).bytes())?;
        symbol.map(|symbol| Ok(SymbolId(id_u32(&symbol, "symbol")?))).transpose()
    }

    /// The source of a name.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn source(&self, tenant: TenantId, name: &str) -> Result<Option<SourceId>> {
        crate::commands::source_id(self, tenant, name)
    }

    /// Every source of a tenant.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn sources(&self, tenant: TenantId) -> Result<Vec<(SourceId, SourceSpec)>> {
        let mut sources = Vec::new();
        self.each(Table::Sources, &Key::of(tenant), &mut |key, value| {
            sources.push((SourceId(key_u32(key, 4)), SourceSpec::decode(value)?));
            Ok(())
        })?;
        Ok(sources)
    }

    /// A token by its public id.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn token(&self, id: &str) -> Result<Option<TokenRow>> {
        let row = self.get(Table::Tokens, id.as_bytes())?;
        row.map(|row| decode(&row, "token row")).transpose()
    }

    /// Refuses the key of a request that was given to another request less than a day before `now_us`.
    ///
    /// # Errors
    /// `KeyReused`, and as for [`View::node`].
    pub fn check_key(&self, key: &RequestKey, now_us: i64) -> Result<()> {
        check_key(self, key, now_us)
    }

    /// Every token of the node, by id.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn tokens(&self) -> Result<Vec<(String, TokenRow)>> {
        let mut tokens = Vec::new();
        self.scan(Table::Tokens, &[], None, &mut |key, value| {
            tokens.push((String::from_utf8_lossy(key).into_owned(), decode(value, "token row")?));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(tokens)
    }

    /// Somebody whom an outside issuer named, if they were met or denied.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn subject(&self, tenant: TenantId, subject: &Subject) -> Result<Option<SubjectRow>> {
        let row = self.get(Table::Subjects, subject_key(tenant, subject).bytes())?;
        row.map(|row| decode(&row, "subject row")).transpose()
    }

    /// Everybody of a tenant whom an outside issuer named, in no order.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn subjects(&self, tenant: TenantId) -> Result<Vec<SubjectRow>> {
        let mut subjects = Vec::new();
        self.each(Table::Subjects, &Key::of(tenant), &mut |_, value| {
            subjects.push(decode(value, "subject row")?);
            Ok(())
        })?;
        Ok(subjects)
    }

    /// Whether a token of an outside issuer is denied.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn is_denied(&self, tenant: TenantId, token: &Subject) -> Result<bool> {
        Ok(self.get(Table::DeniedTokens, subject_key(tenant, token).bytes())?.is_some())
    }

    /// A run.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn run(&self, tenant: TenantId, run: RunId) -> Result<Option<RunRow>> {
        let row = self.get(Table::Runs, Key::of(tenant).and(&run).bytes())?;
        row.map(|row| decode(&row, "run row")).transpose()
    }

    /// Every run of a tenant, oldest first.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn runs(&self, tenant: TenantId) -> Result<Vec<(RunId, RunRow)>> {
        let mut runs = Vec::new();
        self.each(Table::Runs, &Key::of(tenant), &mut |key, value| {
            runs.push((RunId(key_u64(key, 4)), decode(value, "run row")?));
            Ok(())
        })?;
        Ok(runs)
    }

    /// Up to `limit` relations that a run set aside, by number, from a number on.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn pending(
        &self,
        tenant: TenantId,
        run: RunId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(u64, PendingRow)>> {
        let mut rows = Vec::new();
        let prefix = Key::of(tenant).and(&run);
        let start = prefix.clone().and(&from);
        self.scan(Table::Pending, start.bytes(), prefix.end().as_deref(), &mut |key, value| {
            rows.push((key_u64(key, 12), decode(value, "pending row")?));
            Ok(if rows.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(rows)
    }

    /// The name of a tenant's ledger: `intelgraph/<node>/<tenant>/<epoch>`.
    ///
    /// # Errors
    /// `NotFound` if there is no such tenant; see [`View::node`].
    pub fn origin(&self, tenant: TenantId) -> Result<String> {
        let (node, head) = (self.node()?, self.head(tenant)?);
        Ok(format!("intelgraph/{}/{}/{}", node.node_id, head.name, node.epoch))
    }

    /// The hashes of a tenant's ledger tree, for proofs.
    #[must_use]
    pub fn ledger(&self, tenant: TenantId) -> Ledger<'_> {
        Ledger { view: self, tenant }
    }

    fn each(&self, table: Table, prefix: &Key, visit: VisitAll<'_>) -> Result<()> {
        crate::batch::scan_prefix(self, table, prefix, visit)
    }
}

/// The hashes of a tenant's ledger tree: leaves are recomputed from the log, the rest is stored.
pub struct Ledger<'v> {
    view: &'v View,
    tenant: TenantId,
}

impl Hashes for Ledger<'_> {
    type Error = Error;

    fn read(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>> {
        if level == 0 { self.leaves(range) } else { self.subtrees(level, range) }
    }
}

impl Ledger<'_> {
    fn leaves(&self, range: Range<u64>) -> Result<Vec<Hash>> {
        let mut hashes = Vec::with_capacity((range.end - range.start) as usize);
        self.view.records(self.tenant, Lsn(range.start + 1), &mut |record| {
            hashes.push(record.leaf().hash());
            let more = (hashes.len() as u64) < range.end - range.start;
            Ok(if more { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(hashes)
    }

    fn subtrees(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>> {
        let mut hashes = Vec::new();
        let key = |index: u64| Key::of(self.tenant).and(&level).and(&index);
        let (from, to) = (key(range.start), key(range.end));
        self.view.scan(Table::Subtrees, from.bytes(), Some(to.bytes()), &mut |_, value| {
            hashes.push(crate::model::exactly(value, "subtree root")?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(hashes)
    }

    /// The leaf data of every record up to a size, in order: what an export holds.
    ///
    /// # Errors
    /// See [`View::records`], and whatever the visitor returns.
    pub fn entries(&self, size: u64, visit: &mut dyn FnMut(ledger::Leaf) -> Result<()>) -> Result<()> {
        let mut left = size;
        if left == 0 {
            return Ok(());
        }
        self.view.records(self.tenant, Lsn::FIRST, &mut |record| {
            visit(record.leaf())?;
            left -= 1;
            Ok(if left > 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })
    }
}

/// The smallest key above this one.
fn past(key: &Key) -> Vec<u8> {
    let mut bytes = key.bytes().to_vec();
    bytes.push(0);
    bytes
}

fn edge(key: &[u8], value: &[u8]) -> Result<Edge> {
    Ok(Edge {
        kind: SymbolId(key_u32(key, 12)),
        relation: ThingId(key_u64(key, 16)),
        other: ThingId(key_u64(key, 24)),
        label: LabelId(id_u32(value, "edge label")?),
    })
}

fn gap(expected: Lsn, found: u64) -> Error {
    Error::Corrupt { what: "log", detail: format!("expected record {expected}, found {found}") }
}
