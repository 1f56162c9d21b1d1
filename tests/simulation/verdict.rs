//! What is demanded of a store after a failure, whatever the failure was.

use std::fmt;

use storage::{Error, Store};

use crate::campaign::{Broken, How};
use crate::disk::{Cut, Disk};
use crate::followers;
use crate::seed::Seeded;
use crate::workload::{Workload, open};

/// Followers are brought through one cut in so many: building them takes longer than all the rest.
const FOLLOWED_ONE_IN: usize = 40;

/// A broken promise.
#[derive(Clone, Debug, PartialEq)]
pub enum Violation {
    AcknowledgedBatchLost {
        acknowledged: usize,
        held: usize,
    },
    /// Half a batch, or none that was ever written.
    NoSuchState {
        acknowledged: usize,
        found: String,
    },
    DidNotOpen(String),
    Unreadable(String),
    WrongAnswer(String),
    /// A sound store did not take a batch.
    Refused(String),
    Problems(Vec<String>),
    /// A follower holds something else than one that is built from the log.
    FollowerDiffers(String),
    /// The store went on as if nothing had happened.
    FailureIgnored(String),
}

impl Violation {
    pub fn unreadable(error: Error) -> Violation {
        Violation::Unreadable(error.to_string())
    }

    /// What a campaign is told: which promise, and at which trial.
    pub fn broken(&self, trial: &dyn fmt::Debug) -> Broken {
        let how = match self {
            Violation::AcknowledgedBatchLost { .. } | Violation::NoSuchState { .. } => How::Lost,
            Violation::WrongAnswer(_) | Violation::FollowerDiffers(_) | Violation::FailureIgnored(_) => {
                How::SilentlyWrong
            }
            _ => How::Failed,
        };
        Broken { how, report: format!("{self}\n  {trial:?}") }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Violation::AcknowledgedBatchLost { acknowledged, held } => {
                write!(f, "acknowledged batch lost: {acknowledged} were acknowledged, {held} are there")
            }
            Violation::NoSuchState { acknowledged, found } => {
                let found: String = found.chars().take(2000).collect();
                write!(f, "half a batch: {acknowledged} were acknowledged, found {found}")
            }
            Violation::DidNotOpen(error) => write!(f, "the store did not open: {error}"),
            Violation::Unreadable(error) => write!(f, "the store cannot be read: {error}"),
            Violation::WrongAnswer(answers) => write!(f, "wrong answers: {answers}"),
            Violation::Refused(error) => write!(f, "a batch was refused: {error}"),
            Violation::Problems(problems) => write!(f, "verification found {problems:?}"),
            Violation::FollowerDiffers(which) => {
                write!(f, "a follower differs from its rebuild: {which}")
            }
            Violation::FailureIgnored(what) => write!(f, "a failure was ignored: {what}"),
        }
    }
}

/// Judges what a power cut left of a disk; one recovery in four is cut off as well.
pub fn judge(
    workload: &Workload,
    mut disk: Disk,
    acknowledged: usize,
    seeded: &mut Seeded,
) -> Result<(), Violation> {
    let checked = seeded.one_in(2);
    disk.check_when_opened(checked);
    if seeded.one_in(4) {
        drop(open(&disk)?);
        let cut = Cut::draw(seeded, disk.operations());
        disk = Disk::of(disk.after(cut));
        disk.check_when_opened(checked);
    }
    let store = open(&disk)?;
    let held = workload.held_by(&store, acknowledged)?;
    is_sound(&store)?;
    if seeded.one_in(FOLLOWED_ONE_IN) {
        followers::equal_their_rebuilds(workload, acknowledged, &store, seeded)?;
    }
    if held < workload.len() {
        workload.write_again(&store, held)?.map_err(|error| Violation::Refused(error.to_string()))?;
        drop(store);
        workload.held_by(&open(&disk)?, held + 1)?;
    }
    Ok(())
}

/// The store keeps every promise about itself, and so does every page that it lies on.
pub fn is_sound(store: &Store) -> Result<(), Violation> {
    let view = store.view().map_err(Violation::unreadable)?;
    let report = view.verify(&mut |_| ()).map_err(Violation::unreadable)?;
    if !report.problems.is_empty() {
        return Err(Violation::Problems(report.problems));
    }
    store.check_pages(Box::new(|_| Ok(()))).map_err(Violation::unreadable)
}
