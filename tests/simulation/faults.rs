//! Disks that fail on command: errors on reading, writing, growing and syncing, and full ones.

use std::io::ErrorKind;

use storage::{Error, Store};

use crate::campaign::{Campaign, counts};
use crate::disk::{Call, Cut, Disk, Fault};
use crate::seed::Seeded;
use crate::verdict::{Violation, is_sound};
use crate::workload::{Workload, new_disk, open, try_open};

const DISKS: Campaign = Campaign { name: "disks", unit: "faults", per_seed: 1 };
/// Faults in a plain test run.
const COUNT: u64 = 400;

/// The store says so, takes nothing more, and holds everything it acknowledged once it is reopened.
#[test]
fn a_failing_disk_stops_the_store_until_it_is_reopened() {
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    let met = DISKS.run(0, COUNT, cores, &|seed| {
        let fault = draw_fault(&mut Seeded::new(seed, 5));
        let how = survive(seed, fault).map_err(|violation| violation.broken(&fault))?;
        Ok(counts([("faults", 1), (&format!("{:?} {how}", fault.call), 1)]))
    });
    let hit = |call: &str| met.keys().any(|key| key.starts_with(call) && !key.ends_with("missed"));
    assert!(["Read", "Write", "SetLen", "Sync"].iter().all(|call| hit(call)), "{met:?}");
}

fn draw_fault(seeded: &mut Seeded) -> Fault {
    let (call, calls) = match seeded.below(5) {
        0 => (Call::Read, 120),
        1 | 2 => (Call::Write, 250),
        3 => (Call::SetLen, 4),
        _ => (Call::Sync, 50),
    };
    let full = matches!(call, Call::Write | Call::SetLen) && seeded.one_in(2);
    Fault {
        call,
        after: seeded.below(calls),
        lasts: seeded.one_in(2),
        error: if full { ErrorKind::StorageFull } else { ErrorKind::Other },
        seed: seeded.next(),
        still_shown: seeded.one_in(2),
    }
}

/// Lives through a workload with a fault in it, and says where the fault struck.
fn survive(seed: u64, fault: Fault) -> Result<&'static str, Violation> {
    let workload = Workload::draw(seed);
    let disk = new_disk()?;
    disk.check_when_opened(seed.is_multiple_of(2));
    let mut store = open(&disk)?;
    disk.set_fault(Some(fault));
    let (mut done, mut how) = (0, "missed");
    while done < workload.len() {
        let had_failed = disk.has_failed();
        let written = match how {
            "in a batch" => workload.write_again(&store, done),
            _ => workload.try_write(&store, done),
        };
        match written? {
            Ok(()) if disk.has_failed() && !had_failed && how == "missed" => {
                return Err(Violation::FailureIgnored("a batch was acknowledged over it".to_owned()));
            }
            Ok(()) => done += 1,
            Err(error) => {
                how = "in a batch";
                recover(&disk, &store, &error)?;
                done = workload.held_by(&store, done)?;
                // First: to look at pages makes everything durable.
                is_kept(&workload, &disk, done)?;
                is_sound(&store)?;
            }
        }
        if done < workload.len() && workload.reopens(done) {
            drop(store);
            store = match try_open(&disk) {
                Ok(store) => store,
                Err(_) if disk.has_failed() => {
                    how = "opening";
                    disk.set_fault(None);
                    open(&disk)?
                }
                Err(error) => return Err(Violation::DidNotOpen(error.to_string())),
            };
        }
    }
    // A fault that has not struck yet would strike whoever reads everything.
    disk.set_fault(None);
    if workload.held_by(&store, done)? != done {
        return Err(Violation::FailureIgnored("the last batch is not there".to_owned()));
    }
    is_sound(&store)?;
    Ok(how)
}

/// What the store shows once it is open again is on the disk, and not in the system's memory alone.
fn is_kept(workload: &Workload, disk: &Disk, shown: usize) -> Result<(), Violation> {
    let cut = Cut { at: disk.operations(), keep: 0, tear: false, seed: 0 };
    match workload.held_by(&open(&Disk::of(disk.after(cut)))?, shown)? {
        held if held == shown => Ok(()),
        held => Err(Violation::AcknowledgedBatchLost { acknowledged: shown, held }),
    }
}

/// After an error the store refuses to write, says why, and comes back once the disk does.
fn recover(disk: &Disk, store: &Store, error: &Error) -> Result<(), Violation> {
    if !disk.has_failed() {
        return Err(Violation::Refused(error.to_string()));
    }
    if store.failure().is_none() {
        return Err(Violation::FailureIgnored(format!("`{error}` did not stop the store")));
    }
    if !matches!(store.view(), Err(Error::Poisoned { .. })) {
        return Err(Violation::FailureIgnored("a stopped store gave a view".to_owned()));
    }
    // While the disk still fails, reopening may too: it must say so, and may be tried again.
    if store.reopen().is_err() {
        disk.set_fault(None);
        store.reopen().map_err(|error| Violation::DidNotOpen(error.to_string()))?;
    }
    disk.set_fault(None);
    match store.failure() {
        None => Ok(()),
        Some(cause) => Err(Violation::DidNotOpen(cause)),
    }
}
