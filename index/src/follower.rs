//! Followers: what is derived from the log, and the loop that keeps it up to date.
//!
//! A unit is one follower of one tenant: an idle tenant never holds up another. The loop finds the
//! log's end, refuses to run a follower that is ahead of it, reads from the follower's position on,
//! applies a bounded batch and commits once. Data and position become durable together, so a crash
//! at any point loses nothing but work, which the next run does again.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use storage::View;
use storage::ids::{Lsn, TenantId};
use storage::record::Record;

use crate::error::{Error, ErrorKind, Result};

/// Up to this many records are replayed however few things there are: a bootstrap is not free.
pub const REPLAY_RECORDS_MIN: u64 = 10_000;
/// How many skips a unit lists; it counts all of them.
pub const SKIPS_LISTED_MAX: usize = 100;

/// Something derived from one tenant's log.
///
/// What every follower promises, and `conformance` tests:
///
/// 1. *Data and position are committed together.* After [`commit`](Follower::commit) returns, a crash
///    brings back exactly this data with exactly this position; before, the data and position of the
///    commit before it.
/// 2. *Publishing comes after committing.* A reader never sees what a crash could take back.
/// 3. *Applying again changes nothing.* A view may be newer than the record that is being applied: what
///    is derived at position p reflects at least every record up to p, and only what the view holds.
/// 4. *Both ways lead to the same place.* A bootstrap from a view at S equals replaying every record up
///    to S, and the records from S + 1 on may follow either.
/// 5. *A record that cannot be indexed is skipped with a reason*, not refused: only failures of the
///    follower's own files or of the store are errors.
pub trait Follower {
    /// A short name for errors and metrics.
    fn name(&self) -> &'static str;

    /// Whose log it follows.
    fn tenant(&self) -> TenantId;

    /// The last record that is committed; `Lsn::NONE` if it is empty.
    fn position(&self) -> Lsn;

    /// Drops what there is and derives everything from the view; not durable until the commit. Who needs long for it may do a
    /// piece within the limits, and is called again, perhaps with newer views, until it says that it is done.
    ///
    /// # Errors
    /// `Stopped` if `stop` said so; the store's and the follower's own failures.
    fn bootstrap(
        &mut self,
        view: &View,
        limits: Limits,
        skipped: &mut Skipped,
        stop: &dyn Fn() -> bool,
    ) -> Result<Bootstrap>;

    /// Whether a bootstrap has begun and is to be gone on with.
    fn is_bootstrapping(&self) -> bool {
        false
    }

    /// Does beforehand what takes long for records that are applied next, in this order, and is better done for many at once;
    /// how many of them this step is to take in, at least one.
    ///
    /// # Errors
    /// `Stopped` if `stop` said so; the follower's own failures.
    fn prepare(
        &mut self,
        _view: &View,
        records: &[Record],
        _limits: Limits,
        _stop: &dyn Fn() -> bool,
    ) -> Result<usize> {
        Ok(records.len())
    }

    /// Takes in one record; the view holds it and perhaps later ones.
    ///
    /// # Errors
    /// The store's and the follower's own failures; everything since the last commit is then void.
    fn apply(&mut self, view: &View, record: &Record) -> Result<Applied>;

    /// Makes all that was applied durable, together with its position, and then publishes it.
    ///
    /// # Errors
    /// The follower's own failures; the commit then may or may not have happened, but never in part.
    fn commit(&mut self, at: Lsn) -> Result<()>;

    /// Forgets what was applied since the last commit.
    ///
    /// # Errors
    /// The follower's own failures.
    fn rollback(&mut self) -> Result<()>;

    /// Forgets everything, durably: the follower is empty and its position is `Lsn::NONE`.
    ///
    /// # Errors
    /// The follower's own failures.
    fn reset(&mut self) -> Result<()>;
}

/// How far a bootstrap is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bootstrap {
    /// There is more to do.
    More,
    /// Everything up to a record is derived, to be committed there, from so many present assertions.
    Done {
        /// The record.
        upto: Lsn,
        /// The assertions.
        indexed: u64,
    },
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It changed what is derived.
    Indexed,
    /// It says nothing to this follower, or a later record in the view replaces it.
    Ignored,
    /// It should have changed something and could not, for this reason.
    Skipped(String),
}

/// How much one step may take in.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most records in one commit.
    pub records_max: usize,
    /// Most bytes of record bodies in one commit, except that one record is always taken.
    pub bytes_max: usize,
    /// Texts of which vectors are made in one step, about: no record is taken in in part.
    pub texts_max: usize,
}

/// Records are read so many bytes at a time, whatever a commit may hold.
const READ_BYTES_MAX: usize = 4 << 20;

/// Large, for a follower that is far behind: each commit of an index costs as much as thousands of records.
impl Default for Limits {
    fn default() -> Limits {
        Limits { records_max: 50_000, bytes_max: 48 << 20, texts_max: usize::MAX }
    }
}

/// What one step did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The position before.
    pub from: Lsn,
    /// The position now, committed.
    pub to: Lsn,
    /// The end of the log in the view.
    pub head: Lsn,
    /// Records or present assertions taken in.
    pub indexed: u64,
    /// Whether it began anew from the view.
    pub bootstrapped: bool,
    /// What could not be indexed.
    pub skipped: Skipped,
}

impl Progress {
    /// Whether everything in the view is taken in.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.to == self.head
    }
}

/// What could not be indexed: all of it counted, the last of it listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// How many.
    pub count: u64,
    /// The last [`SKIPS_LISTED_MAX`] of them, oldest first.
    pub last: VecDeque<Skip>,
}

/// A record that could not be indexed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    /// The record.
    pub lsn: Lsn,
    /// Why.
    pub reason: String,
}

impl Skipped {
    /// Notes one.
    pub fn add(&mut self, lsn: Lsn, reason: String) {
        self.count += 1;
        self.last.push_back(Skip { lsn, reason });
        if self.last.len() > SKIPS_LISTED_MAX {
            self.last.pop_front();
        }
    }

    fn append(&mut self, other: Skipped) {
        let unlisted = other.count - other.last.len() as u64;
        for skip in other.last {
            self.add(skip.lsn, skip.reason);
        }
        self.count += unlisted;
    }
}

/// Takes the follower one bounded step towards the end of the view, and commits once.
///
/// An empty follower, and one that has more records to replay than there are things (and more than
/// [`REPLAY_RECORDS_MIN`]), begins anew from the view: with claims replaced often that is the shorter way.
/// How much of a bootstrap is one step is for the follower to say; `stop` ends it without a trace, and ends a replay after a
/// commit.
///
/// # Errors
/// `Ahead` if the follower has seen more than the log has, `Gap` if a record is missing, `Stopped` if
/// nothing was done; the store's and the follower's own failures. What was not committed is rolled back.
pub fn drive<F: Follower + ?Sized>(
    follower: &mut F,
    view: &View,
    limits: Limits,
    stop: &dyn Fn() -> bool,
) -> Result<Progress> {
    let mut progress = begin(follower, view)?;
    if progress.is_current() {
        return Ok(progress);
    }
    if stop() {
        return Err(Error::Stopped);
    }
    let done = if should_bootstrap(follower, view, &progress)? {
        bootstrap(follower, view, limits, &mut progress, stop)
    } else {
        replay(follower, view, limits, &mut progress, stop)
    };
    match done {
        Ok(()) => Ok(progress),
        Err(error) => {
            follower.rollback()?;
            Err(error)
        }
    }
}

fn begin<F: Follower + ?Sized>(follower: &F, view: &View) -> Result<Progress> {
    let position = follower.position();
    let head = view.head(follower.tenant())?.head();
    if position > head {
        return Err(Error::Ahead { follower: follower.name(), position, head });
    }
    Ok(Progress { from: position, to: position, head, ..Progress::default() })
}

fn should_bootstrap<F: Follower + ?Sized>(follower: &F, view: &View, progress: &Progress) -> Result<bool> {
    if progress.from == Lsn::NONE || follower.is_bootstrapping() {
        return Ok(true);
    }
    let head = view.head(follower.tenant())?;
    let behind = progress.head.0 - progress.from.0;
    Ok(behind > REPLAY_RECORDS_MIN.max(head.entities + head.relations))
}

fn bootstrap<F: Follower + ?Sized>(
    follower: &mut F,
    view: &View,
    limits: Limits,
    progress: &mut Progress,
    stop: &dyn Fn() -> bool,
) -> Result<()> {
    if let Bootstrap::Done { upto, indexed } =
        follower.bootstrap(view, limits, &mut progress.skipped, stop)?
    {
        follower.commit(upto)?;
        (progress.to, progress.indexed, progress.bootstrapped) = (upto, indexed, true);
    }
    Ok(())
}

fn replay<F: Follower + ?Sized>(
    follower: &mut F,
    view: &View,
    limits: Limits,
    progress: &mut Progress,
    stop: &dyn Fn() -> bool,
) -> Result<()> {
    let (mut at, mut left) = (follower.position(), limits);
    while at < progress.head && left.records_max > 0 && left.bytes_max > 0 {
        let records = read(follower.tenant(), view, at.next(), left)?;
        let ready = follower.prepare(view, &records, left, stop)?;
        let whole = records.len();
        let records = &records[..ready.max(1).min(whole)];
        let reached = apply(follower, view, records, at, progress, stop)?;
        if reached == at {
            break;
        }
        at = reached;
        if ready < whole {
            break;
        }
        left.records_max = left.records_max.saturating_sub(records.len());
        let bytes: usize = records.iter().filter_map(Record::body).map(<[u8]>::len).sum();
        left.bytes_max = left.bytes_max.saturating_sub(bytes);
    }
    commit(follower, at, progress)
}

/// The records are read before any is applied, since a view may not be asked while it is being scanned.
fn read(tenant: TenantId, view: &View, from: Lsn, limits: Limits) -> Result<Vec<Record>> {
    let bytes_max = limits.bytes_max.min(READ_BYTES_MAX);
    let (mut records, mut bytes) = (Vec::new(), 0);
    view.records(tenant, from, &mut |record| {
        bytes += record.body().map_or(0, <[u8]>::len);
        let fits = records.is_empty() || bytes <= bytes_max;
        if fits {
            records.push(record);
        }
        let more = fits && records.len() < limits.records_max.max(1);
        Ok(if more { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    Ok(records)
}

/// Applies records that follow the follower's position without a gap, and commits.
///
/// # Errors
/// As for [`drive`]; nothing is rolled back here.
pub fn advance<F: Follower + ?Sized>(
    follower: &mut F,
    view: &View,
    records: &[Record],
    progress: &mut Progress,
    stop: &dyn Fn() -> bool,
) -> Result<()> {
    let at = apply(follower, view, records, follower.position(), progress, stop)?;
    commit(follower, at, progress)
}

/// Applies records that follow `at` without a gap; how far it came.
fn apply<F: Follower + ?Sized>(
    follower: &mut F,
    view: &View,
    records: &[Record],
    mut at: Lsn,
    progress: &mut Progress,
    stop: &dyn Fn() -> bool,
) -> Result<Lsn> {
    for record in records {
        if stop() {
            break;
        }
        if record.lsn != at.next() {
            return Err(Error::Gap { follower: follower.name(), expected: at.next(), found: record.lsn });
        }
        match follower.apply(view, record)? {
            Applied::Indexed => progress.indexed += 1,
            Applied::Ignored => {}
            Applied::Skipped(reason) => progress.skipped.add(record.lsn, reason),
        }
        at = record.lsn;
    }
    Ok(at)
}

fn commit<F: Follower + ?Sized>(follower: &mut F, at: Lsn, progress: &mut Progress) -> Result<()> {
    if at == follower.position() {
        return Err(Error::Stopped);
    }
    follower.commit(at)?;
    progress.to = at;
    Ok(())
}

/// A follower of one tenant with its state, as the runner keeps it.
#[derive(Debug)]
pub struct Unit<F> {
    follower: F,
    state: State,
    skipped: Skipped,
}

/// How a unit is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It had taken in everything when it last looked.
    Current,
    /// This many records were missing when it last looked.
    Lagging(u64),
    /// It begins anew from the store, for this reason.
    Rebuilding(String),
    /// It could not go on, for this reason; the next step tries again.
    Failed(String),
}

impl<F: Follower> Unit<F> {
    /// A unit that has not looked at the log yet.
    pub fn new(follower: F) -> Unit<F> {
        let state = match follower.position() {
            Lsn::NONE => State::Rebuilding("empty".to_owned()),
            _ => State::Lagging(0),
        };
        Unit { follower, state, skipped: Skipped::default() }
    }

    /// The follower.
    pub fn follower(&self) -> &F {
        &self.follower
    }

    /// The follower, to close what it holds open.
    pub fn follower_mut(&mut self) -> &mut F {
        &mut self.follower
    }

    /// How it is doing.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What it could not index since it was made.
    pub fn skipped(&self) -> &Skipped {
        &self.skipped
    }

    /// Takes one step, as [`drive`] does. A follower that cannot be trusted is emptied, and the next
    /// step fills it again.
    ///
    /// # Errors
    /// As for [`drive`], but for those that a rebuild cures.
    pub fn step(&mut self, view: &View, limits: Limits, stop: &dyn Fn() -> bool) -> Result<Progress> {
        match drive(&mut self.follower, view, limits, stop) {
            Ok(progress) => {
                self.note(&progress);
                Ok(progress)
            }
            Err(Error::Stopped) => Err(Error::Stopped),
            Err(error) if error.kind() == ErrorKind::Rebuild => self.begin_anew(view, &error),
            Err(error) => {
                self.state = State::Failed(error.to_string());
                Err(error)
            }
        }
    }

    fn note(&mut self, progress: &Progress) {
        if progress.bootstrapped {
            self.skipped = Skipped::default();
        }
        self.skipped.append(progress.skipped.clone());
        self.state = match &self.state {
            _ if progress.is_current() => State::Current,
            _ if progress.to != Lsn::NONE => State::Lagging(progress.head.0 - progress.to.0),
            // A piece of a bootstrap is nothing yet that a reader could use.
            State::Rebuilding(why) => State::Rebuilding(why.clone()),
            _ => State::Rebuilding("empty".to_owned()),
        };
    }

    fn begin_anew(&mut self, view: &View, error: &Error) -> Result<Progress> {
        let reset = self.follower.reset();
        self.state = match &reset {
            Ok(()) => State::Rebuilding(error.to_string()),
            Err(failure) => State::Failed(failure.to_string()),
        };
        reset?;
        begin(&self.follower, view)
    }
}
