//! Makes a data directory of a backup: rows merged, everything verified, the next epoch begun; put in place whole, or not at all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use storage::anchor::Anchor;
use storage::commands::{BeginEpoch, Command};
use storage::ids::Epoch;
use storage::ledger::Frontier;
use storage::{ErasureKey, Report, Restoring, Result, Store, TenantRoot, View};

use super::lost::{self, Lost};
use super::manifest::Manifest;
use super::place::{Place, find};
use super::{checking, damaged, reading};
use crate::node;

/// Page cache of a restore, in bytes.
const CACHE_BYTES: usize = 128 << 20;

/// What tells of the node that was lost.
#[derive(Clone, Debug)]
pub enum Witness {
    /// The file `anchor` of its data directory.
    Anchor(PathBuf),
    /// Nothing: it is gone.
    None,
}

/// What a restore says on its way: what it does, and the bytes done.
type Progress<'p> = &'p mut dyn FnMut(&'static str, u64);

/// What was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The backup.
    pub manifest: Manifest,
    /// How many backups were read for it.
    pub backups: usize,
    /// What the new data directory holds, verified.
    pub report: Report,
    /// Records that the backup lacks of the lost node's, by tenant; `None` if nothing tells.
    pub lacking: Option<BTreeMap<String, u64>>,
}

/// Restores a backup, or the newest of a directory of backups, into a directory that is not there yet or empty.
///
/// # Errors
/// `Invalid` if there is no backup or no anchor, or something is in the directory already; `Corrupt` naming what is damaged; `Unverifiable`
/// if the anchor is older than the backup; `NewerFormat`, `NoSpace`, `Io`. The directory is no data directory then.
pub fn restore(from: &Path, to: &Path, witness: &Witness, progress: Progress<'_>) -> Result<Restored> {
    let (place, name) = find(from)?;
    let chain = place.chain(&name)?;
    let manifest = chain.last().expect("a chain holds what was asked for").clone();
    if let Witness::Anchor(path) = witness {
        lost::fits(path, &manifest)?;
    }
    let restoring = Restoring::begin(to, chain.iter().map(|manifest| manifest.row_bytes).sum())?;
    let mut checked = 0;
    checking::check_digests(&place, &chain, &mut |bytes| {
        checked += bytes;
        progress("checking digests", checked);
    })?;
    for manifest in &chain {
        if manifest.lists_anew {
            remove_lists(&restoring)?;
        }
        reading::write_files(&place, manifest, restoring.stage())?;
    }
    let seed = signing_seed(&restoring, &manifest, witness)?;
    fill(&restoring, &place, &chain, progress)?;
    let (report, lacking) = begin_epoch(&restoring, &manifest, &seed, witness, progress)?;
    restoring.put_in_place()?;
    Ok(Restored { manifest, backups: chain.len(), report, lacking })
}

/// The key that was in the backup, by which the anchor has to be signed: seen before the rows, which take long.
fn signing_seed(restoring: &Restoring, manifest: &Manifest, witness: &Witness) -> Result<[u8; 32]> {
    let seed = node::signing_seed(&restoring.stage().join("keys"), true)
        .map_err(|error| damaged(format!("`{}`: {error:#}", manifest.name)))?;
    if let Witness::Anchor(path) = witness {
        let anchor = Anchor::new(path.clone(), seed);
        anchor.seen()?;
        anchor.redactions()?;
    }
    Ok(seed)
}

fn fill(restoring: &Restoring, place: &Place, chain: &[Manifest], progress: Progress<'_>) -> Result<()> {
    let mut written = 0;
    restoring.fill(CACHE_BYTES, &mut |push| {
        reading::rows(place, chain)?.each(&mut |table, key, value| {
            written += (key.len() + value.len()) as u64;
            progress("writing rows", written);
            push(table, key, value)
        })
    })
}

/// Holds the rows against the manifest and the anchor, begins the next epoch, and verifies everything.
fn begin_epoch(
    restoring: &Restoring,
    manifest: &Manifest,
    seed: &[u8; 32],
    witness: &Witness,
    progress: Progress<'_>,
) -> Result<(Report, Option<BTreeMap<String, u64>>)> {
    let store = restoring.open_store(CACHE_BYTES)?;
    let view = store.view()?;
    is_of(manifest, &view)?;
    let anchor = Anchor::new(restoring.stage().join("anchor"), *seed);
    anchor.check_key(&view)?;
    let lost = match witness {
        Witness::Anchor(path) => Some(lost::lost(&Anchor::new(path.clone(), *seed), &view)?),
        Witness::None => None,
    };
    go_on(&store, &view, lost.as_ref())?;
    let store = redact_again(restoring, store, witness, seed)?;
    let view = store.view()?;
    let report = view.verify(&mut |bytes| progress("verifying", bytes))?;
    if let Some(problem) = report.problems.first() {
        return Err(damaged(format!("`{}`: {problem}", manifest.name)));
    }
    anchor.write(&view)?;
    Ok((report, lost.map(|lost| lost.lacking)))
}

/// Redacts what was redacted since the backup was taken, and leaves no byte of it in the database's file.
fn redact_again(restoring: &Restoring, store: Store, witness: &Witness, seed: &[u8; 32]) -> Result<Store> {
    let Witness::Anchor(path) = witness else { return Ok(store) };
    let store = store.with_erasure_key(ErasureKey::of(seed));
    let anchored = Anchor::new(path.clone(), *seed).redactions()?;
    if store.redact_again(&anchored, &mut node::stamp)? == 0 {
        return Ok(store);
    }
    drop(store);
    // They name what was refused, and by its hash nobody can tell what to take out.
    remove_lists(restoring)?;
    restoring.rewrite(CACHE_BYTES)?;
    restoring.open_store(CACHE_BYTES)
}

/// Removes the lists of rejects that were written so far.
fn remove_lists(restoring: &Restoring) -> Result<()> {
    let lists = restoring.stage().join("rejects");
    match std::fs::remove_dir_all(&lists) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(super::io(&lists, &error)),
        _ => Ok(()),
    }
}

/// Whether the rows are those that the manifest tells of. That the log adds up to these roots is verified afterwards.
fn is_of(manifest: &Manifest, view: &View) -> Result<()> {
    let row = view.node()?;
    if (&row.node_id, row.epoch, row.commit) != (&manifest.node, manifest.epoch, manifest.commit) {
        return Err(damaged(format!("`{}` holds another commit than its manifest says", manifest.name)));
    }
    let mut roots = BTreeMap::new();
    for (_, head) in view.tenants()? {
        let tree = Frontier::decode(&head.frontier)?;
        roots.insert(head.name, TenantRoot { size: tree.size(), root: tree.root() });
    }
    checking::same_roots(manifest, &roots)
}

/// The ledgers go on in the next epoch: above that of the backup, and above any that the lost node was in.
fn go_on(store: &Store, view: &View, lost: Option<&Lost>) -> Result<()> {
    let last = view.node()?.epoch.max(lost.map_or(0, |lost| lost.epoch));
    let lacking = match lost {
        Some(lost) => lost::by_tenant(view, &lost.lacking)?,
        None => BTreeMap::new(),
    };
    let command = Command::BeginEpoch(BeginEpoch { epoch: Epoch(last + 1), lacking });
    let committed = store.write(&[command], node::stamp())?;
    committed.answers.into_iter().try_for_each(|answer| answer.map(drop))
}
