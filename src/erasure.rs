//! Erasing: what was ordered is carried out on a thread of its own, step by step, from the store to every place that
//! follows it; a node that stops in between goes on when it starts.
//!
//! [`PLACES`] lists every place that holds bytes of what is said, and how each is emptied.

mod purge;

pub(crate) use purge::{Clock, Purged, due};

use std::sync::{Arc, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use storage::commands::{Command, Effect, EndRedaction, EraseSome};
use storage::ids::{ActorId, Lsn, TenantId};
use storage::model::Selection;
use storage::rows::ErasingRow;

use crate::app::{App, Shared};
use crate::commit::Tail;
use crate::ingest::import::rejects;

/// How a place is emptied of what is redacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emptied {
    /// With the steps of the redaction, in the store.
    ByItsSteps,
    /// By the thread that carries the redaction out, before it is done.
    ByItsThread,
    /// Nothing that is said is ever in it: numbers, digests, keyed hashes and counts.
    HoldsNothing,
    /// It goes when whoever holds it lets go: within a request, or with the process.
    ByItself,
    /// Not at all: the words that a tenant describes its data by, and what it says of itself.
    Stays,
    /// By somebody who is told so: the file is rewritten by `compact`, a backup is deleted.
    ByHand,
}

/// A place, what of what is said may be in it, and how that goes.
pub type Place = (&'static str, &'static str, Emptied);

/// Every place that may hold bytes of what is said.
pub const PLACES: &[Place] = &[
    ("log", "bodies and salts; headers and digests stay", Emptied::ByItsSteps),
    ("names", "ids", Emptied::ByItsSteps),
    ("things", "ids, weights, times", Emptied::ByItsSteps),
    ("before", "what was replaced", Emptied::ByItsSteps),
    ("edges_out", "numbers of things", Emptied::ByItsSteps),
    ("edges_in", "numbers of things", Emptied::ByItsSteps),
    ("pending", "relations that wait for their ends, whole", Emptied::ByItsSteps),
    ("progress", "digests of files", Emptied::ByItsSteps),
    ("events", "digests of events", Emptied::ByItsSteps),
    ("graphs", "numbers of things; name and note are in the log", Emptied::ByItsSteps),
    ("once", "digests of requests, for a day", Emptied::HoldsNothing),
    ("erasing", "the number of what is being erased, keyed hashes", Emptied::HoldsNothing),
    ("redactions", "keyed hashes and counts", Emptied::HoldsNothing),
    ("refused", "keyed hashes", Emptied::HoldsNothing),
    ("changed", "keys of rows that changed since a backup: numbers, digests, and what stays", Emptied::Stays),
    ("loose", "numbers of records", Emptied::HoldsNothing),
    ("holds", "the id that is held: a held thing is not redacted", Emptied::HoldsNothing),
    ("symbols", "types of things and kinds of relations", Emptied::Stays),
    ("words", "the same", Emptied::Stays),
    ("labels", "types, and names of sources", Emptied::Stays),
    ("label_ids", "the same", Emptied::Stays),
    ("sources", "names and terms of sources", Emptied::Stays),
    ("source_names", "the same", Emptied::Stays),
    ("runs", "names of files that were read, and counts", Emptied::Stays),
    ("tenants", "names of tenants", Emptied::Stays),
    ("policies", "digests; the texts are in the log", Emptied::Stays),
    ("subjects", "whom an outside issuer named", Emptied::Stays),
    ("flags", "names of flags and what they are set to", Emptied::HoldsNothing),
    ("node", "numbers, and the digest of a key", Emptied::HoldsNothing),
    ("heads", "counts and hashes", Emptied::HoldsNothing),
    ("subtrees", "hashes", Emptied::HoldsNothing),
    ("tokens", "digests of secrets, and rights", Emptied::HoldsNothing),
    ("denied_tokens", "digests", Emptied::HoldsNothing),
    ("once_in_time", "digests of requests", Emptied::HoldsNothing),
    ("index", "words of texts, names and ids", Emptied::ByItsThread),
    ("vectors", "what the vectors of texts tell of them, and digests of texts", Emptied::ByItsThread),
    ("rejects", "ids and values of what an import refused", Emptied::ByItsThread),
    ("cursors", "states of the index that pages go on from", Emptied::ByItsThread),
    ("models", "what publishers made: nothing of a tenant", Emptied::HoldsNothing),
    ("vectors of queries", "vectors of what was asked lately, by digest, in memory", Emptied::ByItself),
    ("anchor", "keyed hashes", Emptied::HoldsNothing),
    ("ballast", "nothing", Emptied::HoldsNothing),
    ("decisions", "labels and counts", Emptied::HoldsNothing),
    ("uploads", "bytes on their way, in memory", Emptied::ByItself),
    ("answers", "what was read for a request, in memory", Emptied::ByItself),
    ("free pages of the database", "rows that were replaced", Emptied::ByHand),
    ("backups and exports", "everything at their time", Emptied::ByHand),
];

/// Without news the thread looks again after this.
const IDLE: Duration = Duration::from_secs(1);
/// The index is given so long to be rid of what was erased, before it is asked again.
const SCRUB_PATIENCE: Duration = Duration::from_secs(30);
/// A node that has just started has other things to do first.
const FIRST_LOOK: Duration = Duration::from_secs(60);
/// The clock is looked at so often,
const LOOK_EVERY: Duration = Duration::from_secs(3600);
/// and what is over is purged each time that it was looked at so often: once a day.
const LOOKS_A_PURGE: u32 = 24;

/// Starts the thread. It ends when the log is closed.
///
/// # Errors
/// If the thread cannot be started.
pub(crate) fn start(app: &Shared) -> std::io::Result<JoinHandle<()>> {
    let (app, tail) = (Arc::downgrade(app), Arc::clone(app.commit.tail()));
    std::thread::Builder::new().name("erase".to_owned()).spawn(move || run(&app, &tail))
}

fn run(app: &Weak<App>, tail: &Tail) {
    believe_first(app);
    let (mut moves, mut looks, mut next_look) = (0, 0, Instant::now() + FIRST_LOOK);
    while !tail.is_closed() {
        if let Some(app) = app.upgrade() {
            if let Err(error) = carry_out_all(&app) {
                tracing::warn!(%error, "an erasure did not get on; trying again");
            }
            if Instant::now() >= next_look {
                look(&app, looks);
                (looks, next_look) = ((looks + 1) % LOOKS_A_PURGE, Instant::now() + LOOK_EVERY);
            }
        }
        moves = tail.wait(moves, IDLE);
    }
}

/// A clock that was never believed is, so that the next one can be held against it.
fn believe_first(app: &Weak<App>) {
    let looked =
        app.upgrade().filter(|app| app.clock.is_new()).map_or(Ok(()), |app| app.clock.look(&app, false));
    if let Err(error) = looked {
        tracing::warn!(%error, "the clock is not believed yet");
    }
}

/// Looks at the clock, and purges what is over the first time and then once a day.
fn look(app: &App, looks: u32) {
    let done = if looks == 0 { purge::purge_all(app) } else { app.clock.look(app, false) };
    if let Err(error) = done {
        tracing::error!(%error, "nothing was purged");
    }
}

/// Purges a tenant now.
///
/// # Errors
/// `ClockJumped` if the clock cannot be believed; as for writing.
pub(crate) fn purge_now(
    app: &App,
    tenant: TenantId,
    actor: ActorId,
    vouches: bool,
) -> storage::Result<Purged> {
    app.clock.look(app, vouches)?;
    purge::purge(app, tenant, actor)
}

fn carry_out_all(app: &App) -> Result<()> {
    for (tenant, redaction, row) in app.store.view()?.erasing()? {
        carry_out(app, tenant, redaction, &row)?;
    }
    Ok(())
}

/// Carries a redaction out to its end, from wherever it is.
fn carry_out(app: &App, tenant: TenantId, redaction: Lsn, row: &ErasingRow) -> Result<()> {
    let _alone = app.erasing.lock().unwrap_or_else(PoisonError::into_inner);
    // By name, so before the name is gone.
    forget_rejects(app, tenant, row)?;
    while app.write_blocking(Command::EraseSome(EraseSome { tenant, redaction }))?.effect == Effect::More {
        if app.commit.tail().is_closed() {
            return Ok(());
        }
    }
    app.cursors.end_all();
    if !rid_index(app, tenant)? {
        return Ok(());
    }
    // First of all: whoever hears that it is done may restore a backup from before it with this anchor.
    app.anchor.write(&app.store.view()?)?;
    app.write_blocking(Command::EndRedaction(EndRedaction { tenant, redaction }))?;
    tracing::info!(%tenant, %redaction, "a redaction is done");
    Ok(())
}

/// Waits until no file of the index holds a word of what was erased; false if the node stops first.
fn rid_index(app: &App, tenant: TenantId) -> storage::Result<bool> {
    loop {
        let head = app.store.view()?.head(tenant)?.head();
        if app.follow.scrub(tenant, head, SCRUB_PATIENCE) && app.vectors.scrub(tenant, head, SCRUB_PATIENCE) {
            return Ok(true);
        }
        if app.commit.tail().is_closed() {
            return Ok(false);
        }
        tracing::warn!(%tenant, "the index still holds words of what was erased; waiting for it");
    }
}

fn forget_rejects(app: &App, tenant: TenantId, row: &ErasingRow) -> Result<()> {
    let view = app.store.view()?;
    match view.being_erased(tenant, row)? {
        Some(Selection::Thing(id)) => rejects::forget_id(&app.config.data_dir, tenant, &id),
        Some(Selection::Source(name)) => {
            let mut runs = view.runs(tenant)?.into_iter().filter(|(_, row)| row.begin.source == name);
            runs.try_for_each(|(run, _)| rejects::forget_run(&app.config.data_dir, tenant, run))
        }
        Some(Selection::Tenant) | None => Ok(()),
    }
    .context("lists of rejects")
}
