//! The text index: one for each tenant, one document for each present assertion.
//!
//! A document is what one source says of one thing under one label, so that a reader's labels decide
//! which documents exist for them: what is hidden neither matches, scores, is suggested nor counted. Hits
//! are grouped by thing. (The weights of words span the tenant, hidden documents included.)
//!
//! Bodies are not stored here: a body has one home, the log. A snippet is cut from the record itself.

mod collect;
mod content;
mod facets;
mod filter;
mod given;
mod home;
mod plan;
mod question;
mod schema;
mod search;
mod snippet;
mod suggest;
mod sweep;
mod tails;
mod terms;
mod visible;
mod why;

use std::collections::{HashMap, HashSet};
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

use storage::View;
use storage::ids::{LabelId, Lsn, TenantId, ThingId};
use storage::model::Assertion;
use storage::record::Record;
use storage::rows::{SaidRow, ThingRow};
use tantivy::indexer::IndexWriterOptions;
use tantivy::query::RangeQuery;
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, Term};

use self::content::{Content, Place};
use self::home::{Opened, Owner};
use self::schema::{Fields, schema};
use crate::error::{Error, Result};
use crate::follower::{Applied, Bootstrap, Follower, Limits, Skipped};
use crate::present::{Change, Present};

pub(crate) use self::content::titles;
pub use self::content::{CLAIM_BYTES_MAX, passages};
pub use self::facets::{Facets, Span};
pub use self::given::Given;
pub use self::home::{Found, Home};
pub use self::question::{Wanted, wanted};
pub use self::search::{
    Allowed, Groups, HITS_MAX, Hit, Hits, Key, Order, Pinned, QUERY_BYTES_MAX, Query, TimeRange, WORDS_MAX,
};
pub use self::snippet::{Highlighter, Snippet};
pub use self::suggest::Suggestion;
pub use self::why::{Share, Where, Why};

/// Memory of an open writer, in bytes: the least that the engine takes.
pub const WRITER_BYTES: usize = 15_000_000;

/// A tenant's text index, as the follower that writes it.
pub struct TextIndex {
    owner: Owner,
    home: Home,
    fields: Fields,
    index: Index,
    engine: IndexReader,
    /// Opened by the first change and kept until [`TextIndex::close_writer`]: it costs memory and two threads.
    writer: Option<IndexWriter>,
    writer_bytes: usize,
    position: Lsn,
    published: Reader,
    sources: HashMap<LabelId, String>,
    /// What records said since the last commit.
    put: HashSet<(ThingId, LabelId)>,
    /// Of what was erased up to here nothing is looked for again.
    swept: Lsn,
    /// How many records had lost their bodies when it was last known that there is no document but of what the view cites;
    /// unknown to an index that was opened.
    erased: Option<u64>,
    /// Whether bodies were lost since: then the rows of a thing do not tell what there are documents of.
    is_behind_erasure: bool,
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

impl TextIndex {
    /// Opens a tenant's index and says what was found; everything in it has been checked.
    ///
    /// `origin` is the name of the tenant's ledger ([`View::origin`]): an index of another ledger is not
    /// used. What cannot be trusted is deleted; the index is then empty, and filled by the next drive.
    ///
    /// # Errors
    /// `Io` if the place cannot be read or written.
    pub fn open(home: Home, tenant: TenantId, origin: &str) -> Result<(TextIndex, Found)> {
        let owner = Owner { tenant, origin: origin.to_owned() };
        let opened = home.open(&owner)?;
        let found = opened.found.clone();
        let (engine, pinned) = begin(&opened)?;
        let text = TextIndex {
            owner,
            home,
            fields: schema().1,
            index: opened.index,
            engine,
            writer: None,
            writer_bytes: WRITER_BYTES,
            position: opened.position,
            published: Reader(Arc::new(RwLock::new(pinned))),
            sources: HashMap::new(),
            put: HashSet::new(),
            swept: Lsn::NONE,
            erased: None,
            is_behind_erasure: false,
        };
        Ok((text, found))
    }

    /// Gives the writer more memory than [`WRITER_BYTES`], for bulk work; from its next opening on.
    pub fn set_writer_bytes(&mut self, bytes: usize) {
        self.writer_bytes = bytes.max(WRITER_BYTES);
    }

    /// What readers see: it follows every commit and every rebuild.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.published.clone()
    }

    /// Whether the writer is open and costs memory.
    #[must_use]
    pub fn has_writer(&self) -> bool {
        self.writer.is_some()
    }

    /// Lets the writer go, once its merges are done; what was not committed is lost.
    ///
    /// # Errors
    /// `Io` if a merge failed; the index stays as it was last committed.
    pub fn close_writer(&mut self) -> Result<()> {
        let Some(writer) = self.writer.take() else {
            return Ok(());
        };
        writer.wait_merging_threads()?;
        self.home.sync(&self.index)?;
        self.publish()
    }

    /// Shows readers what is committed.
    fn publish(&self) -> Result<()> {
        self.engine.reload()?;
        let pinned = Pinned::new(self.engine.searcher(), self.fields, self.position);
        self.published.publish(pinned);
        Ok(())
    }

    fn writer(&mut self) -> Result<&mut IndexWriter> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => {
                let options = IndexWriterOptions::builder()
                    .num_worker_threads(1)
                    .num_merge_threads(1)
                    .memory_budget_per_thread(self.writer_bytes)
                    .build();
                self.index.writer_with_options(options)?
            }
        };
        Ok(self.writer.insert(writer))
    }

    fn put(&mut self, view: &View, thing: ThingId, record: &Record) -> Result<Applied> {
        let assertion = match read(record) {
            Ok(assertion) => assertion,
            Err(reason) => return Ok(Applied::Skipped(reason)),
        };
        self.put_assertion(view, thing, record, &assertion)
    }

    fn put_assertion(
        &mut self,
        view: &View,
        thing: ThingId,
        record: &Record,
        assertion: &Assertion,
    ) -> Result<Applied> {
        self.learn_source(view, record.label)?;
        let place = Place {
            thing,
            label: record.label,
            source: &self.sources[&record.label],
            recorded_us: record.time_us,
        };
        let document = Content::of(assertion).document(&self.fields, assertion, &place);
        self.writer()?.add_document(document)?;
        Ok(Applied::Indexed)
    }

    fn learn_source(&mut self, view: &View, label: LabelId) -> Result<()> {
        if !self.sources.contains_key(&label) {
            let source = view.label(self.owner.tenant, label)?.source;
            self.sources.insert(label, source);
        }
        Ok(())
    }

    /// Forgets a thing under every label.
    fn forget(&mut self, thing: ThingId) -> Result<()> {
        self.forget_between(thing, LabelId::default(), ThingId(thing.0 + 1), LabelId::default())
    }

    fn forget_label(&mut self, thing: ThingId, label: LabelId) -> Result<()> {
        self.forget_between(thing, label, thing, LabelId(label.0 + 1))
    }

    /// As a range even where it is one term: what the engine keeps of a term to be deleted is a kilobyte,
    /// for a scoring that nobody asks for.
    fn forget_between(
        &mut self,
        from: ThingId,
        from_label: LabelId,
        to: ThingId,
        to_label: LabelId,
    ) -> Result<()> {
        let bound = |thing, label| Term::from_field_bytes(self.fields.key, &content::key(thing, label));
        let keys =
            RangeQuery::new(Bound::Included(bound(from, from_label)), Bound::Excluded(bound(to, to_label)));
        self.writer()?.delete_query(Box::new(keys))?;
        Ok(())
    }

    /// Whether there may be a document of a thing under a label. Of most things that an import brings there is none,
    /// and a deletion, even of nothing, is work for every segment.
    fn may_hold(&self, view: &View, thing: ThingId, row: &ThingRow, label: LabelId) -> Result<bool> {
        // What is hidden and shown is put as the view has it, ahead of the position.
        if self.is_behind_erasure || !row.deletions_us.is_empty() || self.put.contains(&(thing, label)) {
            return Ok(true);
        }
        let is_held = |said: &SaidRow| said.label() == label && said.lsn() <= self.position;
        let before = view.before(self.owner.tenant, thing)?;
        Ok(row.said.iter().chain(before.iter().map(|before| &before.said)).any(is_held))
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
        if self.may_hold(view, thing, &row, record.label)? {
            self.forget_label(thing, record.label)?;
        }
        if row.is_deleted() || !row.said.iter().any(|said| said.lsn() == record.lsn) {
            return Ok(Applied::Ignored);
        }
        self.put.insert((thing, record.label));
        self.put_assertion(view, thing, record, &assertion)
    }

    fn apply_withdrawn(&mut self, view: &View, record: &Record) -> Result<Applied> {
        let Some((thing, _)) = self.thing_of(view, record)? else {
            return Ok(Applied::Ignored);
        };
        self.forget_label(thing, record.label)?;
        Ok(Applied::Indexed)
    }

    /// A thing that was hidden or shown again is put as the view has it.
    fn apply_toggled(&mut self, view: &View, record: &Record) -> Result<Applied> {
        let Some((thing, row)) = self.thing_of(view, record)? else {
            return Ok(Applied::Ignored);
        };
        self.forget(thing)?;
        if row.is_deleted() {
            return Ok(Applied::Indexed);
        }
        for said in &row.said {
            let record = view.record(self.owner.tenant, said.lsn())?;
            self.put(view, thing, &record)?;
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

    /// Starts from an opened or emptied home; readers see it at once.
    fn adopt(&mut self, opened: Opened) -> Result<()> {
        let (engine, pinned) = begin(&opened)?;
        self.position = opened.position;
        self.index = opened.index;
        self.engine = engine;
        self.published.publish(pinned);
        Ok(())
    }
}

fn read(record: &Record) -> Result<Assertion, String> {
    let body = record.body().ok_or("its body was erased")?;
    Assertion::from_body(body).map_err(|error| error.to_string())
}

fn begin(opened: &Opened) -> Result<(IndexReader, Pinned)> {
    let engine = opened.index.reader_builder();
    let engine: IndexReader = engine.reload_policy(ReloadPolicy::Manual).try_into()?;
    let pinned = Pinned::new(engine.searcher(), schema().1, opened.position);
    Ok((engine, pinned))
}

impl Follower for TextIndex {
    fn name(&self) -> &'static str {
        "text"
    }

    fn tenant(&self) -> TenantId {
        self.owner.tenant
    }

    fn position(&self) -> Lsn {
        self.position
    }

    /// Takes 16 bytes of memory for each present assertion while it runs.
    fn bootstrap(
        &mut self,
        view: &View,
        _limits: Limits,
        skipped: &mut Skipped,
        stop: &dyn Fn() -> bool,
    ) -> Result<Bootstrap> {
        self.writer()?.delete_all_documents()?;
        let present = Present::of(view, self.owner.tenant, stop)?;
        self.nothing_erased_is_left(view)?;
        let mut indexed = 0;
        present.each(view, stop, &mut |thing, record| {
            match self.put(view, thing, &record)? {
                Applied::Skipped(reason) => skipped.add(record.lsn, reason),
                _ => indexed += 1,
            }
            Ok(())
        })?;
        Ok(Bootstrap::Done { upto: view.head(self.owner.tenant)?.head(), indexed })
    }

    /// Bodies are lost before a record says so, and one that was said again since hides it: what is there is looked at when an index
    /// was opened, and until the record comes every document makes sure that there is no other.
    fn prepare(
        &mut self,
        view: &View,
        records: &[Record],
        _limits: Limits,
        _stop: &dyn Fn() -> bool,
    ) -> Result<usize> {
        let erased = view.head(self.owner.tenant)?.erased;
        if self.erased.is_none() && erased > 0 {
            self.forget_gone(view, self.position)?;
        }
        self.is_behind_erasure = *self.erased.get_or_insert(erased) != erased;
        Ok(records.len())
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
        let payload = home::payload(&self.owner, at);
        let mut prepared = self.writer()?.prepare_commit()?;
        prepared.set_payload(&payload);
        prepared.commit()?;
        self.home.sync(&self.index)?;
        self.position = at;
        self.put.clear();
        self.publish()
    }

    /// A writer that failed once is not asked again: the next change opens another.
    fn rollback(&mut self) -> Result<()> {
        self.writer = None;
        self.put.clear();
        (self.swept, self.erased) = (Lsn::NONE, None);
        let meta = self.index.load_metas()?;
        match home::read_payload(meta.payload.as_deref().unwrap_or_default(), &self.owner) {
            Ok(position) => self.position = position,
            Err(_) if self.position == Lsn::NONE => {}
            Err(detail) => {
                return Err(Error::Damaged { what: "text index", detail });
            }
        }
        Ok(())
    }

    fn reset(&mut self) -> Result<()> {
        self.writer = None;
        self.put.clear();
        (self.swept, self.erased) = (Lsn::NONE, None);
        let opened = self.home.create(Found::Nothing)?;
        self.adopt(opened)
    }
}
