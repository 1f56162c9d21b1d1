//! The store: opened once, written by one thread, read through views.

mod redacting;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use prost::Message;

use crate::batch::{Batch, Stamp};
use crate::changes;
use crate::commands::{Applied, Command, execute};
use crate::engine::{Engine, EngineOptions, Pace, Pages, Snapshot};
use crate::erasing::ErasureKey;
use crate::error::{Error, Result};
use crate::ids::{CommitNo, Lsn, TenantId};
use crate::rows::NodeRow;
use crate::space::{Gate, Haste};
use crate::tables::Table;
use crate::tx::{Changes, Overlay, Read, Tx};
use crate::view::{Revocable, View};

/// The newest format of stored data that this program knows. With 2 came the journal, which a program that knows
/// of none would leave unread; nothing else is different.
pub const FORMAT: u32 = 2;

/// How a store is opened.
#[derive(Debug)]
pub struct Options {
    /// Where its bytes are.
    pub engine: EngineOptions,
    /// The directory whose disk must keep room for writes; `None` asks for none.
    pub space: Option<PathBuf>,
    /// The name of a node that begins with this opening: 16 hex digits. Empty: nothing begins, an
    /// empty store is damage.
    pub new_node_id: String,
}

/// The ground state of a node.
#[derive(Debug)]
pub struct Store {
    options: Options,
    key: ErasureKey,
    gate: Option<Gate>,
    engine: RwLock<State>,
    writing: Mutex<()>,
    views: Mutex<Vec<Weak<Revocable>>>,
    /// The last commit as a view, if anybody asked for it: readers between two commits share it.
    latest: Mutex<Option<View>>,
}

/// A batch that is durable.
#[derive(Debug)]
pub struct Committed {
    /// What each command did, or why it was refused; in the order of the commands.
    pub answers: Vec<Result<Applied>>,
    /// The last position of every tenant that the batch touched.
    pub heads: Vec<(TenantId, Lsn)>,
    /// The commit; the one before it if nothing changed.
    pub commit: CommitNo,
}

enum State {
    Open(Engine),
    /// A commit failed: nothing is trusted until the engine is opened anew.
    Poisoned(String),
    Closed,
}

impl Store {
    /// Opens a store, and makes it if there is none.
    ///
    /// # Errors
    /// `NewerFormat` if a newer program wrote it, `Corrupt` if it cannot be read, `Io` if the disk fails.
    pub fn open(options: Options) -> Result<Store> {
        let engine = began(Engine::begin(&options.engine)?, &options)?;
        Ok(Store {
            gate: options.space.clone().map(Gate::new),
            options,
            key: ErasureKey::default(),
            engine: RwLock::new(State::Open(engine)),
            writing: Mutex::default(),
            views: Mutex::default(),
            latest: Mutex::default(),
        })
    }

    /// The store with the key under which it knows what was redacted. It must have the same one for ever.
    #[must_use]
    pub fn with_erasure_key(self, key: ErasureKey) -> Store {
        Store { key, ..self }
    }

    /// Carries out commands, in order, as one durable commit: on return they survive a power cut.
    ///
    /// A refused command leaves no trace; the others are committed. If nothing changes, nothing is
    /// committed: what the answers rest on is durable already.
    ///
    /// On a disk that is nearly full only what cannot wait is carried out ([`Command::is_urgent`]), and the rest of
    /// the commands answered with `NoSpace`.
    ///
    /// # Errors
    /// `NoSpace` before the disk is full, with nothing written. Any other error means that none of the
    /// commands may be acknowledged; if it came from the commit itself the store is poisoned.
    pub fn write(&self, commands: &[Command], stamp: Stamp) -> Result<Committed> {
        let _one_writer = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<&Command> = commands.iter().collect();
        match self.write_batch(&all, stamp, Haste::CanWait) {
            Err(full @ Error::NoSpace { .. }) if commands.iter().any(Command::is_urgent) => {
                self.write_urgent(commands, stamp, &full)
            }
            written => written,
        }
    }

    /// Carries out what cannot wait; the rest is answered with what stands in its way.
    fn write_urgent(&self, commands: &[Command], stamp: Stamp, full: &Error) -> Result<Committed> {
        let urgent: Vec<&Command> = commands.iter().filter(|command| command.is_urgent()).collect();
        let mut written = self.write_batch(&urgent, stamp, Haste::CannotWait)?;
        let mut done = written.answers.into_iter();
        let answer = |command: &Command| match command.is_urgent() {
            true => done.next().expect("an answer for each command"),
            false => Err(full.clone()),
        };
        written.answers = commands.iter().map(answer).collect();
        Ok(written)
    }

    fn write_batch(&self, commands: &[&Command], stamp: Stamp, haste: Haste) -> Result<Committed> {
        let base = self.snapshot()?;
        let mut batch = Batch::new(&base, stamp, self.key.clone())?;
        let answers = execute_all(&mut batch, commands)?;
        let (heads, commit) = (batch.heads(), batch.next_commit());
        let Some(changes) = batch.finish()? else {
            return Ok(Committed { answers, heads, commit: CommitNo(commit.0 - 1) });
        };
        self.keep_space(&changes, haste)?;
        self.commit(|engine| engine.commit(changes))?;
        Ok(Committed { answers, heads, commit })
    }

    /// An unchanging picture of the last commit.
    ///
    /// # Errors
    /// `Poisoned` after a failed commit, until [`Store::reopen`].
    pub fn view(&self) -> Result<View> {
        self.with_engine(|engine| {
            // Held while the snapshot is taken: a commit that ends meanwhile waits to forget it.
            let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(view) = &*latest {
                return Ok(view.clone());
            }
            let revocable = Revocable::new(engine.snapshot()?);
            // Noted while the engine is held: no reopening may pass between the two.
            let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
            views.retain(|view| view.strong_count() > 0);
            views.push(Arc::downgrade(&revocable));
            Ok(latest.insert(View::new(revocable)).clone())
        })
    }

    /// Whether the database should be had to take in what the journal has ([`Store::take_in`]): half of the journal is full, and there
    /// is room on the disk for that.
    #[must_use]
    pub fn is_filling(&self) -> bool {
        let is_filling = self.with_engine(|engine| Ok(engine.is_filling().then(|| engine.settling_bytes())));
        match (is_filling, &self.gate) {
            (Ok(Some(bytes)), Some(gate)) => gate.free_bytes().is_ok_and(|free| free >= bytes),
            (Ok(Some(_)), None) => true,
            _ => false,
        }
    }

    /// Has the database take in what was committed so far. Others go on to read and to write; who fills the journal has so much less to
    /// wait for. Nothing is more durable by it than it was.
    ///
    /// # Errors
    /// As for a failed commit: the store refuses everything until [`Store::reopen`].
    pub fn take_in(&self) -> Result<()> {
        // No writer is kept away, so by the end of a failure the store may be open again: the engine knows of it by itself.
        let taken = self.with_engine(Engine::take_in);
        self.forget_latest();
        taken
    }

    /// Has the database take in everything, and begins the journal again. Writers wait.
    ///
    /// # Errors
    /// As for a failed commit: the store is poisoned.
    pub fn settle(&self) -> Result<()> {
        let _one_writer = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.commit(Engine::settle)
    }

    /// Holds every page of the database against the checksum that the engine has of it. That shows pages that are older
    /// versions of themselves, of which no row tells. Others go on to read and to write; writers wait only while the database
    /// takes in what the journal has, and while the engine's own tables are looked at, a few pages for each GiB. `pace` hears of the bytes read, and may end it.
    ///
    /// # Errors
    /// `Corrupt` with the place of the first page that is not what it was; `Poisoned` if the store was opened anew
    /// meanwhile; `Io`, and what `pace` returns.
    pub fn check_pages(&self, pace: Pace) -> Result<()> {
        let writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.commit(Engine::settle)?;
        // Whoever has a view keeps its pages.
        let view = self.view()?;
        let Some(pages) = Pages::begin(&self.options.engine)? else { return Ok(()) };
        pages.check_system()?;
        drop(writing);
        let checked = pages.check_rows(pace);
        view.node()?;
        checked
    }

    /// Why the store refuses, if it does.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        match &*self.engine.read().unwrap_or_else(PoisonError::into_inner) {
            State::Open(engine) => engine.broken().map(str::to_owned),
            State::Poisoned(cause) => Some(cause.clone()),
            State::Closed => Some("closed".to_owned()),
        }
    }

    /// Closes the engine and opens it anew, after a failure. Every view ends.
    ///
    /// # Errors
    /// As for [`Store::open`]; the store stays closed then, and this may be tried again.
    pub fn reopen(&self) -> Result<()> {
        let _no_writer = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.engine.write().unwrap_or_else(PoisonError::into_inner);
        self.revoke_views();
        *state = State::Closed;
        *state = State::Open(began(Engine::open(&self.options.engine)?, &self.options)?);
        Ok(())
    }

    fn snapshot(&self) -> Result<Snapshot> {
        self.with_engine(Engine::snapshot)
    }

    /// The one place where anything becomes durable.
    fn commit(&self, act: impl FnOnce(&Engine) -> Result<()>) -> Result<()> {
        let committed = self.with_engine(act);
        self.forget_latest();
        committed.inspect_err(|error| self.poison(error))
    }

    fn forget_latest(&self) {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn with_engine<T>(&self, act: impl FnOnce(&Engine) -> Result<T>) -> Result<T> {
        match &*self.engine.read().unwrap_or_else(PoisonError::into_inner) {
            State::Open(engine) => match engine.broken() {
                None => act(engine),
                Some(cause) => Err(poisoned(cause)),
            },
            State::Poisoned(cause) => Err(poisoned(cause)),
            State::Closed => Err(poisoned("the store is closed")),
        }
    }

    /// After a failed commit nobody knows what the disk holds; a failed sync must never be retried.
    fn poison(&self, error: &Error) {
        let mut state = self.engine.write().unwrap_or_else(PoisonError::into_inner);
        *state = match std::mem::replace(&mut *state, State::Closed) {
            State::Open(_) => State::Poisoned(error.to_string()),
            other => other,
        };
    }

    fn keep_space(&self, changes: &[Changes], haste: Haste) -> Result<()> {
        let Some(gate) = &self.gate else {
            return Ok(());
        };
        let sizes =
            changes.iter().flatten().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len));
        // What the database still has to take in needs room, too. What cannot wait does not wait for that: there is room in the journal.
        let settling_bytes = self.with_engine(|engine| Ok(engine.settling_bytes()))?;
        let mut free = gate.free_bytes()?;
        if haste == Haste::CanWait && settling_bytes > 0 && Gate::is_tight(free, settling_bytes) {
            gate.check_settling(free, settling_bytes)?;
            self.commit(Engine::settle)?;
            free = gate.free_bytes()?;
        }
        gate.check(free, sizes.sum::<usize>() as u64, haste)
    }

    fn revoke_views(&self) {
        self.forget_latest();
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        for view in views.drain(..).filter_map(|view| view.upgrade()) {
            view.revoke();
        }
    }
}

/// A refusal is an answer; a failing disk ends the whole batch, since a plan may be half applied.
fn execute_all(batch: &mut Batch<'_>, commands: &[&Command]) -> Result<Vec<Result<Applied>>> {
    let mut answers = Vec::with_capacity(commands.len());
    for command in commands {
        match execute(batch, command) {
            Err(error) if !error.is_refusal() => return Err(error),
            answer => answers.push(answer),
        }
    }
    Ok(answers)
}

fn poisoned(cause: &str) -> Error {
    Error::Poisoned { cause: cause.to_owned() }
}

/// Writes the first row of a new store, or sees that the one there is not of a newer program.
fn began(engine: Engine, options: &Options) -> Result<Engine> {
    let snapshot = engine.snapshot()?;
    match snapshot.get(Table::Node, &[])? {
        Some(row) => {
            let node = checked_format(&row)?;
            if node.named_from != 0 || node.format != FORMAT {
                engine.commit(of_this_format(&snapshot, node)?)?;
            }
        }
        None => {
            check_empty(&snapshot, options)?;
            engine.commit(first_commit(&snapshot, options))?;
        }
    }
    Ok(engine)
}

/// A store that lost its first row is damaged, not new: it must not be begun anew.
fn check_empty(snapshot: &Snapshot, options: &Options) -> Result<()> {
    let mut holds = Vec::new();
    for table in Table::ALL {
        snapshot.scan(*table, &[], None, &mut |_, _| {
            holds.push(table.name());
            Ok(ControlFlow::Break(()))
        })?;
    }
    let detail = match (holds.as_slice(), options.new_node_id.as_str()) {
        ([], "") => "it holds nothing".to_owned(),
        ([], _) => return Ok(()),
        _ => format!("no node row, but rows of {}", holds.join(", ")),
    };
    Err(Error::Corrupt { what: "database", detail })
}

fn checked_format(row: &[u8]) -> Result<NodeRow> {
    let node: NodeRow = crate::rows::decode(row, "node row")?;
    match node.format > FORMAT {
        true => Err(Error::NewerFormat { found: node.format, known: FORMAT }),
        false => Ok(node),
    }
}

/// What an early program noted for increments names things, also those that will be erased: the next backup is a full one.
fn of_this_format(snapshot: &Snapshot, node: NodeRow) -> Result<Vec<Changes>> {
    let mut tx = Overlay::new(snapshot);
    if node.named_from != 0 {
        changes::forget(&mut tx)?;
    }
    tx.put(Table::Node, &[], NodeRow { named_from: 0, format: FORMAT, ..node }.encode_to_vec());
    Ok(tx.into_changes())
}

fn first_commit(snapshot: &Snapshot, options: &Options) -> Vec<Changes> {
    let node = NodeRow {
        format: FORMAT,
        node_id: options.new_node_id.clone(),
        epoch: 1,
        commit: 0,
        next_tenant: 1,
        next_actor: 1,
        named_from: 0,
        clock_us: 0,
        stopped: Vec::new(),
        changes_from: 0,
        changes_bytes: 0,
        key_sha256: Vec::new(),
        anchored: false,
    };
    let mut tx = Overlay::new(snapshot);
    tx.put(Table::Node, &[], node.encode_to_vec());
    tx.into_changes()
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            State::Open(_) => "Open",
            State::Poisoned(..) => "Poisoned",
            State::Closed => "Closed",
        })
    }
}
