//! The vector index: one for each tenant, a vector for each passage of each present assertion.
//!
//! A document is what one source says of one thing under one label, as in the text index: no vector mixes what different
//! people may see, and a reader's labels decide which documents exist for them.
//!
//! What came since the last build is in a log, whose commits hold data and position together, and is compared row by
//! row; what was there at the build is in a sealed segment, where a graph leads to what is near. Vectors cost time to
//! make, so that none is made twice: a text that is found under a vector's checksum has it already.

mod build;
mod content;
mod fold;
mod graph;
mod home;
mod log;
mod open;
mod rows;
mod search;
mod segment;
mod state;
mod stored;
mod sweep;
mod vectors;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use storage::View;
use storage::ids::{LabelId, Lsn, TenantId, ThingId};
use storage::record::Record;
use storage::rows::ThingRow;

use self::content::{flags, read, supplied, supplied_id, text_id};
use self::log::Log;
use self::open::Owner;
use self::rows::{Key, Row, SUPPLIED, flaw};
use self::state::Held;
use self::vectors::Buffer;
use crate::embed::Encoder;
use crate::error::{Error, ErrorKind, Result};
use crate::follower::{Applied, Follower, Skipped};
use crate::present::{Change, Present};

pub use self::build::{Build, Built, GRAPH_ROWS_MIN, Means, RECALL_MIN, Report};
pub use self::content::{PASSAGES_MAX, embedded};
pub use self::home::Home;
pub use self::open::Found;
pub use self::search::{Filter, NEAREST_MAX, Near, Nearest, Pinned};
pub use self::segment::Curve;
pub use self::stored::Stored;

/// Vectors that are made between two moments at which they are made to last.
const UNSYNCED_MAX: usize = 64;

/// A tenant's vector index, as the follower that writes it.
pub struct VectorIndex {
    owner: Owner,
    home: Home,
    encoder: Arc<dyn Encoder>,
    log: Log,
    held: Held,
    position: Lsn,
    published: Reader,
    damage: Arc<OnceLock<String>>,
    /// What records said since the last commit: the passages of a document, or none any more.
    pending: BTreeMap<Key, Vec<Row>>,
    /// Of what was erased up to here nothing is looked for again.
    swept: Lsn,
    /// Where the last scrub was: what was built from an older state holds what has gone since.
    scrubbed: Lsn,
    /// The number of the last file.
    generation: u32,
}

/// Gives out the index as it was last committed; cheap to clone, usable from every thread.
#[derive(Clone)]
pub struct Reader(Arc<RwLock<Pinned>>);

impl Reader {
    /// The index as it was last committed; it does not change while it is held.
    #[must_use]
    pub fn pin(&self) -> Pinned {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn publish(&self, pinned: Pinned) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = pinned;
    }
}

impl VectorIndex {
    /// Opens a tenant's index and says what was found; all but the vectors of its segment, each of which is checked when
    /// it is read, has been checked.
    ///
    /// `origin` is the name of the tenant's ledger ([`View::origin`]): an index of another ledger, or of another model
    /// than the encoder's, is not used. What cannot be trusted is deleted; the index is then empty, and filled by the
    /// next drive.
    ///
    /// # Errors
    /// `Io` if the place cannot be read or written.
    pub fn open(
        home: Home,
        tenant: TenantId,
        origin: &str,
        encoder: Arc<dyn Encoder>,
    ) -> Result<(VectorIndex, Found)> {
        let owner = Owner { tenant, text: open::owner(tenant, origin, encoder.model()) };
        let opened = open::open(&home, &owner, encoder.model().dimension)?;
        let damage = Arc::default();
        let pinned = Pinned {
            state: opened.held.state.clone(),
            position: opened.position,
            model: Arc::new(encoder.model().clone()),
            damage: Arc::clone(&damage),
            width: None,
        };
        let index = VectorIndex {
            owner,
            home,
            encoder,
            log: opened.log,
            held: opened.held,
            position: opened.position,
            published: Reader(Arc::new(RwLock::new(pinned))),
            damage,
            pending: BTreeMap::new(),
            swept: Lsn::NONE,
            scrubbed: Lsn::NONE,
            generation: opened.generation,
        };
        Ok((index, opened.found))
    }

    /// What readers see: it follows every commit, every build and every rebuild.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.published.clone()
    }

    /// What a reader found to be damaged since the index was opened: it is to be reset.
    #[must_use]
    pub fn damage(&self) -> Option<&str> {
        self.damage.get().map(String::as_str)
    }

    /// Vectors that came since the last build, and those of the segment.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize) {
        let state = &self.held.state;
        (state.delta.len() - state.delta.dead.count(), state.sealed() - state.dead.count())
    }

    /// Rows that a build would seal or let go of.
    #[must_use]
    pub fn gain(&self) -> usize {
        let state = &self.held.state;
        state.delta.len() + state.dead.count()
    }

    fn dimension(&self) -> usize {
        self.encoder.model().dimension
    }

    fn publish(&self) {
        self.published.publish(Pinned {
            state: self.held.state.clone(),
            position: self.position,
            model: Arc::new(self.encoder.model().clone()),
            damage: Arc::clone(&self.damage),
            width: None,
        });
    }

    fn put(&mut self, thing: ThingId, record: &Record) -> Result<Applied> {
        let key = (thing, record.label);
        self.pending.insert(key, vec![]);
        let assertion = match read(record) {
            Ok(assertion) => assertion,
            Err(reason) => return Ok(Applied::Skipped(reason)),
        };
        let (text, model) = (embedded(&assertion), self.encoder.model().clone());
        // What came with the data stands for all that is said: nothing is encoded beside it.
        let brought = supplied(&model, &assertion);
        let passages = match brought {
            Some(_) => std::iter::once(0..text.len()).collect(),
            None => self.encoder.passages(&text),
        };
        let flags = flags(&assertion) | brought.as_ref().map_or(0, |_| SUPPLIED);
        let mut rows = Vec::new();
        for passage in passages.into_iter().take(PASSAGES_MAX) {
            let part = text.get(passage.clone()).unwrap_or_default();
            let id = match &brought {
                Some(vector) => supplied_id(&model, vector),
                None => text_id(&model, part),
            };
            if let Some(reason) = self.keep_vector(&id, part, brought.as_deref())? {
                return Ok(Applied::Skipped(reason));
            }
            rows.push(Row {
                thing,
                label: record.label,
                time_us: assertion.observed_at_us.unwrap_or(record.time_us),
                flags,
                start: passage.start as u32,
                end: passage.end as u32,
                text: id,
            });
        }
        self.pending.insert(key, rows);
        Ok(Applied::Indexed)
    }

    /// Sees to it that the log has the vector of a text, or the one that was brought in its place; or why there is none.
    fn keep_vector(&mut self, id: &[u8; 16], text: &str, brought: Option<&[f32]>) -> Result<Option<String>> {
        if self.log.vector(id).is_some() {
            return Ok(None);
        }
        if let Some((file, at)) = self.held.sealed_vector(id) {
            let mut buffer = Buffer::new(self.dimension());
            self.log.add_vector(id, buffer.read(&file, at, id)?)?;
            return Ok(None);
        }
        let made = brought.map_or_else(|| self.encoder.encode(text), |vector| Ok(vector.to_vec()));
        let vector = match made {
            Ok(vector) => vector,
            // The text is none for this model; another failure may pass.
            Err(error) if error.kind() == ErrorKind::Invalid => return Ok(Some(error.code().to_owned())),
            Err(error) => return Err(error),
        };
        let flaw = flaw(&vector, self.dimension());
        if flaw.is_none() {
            self.log.add_vector(id, &vector)?;
            self.log.sync_vectors(UNSYNCED_MAX)?;
        }
        Ok(flaw)
    }

    /// One record in hand is one document, unless a later record in the view already replaced it.
    fn apply_asserted(&mut self, view: &View, record: &Record) -> Result<Applied> {
        // What was erased since is in no index.
        if record.body().is_none() {
            return Ok(Applied::Ignored);
        }
        let assertion = match read(record) {
            Ok(assertion) => assertion,
            Err(reason) => return Ok(Applied::Skipped(reason)),
        };
        let Some((thing, row)) = view.thing_by_id(self.owner.tenant, &assertion.id)? else {
            return Ok(Applied::Ignored);
        };
        if row.is_deleted() || !row.said.iter().any(|said| said.lsn() == record.lsn) {
            self.forget_label(thing, record.label);
            return Ok(Applied::Ignored);
        }
        self.put(thing, record)
    }

    fn apply_withdrawn(&mut self, view: &View, record: &Record) -> Result<Applied> {
        let Some((thing, _)) = self.thing_of(view, record)? else {
            return Ok(Applied::Ignored);
        };
        self.forget_label(thing, record.label);
        Ok(Applied::Indexed)
    }

    /// A thing that was hidden or shown again is put as the view has it.
    fn apply_toggled(&mut self, view: &View, record: &Record) -> Result<Applied> {
        let Some((thing, row)) = self.thing_of(view, record)? else {
            return Ok(Applied::Ignored);
        };
        for label in self.labels_of(thing) {
            self.forget_label(thing, label);
        }
        if row.is_deleted() {
            return Ok(Applied::Indexed);
        }
        for said in &row.said {
            let record = view.record(self.owner.tenant, said.lsn())?;
            self.put(thing, &record)?;
        }
        Ok(Applied::Indexed)
    }

    /// The thing that a record names; none if its body was erased or names nothing known.
    fn thing_of(&self, view: &View, record: &Record) -> Result<Option<(ThingId, ThingRow)>> {
        let id = record.body().and_then(|body| std::str::from_utf8(body).ok());
        match id {
            Some(id) => Ok(view.thing_by_id(self.owner.tenant, id)?),
            None => Ok(None),
        }
    }

    fn forget_label(&mut self, thing: ThingId, label: LabelId) {
        self.pending.insert((thing, label), vec![]);
    }

    /// Labels under which a thing has documents, committed or not.
    fn labels_of(&self, thing: ThingId) -> BTreeSet<LabelId> {
        let pending = self.pending.range((thing, LabelId(0))..=(thing, LabelId(u32::MAX)));
        let mut labels: BTreeSet<_> = pending.map(|((_, label), _)| *label).collect();
        labels.extend(self.held.labels_of(thing));
        labels
    }
}

impl Follower for VectorIndex {
    fn name(&self) -> &'static str {
        "vectors"
    }

    fn tenant(&self) -> TenantId {
        self.owner.tenant
    }

    fn position(&self) -> Lsn {
        self.position
    }

    /// What is there already and still holds stays; everything else goes. Takes about 100 bytes of memory for each passage
    /// while it runs.
    fn bootstrap(&mut self, view: &View, skipped: &mut Skipped, stop: &dyn Fn() -> bool) -> Result<u64> {
        self.pending = self.held.documents().into_iter().map(|key| (key, vec![])).collect();
        let present = Present::of(view, self.owner.tenant, stop)?;
        let mut indexed = 0;
        present.each(view, stop, &mut |thing, record| {
            if stop() {
                return Err(Error::Stopped);
            }
            match self.put(thing, &record)? {
                Applied::Skipped(reason) => skipped.add(record.lsn, reason),
                _ => indexed += 1,
            }
            Ok(())
        })?;
        Ok(indexed)
    }

    fn apply(&mut self, view: &View, record: &Record) -> Result<Applied> {
        match Change::of(record.kind) {
            Change::Said => self.apply_asserted(view, record),
            Change::Withdrawn => self.apply_withdrawn(view, record),
            Change::Toggled => self.apply_toggled(view, record),
            Change::Erased => self.sweep(view, record),
            Change::Nothing => Ok(Applied::Ignored),
        }
    }

    fn commit(&mut self, at: Lsn) -> Result<()> {
        let pending = std::mem::take(&mut self.pending).into_iter();
        let changes: Vec<_> = pending.filter(|(key, rows)| self.held.document(*key) != *rows).collect();
        self.log.commit(at, &changes)?;
        self.held.apply(changes, &self.log)?;
        self.position = at;
        self.publish();
        Ok(())
    }

    /// Vectors that were made meanwhile stay for whoever asks for their texts again.
    fn rollback(&mut self) -> Result<()> {
        self.pending.clear();
        self.swept = Lsn::NONE;
        Ok(())
    }

    fn reset(&mut self) -> Result<()> {
        self.pending.clear();
        self.swept = Lsn::NONE;
        let opened = open::create(&self.home, &self.owner, self.dimension(), Found::Nothing)?;
        (self.log, self.held, self.position) = (opened.log, opened.held, opened.position);
        self.generation = opened.generation;
        self.damage = Arc::default();
        self.publish();
        Ok(())
    }
}
