//! A node's life, drawn from a seed: batches of commands with what the reference model makes of them.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use storage::commands::Command;
use storage::{EngineOptions, Options, Result, Stamp, Store};

use crate::disk::Disk;
use crate::observe::observe;
use crate::orders::{batches, clock_step_us};
use crate::reference::{Answer, Model, answer_of};
use crate::seed::Seeded;
use crate::verdict::Violation;

/// A few batches: then the database takes them in, and the journal begins again at its front.
const JOURNAL_BYTES_MAX: u64 = 32 << 10;

pub struct Workload {
    batches: Vec<Batch>,
    /// The state before the first batch, and after each.
    models: Vec<Model>,
}

struct Batch {
    commands: Vec<Command>,
    answers: Vec<Answer>,
    stamp: Stamp,
    /// Whether the database takes in what the journal has behind it,
    takes_in: bool,
    /// and whether the store is closed and opened again.
    reopen: bool,
}

impl Workload {
    pub fn draw(seed: u64) -> Workload {
        let mut seeded = Seeded::new(seed, 3);
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seeded.bytes::<32>());
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let mut draw_step = || draw(&clock_step_us(), &mut runner);
        let steps: Vec<i64> = (0..=25).map(|_| draw_step()).collect();
        let (mut models, mut drawn, mut time_us) =
            (vec![Model::default()], Vec::new(), 1_700_000_000_000_000);
        for (orders, step) in draw(&batches(12..=24), &mut runner).iter().zip(steps) {
            time_us += step;
            let mut model = models[models.len() - 1].clone();
            let (mut commands, mut answers) = (Vec::new(), Vec::new());
            for order in orders {
                for command in order.commands(&model, time_us) {
                    answers.push(model.execute(&command, time_us));
                    commands.push(command);
                }
            }
            let stamp = Stamp { time_us, seed: seeded.bytes() };
            let (takes_in, reopen) = (seeded.one_in(4), seeded.one_in(8));
            drawn.push(Batch { commands, answers, stamp, takes_in, reopen });
            models.push(model);
        }
        Workload { batches: drawn, models }
    }

    /// How many batches there are.
    pub fn len(&self) -> usize {
        self.batches.len()
    }

    /// Writes every batch, and gives for each the number of disk operations when it was acknowledged.
    pub fn run(&self, disk: &Disk) -> Result<Vec<usize>, Violation> {
        let mut store = open(disk)?;
        let mut acknowledged = Vec::new();
        for done in 0..self.len() {
            self.write(&store, done)?;
            acknowledged.push(disk.operations());
            if self.batches[done].takes_in {
                store.take_in().map_err(|error| Violation::Refused(error.to_string()))?;
            }
            if self.batches[done].reopen {
                drop(store);
                store = open(disk)?;
            }
        }
        drop(store);
        Ok(acknowledged)
    }

    /// Writes the batch that follows after `done` others.
    pub fn write(&self, store: &Store, done: usize) -> Result<(), Violation> {
        let written = self.try_write(store, done)?;
        written.map_err(|error| Violation::Refused(error.to_string()))
    }

    /// The same where the store may fail; what it answers, it must answer right.
    pub fn try_write(&self, store: &Store, done: usize) -> Result<Result<()>, Violation> {
        let batch = &self.batches[done];
        let committed = match store.write(&batch.commands, batch.stamp) {
            Ok(committed) => committed,
            Err(error) => return Ok(Err(error)),
        };
        let answers = batch.commands.iter().zip(committed.answers);
        let answers: Vec<Answer> = answers.map(|(command, answer)| answer_of(command, answer)).collect();
        if answers == batch.answers {
            Ok(Ok(()))
        } else {
            Err(Violation::WrongAnswer(format!("{answers:?}, not {:?}", batch.answers)))
        }
    }

    /// The batch that follows after `done` others, behind a failure: it may be there already. Where that cannot be seen, since it
    /// changes nothing but what is known of events, its answers may be either.
    pub fn write_again(&self, store: &Store, done: usize) -> Result<Result<()>, Violation> {
        match self.try_write(store, done) {
            Err(Violation::WrongAnswer(_)) if self.models[done] == self.models[done + 1] => Ok(Ok(())),
            written => written,
        }
    }

    /// Whether the batch behind `done` others asks for a reopening.
    pub fn reopens(&self, done: usize) -> bool {
        self.batches[done].reopen
    }

    /// Whether a state is the one after the last batch.
    pub fn is_last_state(&self, found: &Model) -> bool {
        self.models.last() == Some(found)
    }

    /// The number of batches that the store holds: all that were acknowledged and, at most, the one
    /// that was in flight; never a part of one.
    pub fn held_by(&self, store: &Store, acknowledged: usize) -> Result<usize, Violation> {
        let found = observe(&store.view().map_err(Violation::unreadable)?).map_err(Violation::unreadable)?;
        let allowed = acknowledged..=(acknowledged + 1).min(self.len());
        if let Some(held) = allowed.clone().find(|held| self.models[*held] == found) {
            return Ok(held);
        }
        Err(match self.models.iter().position(|model| *model == found) {
            Some(held) if held < acknowledged => Violation::AcknowledgedBatchLost { acknowledged, held },
            _ => Violation::NoSuchState { acknowledged, found: format!("{found:?}") },
        })
    }
}

/// Opens a store as a process does that has just started.
pub fn open(disk: &Disk) -> Result<Store, Violation> {
    try_open(disk).map_err(|error| Violation::DidNotOpen(error.to_string()))
}

/// A store without a disk.
pub fn in_memory() -> Result<Store, Violation> {
    opened(EngineOptions::Memory).map_err(Violation::unreadable)
}

/// Opens a store on a disk, and leaves it to the caller what that may come to.
pub fn try_open(disk: &Disk) -> Result<Store> {
    let (disk, checked) = (disk.clone(), disk.is_checked());
    let make = Box::new(move |file| disk.backend(file));
    opened(EngineOptions::Backend { make, checked, journal_bytes_max: JOURNAL_BYTES_MAX })
}

fn opened(engine: EngineOptions) -> Result<Store> {
    let new_node_id = "00112233aabbccdd".to_owned();
    Store::open(Options { engine, space: None, new_node_id })
}

/// A disk with a new store on it. A node puts its first file in place whole, so no cut falls in there.
pub fn new_disk() -> Result<Disk, Violation> {
    let disk = Disk::default();
    drop(open(&disk)?);
    Ok(Disk::of(disk.files()))
}

fn draw<S: Strategy>(strategy: &S, runner: &mut TestRunner) -> S::Value {
    strategy.new_tree(runner).expect("the strategies reject nothing").current()
}
