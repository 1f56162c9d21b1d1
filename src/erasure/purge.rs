//! Purging what is over: once a day by itself, and on command. What is over is hidden from readers before that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use storage::commands::{
    Command, Effect, EndPurge, PURGED_AT_ONCE_MAX, PurgeThings, SeeClock, Sweep, judged_us, settled_us,
};
use storage::ids::{ActorId, Lsn, SourceId, TenantId, ThingId};
use storage::model::Retention;
use storage::{Error, Result, View};

use crate::app::App;
use crate::node::now_us;

const DAY_US: i64 = 86_400_000_000;
/// A purge that takes longer says in the log how far it is, this often.
const TOLD_EVERY: Duration = Duration::from_secs(5);

/// The clock as far as it is believed: one that jumps forward must not hide everything, nor have it purged.
pub(crate) struct Clock {
    /// What it showed when it was last believed, microseconds since 1970; 0 if it never was.
    seen_us: AtomicI64,
}

/// What a purge takes, or would take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Purged {
    /// Records that lose their bodies.
    pub(crate) records: u64,
    /// Bytes of bodies and salts.
    pub(crate) bytes: u64,
    /// The same by tier and source.
    pub(crate) by: BTreeMap<(&'static str, String), (u64, u64)>,
    /// The record that says so, or the head of the log.
    pub(crate) lsn: Lsn,
}

impl Clock {
    pub(crate) fn new(seen_us: i64) -> Clock {
        Clock { seen_us: AtomicI64::new(seen_us) }
    }

    /// Whether it was never believed.
    pub(crate) fn is_new(&self) -> bool {
        self.seen_us.load(Ordering::Relaxed) == 0
    }

    /// Now, or a day after it was last believed, whichever comes first.
    pub(crate) fn believed_us(&self) -> i64 {
        match self.seen_us.load(Ordering::Relaxed) {
            0 => now_us(),
            seen_us => now_us().min(seen_us.saturating_add(DAY_US)),
        }
    }

    /// What decides whether a right is over.
    pub(crate) fn judged_us(&self) -> i64 {
        judged_us(now_us(), self.seen_us.load(Ordering::Relaxed))
    }

    /// What decides whether the key of a request is forgotten.
    pub(crate) fn settled_us(&self) -> i64 {
        settled_us(now_us(), self.seen_us.load(Ordering::Relaxed))
    }

    /// Looks at it. Whoever `vouches` for it has it believed whatever it shows.
    ///
    /// # Errors
    /// `ClockJumped` if it moved by more than a day since it was last believed.
    pub(crate) fn look(&self, app: &App, vouches: bool) -> Result<()> {
        app.write_blocking(Command::SeeClock(SeeClock { vouched: vouches }))?;
        self.seen_us.store(app.store.view()?.node()?.clock_us, Ordering::Relaxed);
        Ok(())
    }
}

/// What is over in a tenant and not held.
pub(crate) fn due(app: &App, view: &View, tenant: TenantId) -> Result<(Purged, BTreeSet<ThingId>)> {
    let (mut purged, mut things) = (Purged::default(), BTreeSet::new());
    let names: BTreeMap<SourceId, String> =
        view.sources(tenant)?.into_iter().map(|(source, spec)| (source, spec.name)).collect();
    view.due(tenant, app.clock.believed_us(), &mut |thing, due| {
        things.insert(thing);
        for one in due {
            let bytes = view.record(tenant, one.lsn)?.body().map_or(0, |body| body.len() as u64 + SALT_BYTES);
            let source = names.get(&one.source).cloned().unwrap_or_default();
            purged.add(one.tier, source, bytes);
        }
        Ok(())
    })?;
    purged.lsn = view.head(tenant)?.head();
    Ok((purged, things))
}

const SALT_BYTES: u64 = storage::ledger::SALT_BYTES as u64;

/// Purges a tenant: first what is over, then bodies of the log that nothing cites; and waits until the index is rid of it.
pub(super) fn purge(app: &App, tenant: TenantId, actor: ActorId) -> Result<Purged> {
    let _alone = app.erasing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let view = app.store.view()?;
    let erased_before = view.head(tenant)?.erased;
    let (mut purged, things) = due(app, &view, tenant)?;
    drop(view);
    let now_us = app.clock.believed_us();
    // Relations came after what they join, and go before it: then no bare name stays for another day.
    for things in things.into_iter().rev().collect::<Vec<_>>().chunks(PURGED_AT_ONCE_MAX) {
        go_on(app)?;
        app.write_blocking(Command::PurgeThings(PurgeThings { tenant, things: things.to_vec(), now_us }))?;
    }
    trim(app, tenant)?;
    let end = EndPurge { tenant, actor, erased_before, bytes: purged.bytes };
    purged.lsn = app.write_blocking(Command::EndPurge(end))?.lsn;
    purged.records = app.store.view()?.head(tenant)?.erased - erased_before;
    if purged.records > 0 {
        app.cursors.end_all();
        super::rid_index(app, tenant)?;
    }
    Ok(purged)
}

/// Goes through the log for bodies that nothing cites.
fn trim(app: &App, tenant: TenantId) -> Result<()> {
    let kept_us = i64::from(app.config.log_keep_days).saturating_mul(DAY_US);
    let replaced_before_us = app.clock.believed_us().saturating_sub(kept_us);
    let (mut from, below) = (Lsn::FIRST, app.follow.status(tenant).position);
    let mut told = Instant::now();
    loop {
        go_on(app)?;
        if told.elapsed() >= TOLD_EVERY {
            let listed = app.store.view()?.head(tenant)?.loose_to;
            tracing::info!(%tenant, listed, at = %from, head = %below, "purging; looking for bodies that nothing cites");
            told = Instant::now();
        }
        let done = app.write_blocking(Command::Sweep(Sweep { tenant, from, replaced_before_us, below }))?;
        match done.effect {
            Effect::More => from = done.lsn,
            _ => return Ok(()),
        }
    }
}

/// A node that stops waits for nobody: what is left is purged another day.
fn go_on(app: &App) -> Result<()> {
    match app.commit.tail().is_closed() {
        true => Err(Error::Poisoned { cause: "the node is stopping".to_owned() }),
        false => Ok(()),
    }
}

/// Purges every tenant, if the clock can be believed.
pub(super) fn purge_all(app: &App) -> Result<()> {
    match app.clock.look(app, false) {
        Err(error @ Error::ClockJumped { .. }) => {
            tracing::error!(%error, "nothing is purged");
            return Ok(());
        }
        looked => looked?,
    }
    for (tenant, _) in app.store.view()?.tenants()? {
        let purged = purge(app, tenant, ActorId::NODE)?;
        if purged.records > 0 {
            tracing::info!(%tenant, records = purged.records, bytes = purged.bytes, "purged what was over");
        }
    }
    Ok(())
}

impl Purged {
    fn add(&mut self, tier: Retention, source: String, bytes: u64) {
        let of = self.by.entry((tier.as_str(), source)).or_default();
        (of.0, of.1) = (of.0 + 1, of.1 + bytes);
        (self.records, self.bytes) = (self.records + 1, self.bytes + bytes);
    }
}
