//! A campaign: trials, each drawn from a seed. It tells of itself while it runs, keeps what it found in a ledger, and goes on
//! where it ended when it is run again: `tests/campaigns.py` does that, and sums the ledger.
//!
//! `INTELGRAPH_SIM_FROM` sets the first seed and `INTELGRAPH_SIM_COUNT` how much is done; `INTELGRAPH_SIM_LEDGER` names the file
//! that gets a line each minute, and `INTELGRAPH_SIM_COMMIT` the sources that it was done with.

use std::any::Any;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;

/// Between two words about it.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// Between two lines of the ledger: so much is done again if a campaign is killed.
const KEEP_EVERY: Duration = Duration::from_secs(60);
/// With so many broken promises nobody needs more.
const FAILED_MAX: usize = 10;

/// What is tried again and again.
pub(crate) struct Campaign {
    pub(crate) name: &'static str,
    /// What is counted,
    pub(crate) unit: &'static str,
    /// and how much of it a seed makes.
    pub(crate) per_seed: u64,
}

/// What trials did and met, by name.
pub(crate) type Counts = BTreeMap<String, u64>;

/// What a trial did and met, or the promise that was broken.
pub(crate) type Trial = Result<Counts, Broken>;

/// A promise was broken.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) how: How,
    pub(crate) report: String,
}

/// In which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// Something acknowledged is gone.
    Lost,
    /// Something wrong was answered, and nothing says so.
    SilentlyWrong,
    /// Anything else.
    Failed,
}

struct Running<'c> {
    campaign: &'c Campaign,
    seeds: Range<u64>,
    began: Instant,
    state: Mutex<State>,
}

struct State {
    next: u64,
    all: Counts,
    failed: Vec<String>,
    /// What was done since the last line of the ledger, up to the first seed that is still being tried.
    part: Part,
    /// Seeds that are done while one before them is not.
    waiting: BTreeMap<u64, Counts>,
}

struct Part {
    seeds: Range<u64>,
    counts: Counts,
    began: Instant,
}

impl Campaign {
    /// Tries `count` of the unit from seed `from` on, or what the environment says, with so many at a time. Panics if a promise was
    /// broken.
    pub(crate) fn run(
        &self,
        from: u64,
        count: u64,
        workers: usize,
        trial: &(dyn Fn(u64) -> Trial + Sync),
    ) -> Counts {
        let from = variable("INTELGRAPH_SIM_FROM").unwrap_or(from);
        let count = variable("INTELGRAPH_SIM_COUNT").unwrap_or(count);
        let running = Running::new(self, from..from + count.div_ceil(self.per_seed));
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(|| running.work(trial))).collect();
            let (mut told, mut kept) = (Instant::now(), Instant::now());
            while !workers.iter().all(|worker| worker.is_finished()) {
                std::thread::sleep(Duration::from_millis(10));
                if told.elapsed() >= TELL_EVERY {
                    running.tell();
                    told = Instant::now();
                }
                if kept.elapsed() >= KEEP_EVERY {
                    running.keep();
                    kept = Instant::now();
                }
            }
        });
        running.tell();
        running.keep();
        let State { all, failed, .. } = running.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        assert!(failed.is_empty(), "{}: {} failed:\n{}", self.name, failed.len(), failed.join("\n"));
        all
    }
}

impl Running<'_> {
    fn new(campaign: &Campaign, seeds: Range<u64>) -> Running<'_> {
        let began = Instant::now();
        let part = Part { seeds: seeds.start..seeds.start, counts: Counts::new(), began };
        let state = State {
            next: seeds.start,
            all: Counts::new(),
            failed: Vec::new(),
            part,
            waiting: BTreeMap::new(),
        };
        Running { campaign, seeds, began, state: Mutex::new(state) }
    }

    fn work(&self, trial: &dyn Fn(u64) -> Trial) {
        while let Some(seed) = self.claim() {
            let tried = catch_unwind(AssertUnwindSafe(|| trial(seed)));
            self.finish(seed, tried.unwrap_or_else(|panic| Err(Broken::by(&*panic))));
        }
    }

    fn claim(&self) -> Option<u64> {
        let mut state = self.state();
        if state.failed.len() >= FAILED_MAX || !self.seeds.contains(&state.next) {
            return None;
        }
        state.next += 1;
        Some(state.next - 1)
    }

    fn finish(&self, seed: u64, tried: Trial) {
        let mut state = self.state();
        let counts = tried.unwrap_or_else(|broken| {
            let failed =
                format!("seed {seed}, {:?}: {}\n  again: {}", broken.how, broken.report, self.again(seed));
            say(&format!("{}: {failed}\n", self.campaign.name));
            state.failed.push(failed);
            Counts::from([(broken.how.name().to_owned(), 1)])
        });
        add(&mut state.all, &counts);
        state.waiting.insert(seed, counts);
        while let Some((seed, counts)) = state.next_done() {
            state.part.seeds.end = seed + 1;
            add(&mut state.part.counts, &counts);
        }
    }

    fn again(&self, seed: u64) -> String {
        format!("tests/campaigns.py run {}={} --from {seed}", self.campaign.name, self.campaign.per_seed)
    }

    /// Past the test harness, which holds back what tests print.
    fn tell(&self) {
        let (state, Campaign { name, unit, per_seed }) = (self.state(), self.campaign);
        let done = state.all.get(*unit).copied().unwrap_or_default();
        let all = (self.seeds.end - self.seeds.start) * per_seed;
        let rate = done as f64 / self.began.elapsed().as_secs_f64();
        let met: Vec<_> = state
            .all
            .iter()
            .filter(|(what, _)| what != unit)
            .map(|(what, n)| format!(", {what} {n}"))
            .collect();
        say(&format!(
            "{name}: {done} of {all} {unit}, {rate:.1}/s, next seed {}{}\n",
            state.next,
            met.concat()
        ));
    }

    /// Adds a line to the ledger, and begins the next.
    fn keep(&self) {
        let mut state = self.state();
        let begins = Part {
            seeds: state.part.seeds.end..state.part.seeds.end,
            counts: Counts::new(),
            began: Instant::now(),
        };
        let part = std::mem::replace(&mut state.part, begins);
        let Some(ledger) = std::env::var_os("INTELGRAPH_SIM_LEDGER").filter(|_| !part.seeds.is_empty())
        else {
            return;
        };
        let line = json!({
            "campaign": self.campaign.name, "unit": self.campaign.unit,
            "commit": std::env::var("INTELGRAPH_SIM_COMMIT").unwrap_or_default(),
            "from": part.seeds.start, "to": part.seeds.end, "counts": part.counts,
            "seconds": part.began.elapsed().as_secs_f64(),
        });
        let written = OpenOptions::new().create(true).append(true).open(&ledger);
        let written = written.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
        written.unwrap_or_else(|error| panic!("{}: {error}", ledger.display()));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next_done(&mut self) -> Option<(u64, Counts)> {
        let entry = self.waiting.first_entry()?;
        (*entry.key() == self.part.seeds.end).then(|| entry.remove_entry())
    }
}

impl Broken {
    fn by(panic: &(dyn Any + Send)) -> Broken {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked");
        Broken { how: How::Failed, report: text.to_owned() }
    }
}

impl How {
    fn name(self) -> &'static str {
        match self {
            How::Lost => "lost",
            How::SilentlyWrong => "silently_wrong",
            How::Failed => "failed",
        }
    }
}

/// Some counts, by their names.
pub(crate) fn counts<const N: usize>(counts: [(&str, u64); N]) -> Counts {
    counts.map(|(what, n)| (what.to_owned(), n)).into()
}

fn add(to: &mut Counts, more: &Counts) {
    more.iter().for_each(|(what, n)| *to.entry(what.clone()).or_default() += n);
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}: not a number")))
}

fn say(line: &str) {
    std::io::stderr().write_all(line.as_bytes()).expect("stderr is open");
}
