//! A disk with the files of a store, that remembers every operation, loses power, fails on command, and may lie about a sync.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use storage::EngineFile;

use crate::seed::Seeded;

/// The bytes of each file: the database's, and the journal's.
pub(crate) type Files = [Vec<u8>; 2];

/// What a power cut cannot split.
const SECTOR_BYTES: usize = 512;

/// A disk that outlives the stores opened on it, one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The bytes as readers see them: every operation so far.
    files: Files,
    /// The bytes before the first operation of the log.
    base: Files,
    log: Vec<Op>,
    /// Whether who opens it looks at every page first.
    checked: bool,
    /// A planted bug: syncs are answered and do nothing.
    lies: bool,
    fault: Option<Fault>,
    has_failed: bool,
    /// Backends so far, and the newest that changed anything in a file: those before it belong to processes that are dead.
    made: u64,
    changed_by: [u64; 2],
}

/// An operation that reached the disk.
#[derive(Clone, Debug, Hash)]
struct Op {
    file: EngineFile,
    does: Does,
}

#[derive(Clone, Debug, Hash)]
enum Does {
    Write(usize, Vec<u8>),
    SetLen(usize),
    Sync,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Read,
    Write,
    SetLen,
    Sync,
}

/// A failure on command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) call: Call,
    /// How many more calls of that kind succeed.
    pub(crate) after: usize,
    /// Whether every call behind it fails too, until the fault is lifted.
    pub(crate) lasts: bool,
    pub(crate) error: io::ErrorKind,
    /// What becomes of writes that were not synced, when a sync fails,
    pub(crate) seed: u64,
    /// and whether the system goes on to show them all, from its memory.
    pub(crate) still_shown: bool,
}

/// How a power cut treats what was not synced.
#[derive(Clone, Copy, Debug, Hash)]
pub(crate) struct Cut {
    /// The operation in front of which power is lost.
    pub(crate) at: usize,
    /// Probability that a write is kept, in thousandths.
    pub(crate) keep: u32,
    /// Whether writes that are kept lose some of their sectors.
    pub(crate) tear: bool,
    /// Decides which ones.
    pub(crate) seed: u64,
}

impl Disk {
    pub(crate) fn of(files: Files) -> Disk {
        let state = State { base: files.clone(), files, ..State::default() };
        Disk(Arc::new(Mutex::new(state)))
    }

    /// A backend on a file; those made before are cut off when it changes something.
    pub(crate) fn backend(&self, file: EngineFile) -> Box<dyn storage::Backend> {
        let mut state = self.state();
        state.made += 1;
        Box::new(Backend { disk: self.clone(), file, number: state.made })
    }

    pub(crate) fn files(&self) -> Files {
        self.state().files.clone()
    }

    /// The number of operations so far.
    pub(crate) fn operations(&self) -> usize {
        self.state().log.len()
    }

    /// Has every page looked at before a store begins with it, or none.
    pub(crate) fn check_when_opened(&self, checked: bool) {
        self.state().checked = checked;
    }

    pub(crate) fn is_checked(&self) -> bool {
        self.state().checked
    }

    pub(crate) fn lie_about_syncs(&self) {
        self.state().lies = true;
    }

    pub(crate) fn set_fault(&self, fault: Option<Fault>) {
        let mut state = self.state();
        state.fault = fault;
        state.has_failed = false;
    }

    /// Whether the fault has struck.
    pub(crate) fn has_failed(&self) -> bool {
        self.state().has_failed
    }

    /// The bytes that are left after a power cut.
    pub(crate) fn after(&self, cut: Cut) -> Files {
        self.state().after(cut)
    }

    /// A digest of every operation: two runs of one seed have the same.
    pub(crate) fn trace(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.state().log.hash(&mut hasher);
        hasher.finish()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cut {
    /// A cut at random among `operations`.
    pub(crate) fn draw(seeded: &mut Seeded, operations: usize) -> Cut {
        let keep = match seeded.below(4) {
            0 => 0,
            1 => 500,
            2 => 1000,
            _ => seeded.below(1001) as u32,
        };
        Cut { at: seeded.below(operations + 1), keep, tear: seeded.one_in(3), seed: seeded.next() }
    }
}

impl State {
    /// In each file everything up to the last completed sync, and of the rest what chance keeps.
    fn after(&self, cut: Cut) -> Files {
        let synced = |file| {
            let is_sync = |op: &Op| op.file == file && matches!(op.does, Does::Sync);
            self.log[..cut.at].iter().rposition(is_sync).unwrap_or(0)
        };
        let synced = [synced(EngineFile::Database), synced(EngineFile::Journal)];
        let (mut files, mut seeded) = (self.base.clone(), Seeded::new(cut.seed, 1));
        // The operation in flight may have reached the disk as well.
        for (at, op) in self.log[..(cut.at + 1).min(self.log.len())].iter().enumerate() {
            if at < synced[op.file as usize] {
                op.apply(&mut files);
            } else if seeded.chance(cut.keep) {
                op.apply_in_part(&mut files, cut.tear.then_some(&mut seeded));
            }
        }
        files
    }

    fn strikes(&mut self, call: Call) -> io::Result<()> {
        let Some(fault) = self.fault.as_mut().filter(|fault| fault.call == call) else {
            return Ok(());
        };
        if fault.after > 0 {
            fault.after -= 1;
            return Ok(());
        }
        if self.has_failed && !fault.lasts {
            return Ok(());
        }
        self.has_failed = true;
        Err(fault.error.into())
    }

    fn carry_out(&mut self, op: Op) {
        op.apply(&mut self.files);
        self.log.push(op);
    }

    /// A failed sync leaves some of the writes behind it, and the system forgets that they are missing.
    fn lose_unsynced(&mut self, file: EngineFile) {
        let (seed, still_shown) = self.fault.map_or((0, false), |fault| (fault.seed, fault.still_shown));
        let mut seeded = Seeded::new(seed, 2);
        let cut = Cut { at: self.log.len(), ..Cut::draw(&mut seeded, 0) };
        let mut left = std::mem::take(&mut self.after(cut)[file as usize]);
        if still_shown {
            // Data are forgotten, lengths are not: a file system has a journal of its own for these.
            left.resize(self.files[file as usize].len(), 0);
        }
        if !still_shown {
            self.files[file as usize].clone_from(&left);
        }
        self.base[file as usize] = left;
        // Of the other file nothing was lost, and what is on the disk of it is still to be seen.
        self.log.retain(|op| op.file != file);
    }
}

impl Op {
    fn apply(&self, files: &mut Files) {
        self.apply_in_part(files, None);
    }

    /// What lies beyond the end has nowhere to go: the growth that made room for it was lost.
    fn apply_in_part(&self, files: &mut Files, mut torn: Option<&mut Seeded>) {
        let bytes = &mut files[self.file as usize];
        match &self.does {
            Does::Sync => {}
            Does::SetLen(len) => bytes.resize(*len, 0),
            Does::Write(offset, data) => {
                for (place, sector) in data.chunks(SECTOR_BYTES).enumerate() {
                    let from = offset + place * SECTOR_BYTES;
                    let kept = torn.as_mut().is_none_or(|seeded| seeded.chance(500));
                    let room = bytes.len().saturating_sub(from).min(sector.len());
                    if kept && room > 0 {
                        bytes[from..from + room].copy_from_slice(&sector[..room]);
                    }
                }
            }
        }
    }
}

/// What an engine holds of a file while a store is open.
#[derive(Debug)]
struct Backend {
    disk: Disk,
    file: EngineFile,
    number: u64,
}

impl Backend {
    fn reach(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.state();
        match state.changed_by[self.file as usize] <= self.number {
            true => Ok(state),
            false => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn reach_to_change(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.reach()?;
        state.changed_by[self.file as usize] = self.number;
        Ok(state)
    }

    fn carry_out(&self, state: &mut State, does: Does) {
        state.carry_out(Op { file: self.file, does });
    }
}

impl storage::Backend for Backend {
    fn len(&self) -> io::Result<u64> {
        Ok(self.reach()?.files[self.file as usize].len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.reach()?;
        state.strikes(Call::Read)?;
        let found = state.files[self.file as usize].get(offset as usize..offset as usize + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.reach_to_change()?;
        state.strikes(Call::SetLen)?;
        self.carry_out(&mut state, Does::SetLen(len as usize));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.reach_to_change()?;
        if let Err(error) = state.strikes(Call::Sync) {
            state.lose_unsynced(self.file);
            return Err(error);
        }
        if !state.lies {
            self.carry_out(&mut state, Does::Sync);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.reach_to_change()?;
        state.strikes(Call::Write)?;
        self.carry_out(&mut state, Does::Write(offset as usize, data.to_vec()));
        Ok(())
    }
}
