//! A batch under construction: the overlay, and for each tenant its head, its ledger edge and the
//! packed row that its records go to.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;

use prost::Message;

use crate::changes;
use crate::commands::judged_us;
use crate::erasing::ErasureKey;
use crate::error::{Error, Result};
use crate::ids::{ActorId, CommitNo, LabelId, Lsn, SourceId, SymbolId, TenantId, ThingId};
use crate::ledger::leaf::digest;
use crate::ledger::note;
use crate::ledger::{Coord, Frontier, Leaf};
use crate::model::{Flag, Label, SourceSpec};
use crate::record::{Draft, Kind, RowWriter, header, salt};
use crate::rows::{HeadRow, NodeRow, decode};
use crate::tables::{Key, Table};
use crate::tx::{Changes, Overlay, Read, Tx, Visit, VisitAll};

/// Most distinct labels of a tenant.
pub const LABELS_MAX: u32 = 4096;

/// What the shell stamps on a batch: the store itself knows no clock and no randomness.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// Now, microseconds since 1970.
    pub time_us: i64,
    /// Random bytes from which the batch's salts are derived; used once, kept nowhere.
    pub seed: [u8; 32],
}

/// The changes of several commands, becoming one commit.
pub struct Batch<'a> {
    tx: Overlay<'a>,
    stamp: Stamp,
    pub(crate) key: ErasureKey,
    node: NodeRow,
    heads: BTreeMap<TenantId, Head>,
    labels: HashMap<(TenantId, Arc<Label>), LabelId>,
    /// The same by place in memory: the commands of an import share few labels. Each is held, so that
    /// its place is not another's.
    labels_at: HashMap<(TenantId, usize), (Arc<Label>, LabelId)>,
    symbols: HashMap<TenantId, HashMap<String, SymbolId>>,
    sources: HashMap<(TenantId, SourceId), Arc<str>>,
}

/// A tenant's head while the batch is open.
#[derive(Clone)]
struct Head {
    row: HeadRow,
    stored: HeadRow,
    frontier: Frontier,
    packing: RowWriter,
    packing_from: Lsn,
}

impl<'a> Batch<'a> {
    /// Begins a batch over a base; ids that were redacted are known by their hashes under `key`.
    ///
    /// # Errors
    /// `Corrupt` if the base has no node row.
    pub fn new(base: &'a dyn Read, stamp: Stamp, key: ErasureKey) -> Result<Batch<'a>> {
        let tx = Overlay::new(base);
        let node = node_row(&tx)?;
        Ok(Batch {
            tx,
            stamp,
            key,
            node,
            heads: BTreeMap::new(),
            labels: HashMap::new(),
            labels_at: HashMap::new(),
            symbols: HashMap::new(),
            sources: HashMap::new(),
        })
    }

    /// Carries out `act` and keeps what it changed only if it succeeds.
    pub(crate) fn all_or_nothing<T>(&mut self, act: impl FnOnce(&mut Batch<'_>) -> Result<T>) -> Result<T> {
        // What the batch has met already is remembered for speed alone: the attempt looks it up.
        let mut attempt = Batch {
            tx: Overlay::new(&*self),
            stamp: self.stamp,
            key: self.key.clone(),
            node: self.node.clone(),
            heads: self.heads.clone(),
            labels: HashMap::new(),
            labels_at: HashMap::new(),
            symbols: HashMap::new(),
            sources: HashMap::new(),
        };
        let answer = act(&mut attempt)?;
        let Batch { tx, node, heads, .. } = attempt;
        let changes = tx.into_changes();
        (self.node, self.heads) = (node, heads);
        self.tx.absorb(changes);
        Ok(answer)
    }

    /// Appends a record to its tenant's log and ledger.
    ///
    /// # Errors
    /// `NotFound` if there is no such tenant.
    pub fn append(&mut self, tenant: TenantId, draft: &Draft) -> Result<Lsn> {
        let (time_us, seed) = (self.stamp.time_us, self.stamp.seed);
        let head = self.head(tenant)?;
        let lsn = Lsn(head.row.next_lsn);
        head.row.next_lsn += 1;
        // The clock may have been set back; the log's time never goes back.
        head.row.last_time_us = head.row.last_time_us.max(time_us);

        let header = header(draft, lsn, head.row.last_time_us);
        let salt = salt(&seed, tenant.0, lsn);
        let leaf = Leaf::new(&header, &digest(&salt, &draft.body)).hash();
        let mut completed = Vec::new();
        head.frontier.push(leaf, &mut completed);

        let full_row = (!head.packing.has_room(draft.body.len())).then(|| head.packing.take());
        let full_row_from = head.packing_from;
        if full_row.is_some() {
            head.packing_from = lsn;
        }
        head.packing.push(&header, &salt, &draft.body);

        if let Some(row) = full_row {
            self.tx.put(Table::Log, Key::of(tenant).and(&full_row_from).bytes(), row);
        }
        self.keep_subtrees(tenant, completed);
        Ok(lsn)
    }

    /// Ends the packed row that records go to, so that every record of the batch can be read back.
    pub(crate) fn close_row(&mut self, tenant: TenantId) -> Result<()> {
        let head = self.head(tenant)?;
        if head.packing.is_empty() {
            return Ok(());
        }
        let (from, row) = (head.packing_from, head.packing.take());
        head.packing_from = Lsn(head.row.next_lsn);
        self.tx.put(Table::Log, Key::of(tenant).and(&from).bytes(), row);
        Ok(())
    }

    fn keep_subtrees(&mut self, tenant: TenantId, completed: Vec<(Coord, crate::ledger::Hash)>) {
        for (coord, root) in completed {
            let key = Key::of(tenant).and(&coord.level).and(&coord.index);
            self.tx.put(Table::Subtrees, key.bytes(), root.to_vec());
        }
    }

    /// The time that records of this tenant get now, microseconds since 1970.
    ///
    /// # Errors
    /// `NotFound` if there is no such tenant.
    pub fn time_us(&mut self, tenant: TenantId) -> Result<i64> {
        let stamped = self.stamp.time_us;
        Ok(self.head(tenant)?.row.last_time_us.max(stamped))
    }

    /// Makes a tenant; its records begin at `Lsn::FIRST`.
    pub fn begin_tenant(&mut self, name: &str) -> TenantId {
        let tenant = TenantId(self.node.next_tenant);
        self.node.next_tenant += 1;
        let row = HeadRow {
            name: name.to_owned(),
            next_lsn: Lsn::FIRST.0,
            next_thing: 1,
            next_label: LabelId::SYSTEM.0 + 1,
            next_source: 1,
            next_symbol: 1,
            ..HeadRow::default()
        };
        self.tx.put(Table::Tenants, name.as_bytes(), tenant.0.to_be_bytes().to_vec());
        self.tx.put(Table::Heads, Key::of(tenant).bytes(), row.encode_to_vec());
        self.heads.insert(tenant, Head::open(row, Frontier::default()));
        tenant
    }

    /// A number for an actor that never had one.
    pub fn next_actor(&mut self) -> ActorId {
        let actor = ActorId(self.node.next_actor);
        self.node.next_actor += 1;
        actor
    }

    /// What the batch is stamped with, microseconds since 1970.
    pub(crate) fn stamped_us(&self) -> i64 {
        self.stamp.time_us
    }

    /// What the clock showed when it was last believed, microseconds since 1970; 0 if it never was.
    pub(crate) fn clock_us(&self) -> i64 {
        self.node.clock_us
    }

    /// What decides whether a right is over. The times of records do not: they go on from a clock that was ahead for a moment.
    pub(crate) fn judged_us(&self) -> i64 {
        judged_us(self.stamp.time_us, self.node.clock_us)
    }

    /// Believes the clock; who vouches for it may put it back.
    pub(crate) fn believe_clock(&mut self, vouched: bool) {
        self.node.clock_us = if vouched { self.stamp.time_us } else { self.judged_us() };
        self.tx.put(Table::Node, &[], self.node.encode_to_vec());
    }

    /// The counters of a tenant, to be advanced.
    ///
    /// # Errors
    /// `NotFound` if there is no such tenant.
    pub fn counters(&mut self, tenant: TenantId) -> Result<&mut HeadRow> {
        Ok(&mut self.head(tenant)?.row)
    }

    /// The next thing of a tenant.
    ///
    /// # Errors
    /// `NotFound` if there is no such tenant.
    pub fn next_thing(&mut self, tenant: TenantId) -> Result<ThingId> {
        let row = self.counters(tenant)?;
        let thing = ThingId(row.next_thing);
        row.next_thing += 1;
        Ok(thing)
    }

    /// The symbol of a word, made if it is new.
    ///
    /// # Errors
    /// `NotFound` if there is no such tenant.
    pub fn symbol(&mut self, tenant: TenantId, word: &str) -> Result<SymbolId> {
        let met = self.symbols.get(&tenant).and_then(|words| words.get(word));
        if let Some(symbol) = met {
            return Ok(*symbol);
        }
        let key = Key::of(tenant).and(word);
        let symbol = match self.tx.get(Table::Symbols, key.bytes())? {
            Some(symbol) => SymbolId(id_u32(&symbol, "symbol")?),
            None => self.intern_word(tenant, word)?,
        };
        let words = self.symbols.entry(tenant).or_default();
        words.insert(word.to_owned(), symbol);
        Ok(symbol)
    }

    fn intern_word(&mut self, tenant: TenantId, word: &str) -> Result<SymbolId> {
        let row = self.counters(tenant)?;
        let symbol = SymbolId(row.next_symbol);
        row.next_symbol += 1;
        self.tx.put(Table::Symbols, Key::of(tenant).and(word).bytes(), symbol.0.to_be_bytes().to_vec());
        self.tx.put(Table::Words, Key::of(tenant).and(&symbol).bytes(), word.as_bytes().to_vec());
        Ok(symbol)
    }

    /// The name of a source; it has the same one for ever.
    ///
    /// # Errors
    /// `NotFound` if there is no such source or tenant.
    pub fn source_name(&mut self, tenant: TenantId, source: SourceId) -> Result<Arc<str>> {
        if let Some(name) = self.sources.get(&(tenant, source)) {
            return Ok(Arc::clone(name));
        }
        let row = self.tx.get(Table::Sources, Key::of(tenant).and(&source).bytes())?;
        let row = row.ok_or_else(|| Error::NotFound { what: "source", name: source.to_string() })?;
        let name: Arc<str> = SourceSpec::decode(&row)?.name.into();
        self.sources.insert((tenant, source), Arc::clone(&name));
        Ok(name)
    }

    /// The id of a label. A new label is a record of its own, in front of the first that carries it.
    ///
    /// # Errors
    /// `Invalid` if the tenant has [`LABELS_MAX`] labels already.
    pub fn label(&mut self, tenant: TenantId, label: &Arc<Label>) -> Result<LabelId> {
        if let Some(id) = self.known_label(tenant, label)? {
            return Ok(id);
        }
        let id = self.intern_label(tenant, label)?;
        self.remember_label(tenant, label, id);
        Ok(id)
    }

    /// The id of a label, if the tenant has it.
    ///
    /// # Errors
    /// `Corrupt` if the stored row is not an id.
    pub fn known_label(&mut self, tenant: TenantId, label: &Arc<Label>) -> Result<Option<LabelId>> {
        if let Some((_, id)) = self.labels_at.get(&(tenant, place(label))) {
            return Ok(Some(*id));
        }
        let met = self.labels.get(&(tenant, Arc::clone(label)));
        let id = match met {
            Some(id) => Some(*id),
            None => label_id(&self.tx, tenant, label)?,
        };
        if let Some(id) = id {
            self.remember_label(tenant, label, id);
        }
        Ok(id)
    }

    fn remember_label(&mut self, tenant: TenantId, label: &Arc<Label>, id: LabelId) {
        self.labels_at.insert((tenant, place(label)), (Arc::clone(label), id));
        self.labels.insert((tenant, Arc::clone(label)), id);
    }

    fn intern_label(&mut self, tenant: TenantId, label: &Label) -> Result<LabelId> {
        let row = self.counters(tenant)?;
        let id = LabelId(row.next_label);
        row.next_label += 1;
        let bytes = label.encode();
        self.tx.put(Table::Labels, Key::of(tenant).and(&id).bytes(), bytes.clone());
        self.tx.put(
            Table::LabelIds,
            Key::of(tenant).and(bytes.as_slice()).bytes(),
            id.0.to_be_bytes().to_vec(),
        );
        let draft = Draft {
            kind: Kind::Label,
            actor: ActorId::NODE,
            purpose: 0,
            retention: 0,
            label: id,
            body: bytes,
        };
        self.append(tenant, &draft)?;
        Ok(id)
    }

    /// How many labels a tenant has room for beyond those it has and those met in this batch.
    ///
    /// # Errors
    /// `NotFound` if there is no such tenant.
    pub fn label_room(&mut self, tenant: TenantId) -> Result<u32> {
        let labels = self.counters(tenant)?.next_label - 1;
        Ok(LABELS_MAX.saturating_sub(labels))
    }

    /// The last position of every tenant that the batch touched.
    #[must_use]
    pub fn heads(&self) -> Vec<(TenantId, Lsn)> {
        self.heads.iter().map(|(tenant, head)| (*tenant, head.row.head())).collect()
    }

    /// Has it noted from the next commit on what each commit changes; false if that is so already.
    pub(crate) fn note_changes(&mut self) -> bool {
        if self.node.changes_from != 0 {
            return false;
        }
        // What the others of this batch change is in the commit that a backup begins with.
        self.node.changes_from = self.next_commit().0 + 1;
        self.tx.put(Table::Node, &[], self.node.encode_to_vec());
        true
    }

    /// The ledger of a tenant as the batch has made it so far: its origin, its size and its root.
    ///
    /// # Errors
    /// `NotFound` if there is no such tenant.
    pub(crate) fn ledger(&mut self, tenant: TenantId) -> Result<(String, u64, crate::ledger::Hash)> {
        let (node_id, epoch) = (self.node.node_id.clone(), self.node.epoch);
        let head = self.head(tenant)?;
        let origin = note::origin(&node_id, &head.row.name, epoch.into())?;
        Ok((origin, head.frontier.size(), head.frontier.root()))
    }

    /// The epoch of the ledgers.
    pub(crate) fn epoch(&self) -> u32 {
        self.node.epoch
    }

    /// Begins an epoch. What was noted for backups of the one before is of no use in it.
    pub(crate) fn set_epoch(&mut self, epoch: u32) -> Result<()> {
        self.forget_changes()?;
        self.node.epoch = epoch;
        self.tx.put(Table::Node, &[], self.node.encode_to_vec());
        Ok(())
    }

    /// Stops a flag for every tenant, or lets it go on; false if it is so already.
    pub(crate) fn stop_flag(&mut self, flag: Flag, stopped: bool) -> bool {
        let mut now: BTreeSet<String> = self.node.stopped.iter().cloned().collect();
        let changed = if stopped { now.insert(flag.to_string()) } else { now.remove(flag.as_str()) };
        if changed {
            self.node.stopped = now.into_iter().collect();
            self.tx.put(Table::Node, &[], self.node.encode_to_vec());
        }
        changed
    }

    /// Remembers the key and that there is an anchor; false if that is known.
    pub(crate) fn remember(&mut self, key_sha256: &[u8], anchored: bool) -> bool {
        let before = self.node.clone();
        if self.node.key_sha256.is_empty() {
            self.node.key_sha256 = key_sha256.to_vec();
        }
        self.node.anchored |= anchored;
        let changed = self.node != before;
        if changed {
            self.tx.put(Table::Node, &[], self.node.encode_to_vec());
        }
        changed
    }

    /// Drops what was noted for increments, and notes no more until the next full backup.
    fn forget_changes(&mut self) -> Result<()> {
        if self.node.changes_from == 0 {
            return Ok(());
        }
        changes::forget(&mut self.tx)?;
        self.node = NodeRow { changes_from: 0, changes_bytes: 0, ..self.node.clone() };
        self.tx.put(Table::Node, &[], self.node.encode_to_vec());
        Ok(())
    }

    /// Closes the batch: packs what is left, writes the heads and the commit number. `None` if
    /// nothing changed.
    ///
    /// # Errors
    /// As for reading the base.
    pub fn finish(mut self) -> Result<Option<Vec<Changes>>> {
        for (tenant, mut head) in std::mem::take(&mut self.heads) {
            if head.row == head.stored {
                continue;
            }
            if !head.packing.is_empty() {
                let key = Key::of(tenant).and(&head.packing_from);
                self.tx.put(Table::Log, key.bytes(), head.packing.take());
            }
            head.row.frontier = head.frontier.encode();
            self.tx.put(Table::Heads, Key::of(tenant).bytes(), head.row.encode_to_vec());
        }
        if self.tx.is_unchanged() {
            return Ok(None);
        }
        self.node.commit += 1;
        if self.node.changes_from != 0 && self.node.changes_from <= self.node.commit {
            changes::note(&mut self.tx, &mut self.node)?;
        }
        self.tx.put(Table::Node, &[], self.node.encode_to_vec());
        Ok(Some(self.tx.into_changes()))
    }

    /// The commit that [`Batch::finish`] makes, if anything changed.
    #[must_use]
    pub fn next_commit(&self) -> CommitNo {
        CommitNo(self.node.commit + 1)
    }

    fn head(&mut self, tenant: TenantId) -> Result<&mut Head> {
        if !self.heads.contains_key(&tenant) {
            let row = head_row(&self.tx, tenant)?;
            let frontier = Frontier::decode(&row.frontier)?;
            self.heads.insert(tenant, Head::open(row, frontier));
        }
        Ok(self.heads.get_mut(&tenant).expect("inserted above"))
    }
}

impl Head {
    fn open(row: HeadRow, frontier: Frontier) -> Head {
        let packing_from = Lsn(row.next_lsn);
        Head { stored: row.clone(), row, frontier, packing: RowWriter::default(), packing_from }
    }
}

impl Read for Batch<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.tx.get(table, key)
    }

    fn scan(&self, table: Table, from: &[u8], to: Option<&[u8]>, visit: Visit<'_>) -> Result<()> {
        self.tx.scan(table, from, to, visit)
    }

    fn last_at(&self, table: Table, from: &[u8], at: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        self.tx.last_at(table, from, at)
    }
}

impl Tx for Batch<'_> {
    fn put(&mut self, table: Table, key: &[u8], value: Vec<u8>) {
        self.tx.put(table, key, value);
    }

    fn delete(&mut self, table: Table, key: &[u8]) {
        self.tx.delete(table, key);
    }
}

/// The node's row.
pub(crate) fn node_row(tx: &dyn Read) -> Result<NodeRow> {
    let bytes = tx.get(Table::Node, &[])?;
    let bytes = bytes.ok_or_else(|| Error::Corrupt { what: "node", detail: "no node row".to_owned() })?;
    decode(&bytes, "node row")
}

/// A tenant's head row.
pub(crate) fn head_row(tx: &dyn Read, tenant: TenantId) -> Result<HeadRow> {
    let bytes = tx.get(Table::Heads, Key::of(tenant).bytes())?;
    let bytes = bytes.ok_or_else(|| Error::NotFound { what: "tenant", name: tenant.to_string() })?;
    decode(&bytes, "head row")
}

/// Where a label is in memory.
fn place(label: &Arc<Label>) -> usize {
    Arc::as_ptr(label).addr()
}

/// The id of a label, if the tenant has it.
pub(crate) fn label_id(tx: &dyn Read, tenant: TenantId, label: &Label) -> Result<Option<LabelId>> {
    let key = Key::of(tenant).and(label.encode().as_slice());
    let id = tx.get(Table::LabelIds, key.bytes())?;
    id.map(|id| Ok(LabelId(id_u32(&id, "label id")?))).transpose()
}

/// Visits every row under a prefix.
pub(crate) fn scan_prefix(tx: &dyn Read, table: Table, prefix: &Key, visit: VisitAll<'_>) -> Result<()> {
    tx.scan(table, prefix.bytes(), prefix.end().as_deref(), &mut |key, value| {
        visit(key, value)?;
        Ok(ControlFlow::Continue(()))
    })
}

/// Reads an id stored as four bytes.
pub(crate) fn id_u32(bytes: &[u8], what: &'static str) -> Result<u32> {
    Ok(u32::from_be_bytes(crate::model::exactly(bytes, what)?))
}

/// Reads an id stored as eight bytes.
pub(crate) fn id_u64(bytes: &[u8], what: &'static str) -> Result<u64> {
    Ok(u64::from_be_bytes(crate::model::exactly(bytes, what)?))
}
