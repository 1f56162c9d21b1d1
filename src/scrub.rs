//! Looks at every row of a node that runs, in the background and without haste: damage is found before somebody needs what is
//! damaged.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use storage::{Error, Report, Result};

use crate::app::{App, Shared};
use crate::growth::Growth;
use crate::node;

/// Read at most so fast, so that others get the disk and the processor.
const BYTES_PER_SECOND_MAX: u64 = 64 << 20;
/// A view that ended with its engine is taken anew so often.
const ATTEMPTS_MAX: usize = 3;

/// The scrub that runs, and the last one.
#[derive(Debug, Default)]
pub(crate) struct Scrub {
    state: Mutex<State>,
}

/// What is known of scrubs.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// The one that runs.
    pub(crate) running: Option<Running>,
    /// The last one.
    pub(crate) last: Option<Outcome>,
}

/// A scrub that runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running {
    /// Since when, microseconds since 1970.
    pub(crate) began_us: i64,
    /// Bytes read so far.
    pub(crate) bytes: u64,
}

/// How a scrub ended.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// When it began, and when it ended, microseconds since 1970.
    pub(crate) began_us: i64,
    pub(crate) ended_us: i64,
    /// What it found, or why it could not look.
    pub(crate) found: Result<Report>,
}

impl Scrub {
    /// What is known now.
    pub(crate) fn state(&self) -> State {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins to scrub, unless that is going on already; since when.
///
/// # Errors
/// `Io` if there is no thread left for it.
pub(crate) fn begin(app: &Shared) -> Result<i64> {
    let mut state = app.scrub.lock();
    if let Some(running) = &state.running {
        return Ok(running.began_us);
    }
    let (scrubbed, began_us) = (Shared::clone(app), node::now_us());
    let scrubbing = move || {
        let found = scrub(&scrubbed);
        // What is derived mends itself; it is only told what to look at.
        scrubbed.vectors.check_all();
        tell(&found);
        let mut state = scrubbed.scrub.lock();
        state.last = Some(Outcome { began_us, ended_us: node::now_us(), found });
        state.running = None;
    };
    std::thread::Builder::new()
        .name("scrub".to_owned())
        .spawn(scrubbing)
        .map_err(|error| Error::Io(error.to_string()))?;
    state.running = Some(Running { began_us, bytes: 0 });
    Ok(began_us)
}

fn tell(found: &Result<Report>) {
    match found {
        Ok(report) if report.problems.is_empty() => {
            tracing::info!(bytes = report.bytes, "scrubbed; all is well")
        }
        Ok(report) => tracing::error!(problems = ?report.problems, "scrubbed; the store is DAMAGED"),
        Err(error) => tracing::warn!(%error, "the scrub broke off"),
    }
}

fn scrub(app: &App) -> Result<Report> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match look(app) {
            Err(Error::Poisoned { .. }) if attempts < ATTEMPTS_MAX && !app.commit.tail().is_closed() => {
                std::thread::sleep(Duration::from_secs(1));
            }
            found => return found,
        }
    }
}

fn look(app: &App) -> Result<Report> {
    let (view, growth, begun) = (app.store.view()?, Growth::of(app), Instant::now());
    let mut report = view.verify_until(&mut |bytes| {
        growth.check(app)?;
        if let Some(running) = &mut app.scrub.lock().running {
            running.bytes = bytes;
        }
        let due = Duration::from_secs_f64(bytes as f64 / BYTES_PER_SECOND_MAX as f64);
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
        Ok(())
    })?;
    match app.anchor.check(&view) {
        Err(damage @ Error::Corrupt { .. }) => report.problems.push(damage.to_string()),
        other => other?,
    }
    Ok(report)
}
