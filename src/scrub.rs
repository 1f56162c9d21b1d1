//! Looks at everything that a node that runs has on the disk, in the background and without haste: damage is found before somebody
//! needs what is damaged.

pub(crate) mod files;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use storage::{Error, Report, Result};

use crate::app::Shared;
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
        scrubbed.follow.check_all();
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

fn scrub(app: &Shared) -> Result<Report> {
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

/// Every row as it is read; then every page as it lies in the file, where an older version of a page has rows that are
/// right; then the files beside the database.
fn look(app: &Shared) -> Result<Report> {
    let haste = Haste::begin(app, 0);
    let mut read = 0;
    let mut report = app.store.view()?.verify_until(&mut |bytes| {
        read = bytes;
        haste.rest(bytes)
    })?;
    let haste = Haste::begin(app, read);
    report.or_problem(app.store.check_pages(Box::new(move |bytes| haste.rest(bytes))))?;
    let view = app.store.view()?;
    let beside = files::problems(&app.config.data_dir, &view, &app.anchor, &app.decisions);
    let beside = report.or_problem(beside)?;
    report.problems.extend(beside.into_iter().flatten());
    Ok(report)
}

/// How a scrub leaves room for others.
struct Haste {
    app: Shared,
    growth: Growth,
    begun: Instant,
    /// Read before it began, in bytes.
    before: u64,
}

impl Haste {
    fn begin(app: &Shared, before: u64) -> Haste {
        Haste { growth: Growth::of(app), app: Shared::clone(app), begun: Instant::now(), before }
    }

    /// Rests, if more was read than is due; an error if the scrub has to end.
    fn rest(&self, bytes: u64) -> Result<()> {
        self.growth.check(&self.app)?;
        if let Some(running) = &mut self.app.scrub.lock().running {
            running.bytes = self.before + bytes;
        }
        let due = Duration::from_secs_f64(bytes as f64 / BYTES_PER_SECOND_MAX as f64);
        std::thread::sleep(due.saturating_sub(self.begun.elapsed()));
        Ok(())
    }
}
