//! The node's side: one view, block by block, with the files that belong to it. The view is held for as long as the client takes;
//! what the store grows by meanwhile has a limit.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use storage::commands::{Command, NoteChanges};
use storage::ids::{CommitNo, RunId, TenantId};
use storage::tables::{Table, key_u32, key_u64};
use storage::{Error, Result, View};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::frames::{End, Failed, Frame, Head, Kind};
use super::idle::Idle;
use super::{FORMAT, Root};
use crate::app::App;
use crate::commit::Tail;
use crate::growth::Growth;
use crate::ingest::import::rejects_path;
use crate::node;

/// Backups at a time: each holds a view.
const BACKUPS_MAX: usize = 1;
/// While others write, a backup rests for so many times as long as it worked: it takes the processor and the disk from them.
const REST: u32 = 3;
/// But no longer than this at a time, however long its client took.
const REST_MAX: Duration = Duration::from_millis(100);
/// Bytes of a piece of a file.
const PIECE_BYTES: usize = 1 << 20;

/// The place for a backup, and what is known of the last one.
#[derive(Debug)]
pub(crate) struct Backups {
    place: Arc<Semaphore>,
    growth_bytes: AtomicU64,
    /// When the last one had been given, microseconds since 1970; 0 if none was.
    last_us: AtomicI64,
}

/// The backup that the client has already.
#[derive(Clone, Debug)]
pub(crate) struct Since {
    pub(crate) node: String,
    pub(crate) epoch: u32,
    pub(crate) commit: u64,
}

/// A backup to be given.
pub(crate) struct Given {
    view: View,
    head: Head,
    _place: OwnedSemaphorePermit,
}

impl Default for Backups {
    fn default() -> Backups {
        let place = Arc::new(Semaphore::new(BACKUPS_MAX));
        Backups { place, growth_bytes: AtomicU64::new(0), last_us: AtomicI64::new(0) }
    }
}

impl Backups {
    /// Backups that are being given.
    pub(crate) fn running(&self) -> usize {
        BACKUPS_MAX - self.place.available_permits()
    }

    /// Bytes that the store has grown by while the backup at hand, or the last one, was given.
    pub(crate) fn growth_bytes(&self) -> u64 {
        self.growth_bytes.load(Ordering::Relaxed)
    }

    /// When the last one had been given, microseconds since 1970.
    pub(crate) fn last_us(&self) -> Option<i64> {
        Some(self.last_us.load(Ordering::Relaxed)).filter(|last_us| *last_us != 0)
    }
}

impl Given {
    /// Prepares a backup of what there is now: of all, or of what changed since one that the client has.
    ///
    /// # Errors
    /// `Busy` if another is being given; as for reading the view.
    pub(crate) async fn prepare(app: &App, since: Option<Since>) -> Result<Given> {
        let busy = |_| Error::Busy { what: "backups are running", limit: BACKUPS_MAX };
        let place = app.backups.place.clone().try_acquire_owned().map_err(busy)?;
        note_changes(app).await?;
        let view = app.store.view()?;
        let row = view.node()?;
        let why_full = match &since {
            None => None,
            Some(since) => why_full(&view, since)?,
        };
        let since = since.filter(|_| why_full.is_none()).map(|since| since.commit);
        let lists_anew = since.map_or(Ok(false), |since| is_erased_since(&view, CommitNo(since)))?;
        let head = Head {
            format: FORMAT,
            data_format: row.format,
            node: row.node_id,
            epoch: row.epoch,
            commit: row.commit,
            since,
            why_full,
            lists_anew,
            taken_at: node::rfc3339(node::now_us()),
        };
        Ok(Given { view, head, _place: place })
    }
}

/// From the first backup on it is noted what changes. Where there is no room even for that, a backup is wanted all the more.
async fn note_changes(app: &App) -> Result<()> {
    match app.commit.submit(vec![Command::NoteChanges(NoteChanges)]).await {
        Ok(_) | Err(Error::NoSpace { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

fn why_full(view: &View, since: &Since) -> Result<Option<String>> {
    let row = view.node()?;
    let commit = since.commit;
    Ok(if since.node != row.node_id {
        Some(format!("the backups at hand are of the node {}, this is {}", since.node, row.node_id))
    } else if since.epoch != row.epoch {
        Some(format!("the backups at hand are of epoch {}, this is epoch {}", since.epoch, row.epoch))
    } else if !view.notes_changes_since(CommitNo(commit))? {
        Some(format!("what has changed since commit {commit} is not known any more"))
    } else {
        None
    })
}

/// Hands out a backup, frame by frame, or as far as it goes and then why. Waits for the disk and for who takes it.
pub(crate) fn give(app: &App, given: &Given, take: &mut dyn FnMut(Bytes) -> Result<()>) {
    if let Err(error) = try_give(app, given, take) {
        tracing::warn!(%error, "a backup broke off");
        let _ = take(Frame::json(Kind::Failed, &Failed::of(&error)).encode().into());
    }
}

fn try_give(app: &App, given: &Given, take: &mut dyn FnMut(Bytes) -> Result<()>) -> Result<()> {
    let Given { view, head, .. } = given;
    let mut out = Out { take, sha256: Sha256::new() };
    out.frame(&Frame::json(Kind::Head, head))?;
    let (mut row_bytes, growth, mut pace) = (0, Growth::of(app), Pace::begin(app.commit.tail()));
    let idle = Idle::begin();
    let mut rows = |block: Vec<u8>| {
        app.backups.growth_bytes.store(growth.check(app)?, Ordering::Relaxed);
        row_bytes += block.len() as u64;
        out.frame(&idle.rows(block)?)?;
        pace.rest();
        Ok(())
    };
    match head.since {
        None => view.blocks(&mut rows)?,
        Some(since) => view.changed_blocks(CommitNo(since), &mut rows)?,
    }
    for path in files(app, view, head)? {
        out.file(&app.config.data_dir, &path)?;
    }
    let roots = roots(app, view)?;
    // What a restore holds the backup against must not be older than the backup.
    app.anchor.write(view)?;
    let sha256 = hex(&out.sha256.clone().finalize());
    out.frame(&Frame::json(Kind::End, &End { row_bytes, roots, sha256 }))?;
    app.backups.last_us.store(node::now_us(), Ordering::Relaxed);
    Ok(())
}

/// How a backup leaves room for those who write.
struct Pace<'a> {
    tail: &'a Tail,
    moves: u64,
    since: Instant,
}

impl Pace<'_> {
    fn begin(tail: &Tail) -> Pace<'_> {
        Pace { tail, moves: tail.moves(), since: Instant::now() }
    }

    /// Rests, if somebody wrote since the last time.
    fn rest(&mut self) {
        if self.tail.moves() != self.moves {
            std::thread::sleep((self.since.elapsed() * REST).min(REST_MAX));
        }
        (self.moves, self.since) = (self.tail.moves(), Instant::now());
    }
}

/// Where frames go, and their digest.
struct Out<'t> {
    take: &'t mut dyn FnMut(Bytes) -> Result<()>,
    sha256: Sha256,
}

impl Out<'_> {
    fn frame(&mut self, frame: &Frame) -> Result<()> {
        let bytes = frame.encode();
        self.sha256.update(&bytes);
        (self.take)(bytes.into())
    }

    /// A file in pieces. One that is gone by now was not to be kept any longer.
    fn file(&mut self, data_dir: &Path, path: &Path) -> Result<()> {
        let failed = |error: std::io::Error| super::io(path, &error);
        let name = path.strip_prefix(data_dir).unwrap_or(path).to_string_lossy().into_owned();
        let mut file = match File::open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            file => file.map_err(failed)?,
        };
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        loop {
            piece.clear();
            file.by_ref().take(PIECE_BYTES as u64).read_to_end(&mut piece).map_err(failed)?;
            if piece.is_empty() {
                return Ok(());
            }
            self.frame(&Frame::file(&name, &piece)?)?;
        }
    }
}

fn roots(app: &App, view: &View) -> Result<BTreeMap<String, Root>> {
    let mut roots = BTreeMap::new();
    for (tenant, head) in view.tenants()? {
        let signed = app.anchor.signed(view, tenant)?;
        let root = super::base64(&signed.checkpoint.root);
        roots.insert(head.name, Root { size: signed.checkpoint.size, root, checkpoint: signed.note });
    }
    Ok(roots)
}

/// Whether a redaction began or ended after a commit: it takes lines out of lists of rejects, of whatever age.
fn is_erased_since(view: &View, since: CommitNo) -> Result<bool> {
    let mut found = false;
    for table in [Table::Erasing, Table::Redactions] {
        view.changed_keys_of(table, since, &mut |_| {
            found = true;
            Ok(())
        })?;
    }
    Ok(found)
}

/// The files that go with the rows: the key, and of decisions and rejects those that are closed, or came since.
fn files(app: &App, view: &View, head: &Head) -> Result<Vec<PathBuf>> {
    let data_dir = &app.config.data_dir;
    let mut files = vec![data_dir.join("keys").join(node::SIGNING_KEY)];
    let decisions = |tenant: TenantId, number| app.decisions.path_of(tenant, number);
    let rejects = |tenant, run| rejects_path(data_dir, tenant, RunId(run));
    let mut add = |table, since: Option<u64>, path: &dyn Fn(TenantId, u64) -> PathBuf| {
        let mut key = |key: &[u8]| {
            files.push(path(TenantId(key_u32(key, 0)), key_u64(key, 4)));
            Ok(())
        };
        match since {
            Some(since) => view.changed_keys_of(table, CommitNo(since), &mut key),
            None => view.keys_of(table, &mut key),
        }
    };
    add(Table::Decisions, head.since, &decisions)?;
    add(Table::Runs, head.since.filter(|_| !head.lists_anew), &rejects)?;
    Ok(files)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
