//! Opening an index: which of its files are to be trusted.
//!
//! The newest log says which segment it goes on from. What belongs to neither is deleted, and so is everything if they
//! cannot be trusted: it is not kept aside, since it may hold vectors of records that have been erased since.

use std::sync::Arc;

use storage::ids::{Lsn, TenantId};

use super::home::{Home, damaged};
use super::log::{Heading, Log};
use super::segment::Segment;
use super::state::Held;
use crate::embed::ModelId;
use crate::error::{Error, Result};

/// Counts every change of what is kept of a document: an index of another version is built anew.
const VERSION: u32 = 1;

/// Whose index it is; an index of somebody else, of another life of the ledger or of another model is not ours.
pub(super) struct Owner {
    pub(super) tenant: TenantId,
    pub(super) text: String,
}

/// What was found in a [`Home`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing: the index is empty.
    Nothing,
    /// An index that is whole.
    Index,
    /// Something that cannot be trusted, for this reason. It was deleted, the index is empty.
    Damage(String),
}

pub(super) struct Opened {
    pub(super) log: Log,
    pub(super) held: Held,
    pub(super) position: Lsn,
    pub(super) found: Found,
    pub(super) generation: u32,
}

pub(super) fn owner(tenant: TenantId, origin: &str, model: &ModelId) -> String {
    let digest: String = model.digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v{VERSION} {tenant} {origin} {} {digest} {}", model.name, model.dimension)
}

/// What a log goes on from.
pub(super) fn heading(owner: &Owner, segment: Option<&Segment>) -> Heading {
    let from =
        segment.map_or("nothing".to_owned(), |segment| format!("{} {:08x}", segment.name, segment.sum));
    format!("{}\n{from}", owner.text)
}

/// The name of a file of a generation.
pub(super) fn name(kind: &str, generation: u32) -> String {
    format!("{kind}-{generation:08}")
}

pub(super) fn open(home: &Home, owner: &Owner, dimension: usize) -> Result<Opened> {
    let names = home.names()?;
    if names.is_empty() {
        return create(home, owner, dimension, Found::Nothing);
    }
    let mut reason = "there is no log".to_owned();
    for name in names.iter().rev().filter(|name| name.starts_with("log-") && !name.ends_with(".new")) {
        match open_log(home, owner, name, dimension) {
            Ok(opened) => {
                let segment = opened.held.state.segment.as_ref().map(|segment| segment.name.clone());
                for other in names.iter().filter(|other| *other != name && Some(*other) != segment.as_ref()) {
                    home.remove(other)?;
                }
                return Ok(Opened { generation: newest(&names), ..opened });
            }
            Err(Error::Damaged { detail, .. }) => reason = detail,
            Err(error) => return Err(error),
        }
    }
    create(home, owner, dimension, Found::Damage(reason))
}

/// Deletes whatever is there and begins an empty index.
pub(super) fn create(home: &Home, owner: &Owner, dimension: usize, found: Found) -> Result<Opened> {
    let names = home.names()?;
    for name in &names {
        home.remove(name)?;
    }
    let generation = newest(&names) + 1;
    let name = name("log", generation);
    let mut log = Log::create(home, &name, &heading(owner, None), dimension)?;
    log.sync_vectors(0)?;
    home.publish(&name)?;
    let held = Held::new(None, Arc::clone(&log.file), dimension);
    Ok(Opened { log, held, position: Lsn::NONE, found, generation })
}

fn newest(names: &[String]) -> u32 {
    let number = |name: &String| name.trim_end_matches(".new").rsplit('-').next()?.parse().ok();
    names.iter().filter_map(number).max().unwrap_or(0)
}

fn open_log(home: &Home, owner: &Owner, name: &str, dimension: usize) -> Result<Opened> {
    let file = Arc::new(home.open(name)?.ok_or_else(|| damaged("a log is gone"))?);
    let found = Log::heading(&file)?.ok_or_else(|| damaged("a log's heading does not match its checksum"))?;
    let (text, from) = found.split_once('\n').unwrap_or_default();
    if text != owner.text {
        return Err(damaged("an index of another tenant, ledger, model or program"));
    }
    let segment = open_segment(home, owner, from, dimension)?.map(Arc::new);
    let mut position = segment.as_ref().map_or(Lsn::NONE, |segment| segment.position);
    let mut held = Held::new(segment, Arc::clone(&file), dimension);
    let log = Log::open(file, name, dimension, &mut |log, commit| {
        position = commit.position;
        held.apply(commit.changes, log)
    })?;
    Ok(Opened { log, held, position, found: Found::Index, generation: 0 })
}

/// The segment that a log goes on from, if from any.
fn open_segment(home: &Home, owner: &Owner, from: &str, dimension: usize) -> Result<Option<Segment>> {
    if from == "nothing" {
        return Ok(None);
    }
    let (name, sum) = from.split_once(' ').unwrap_or_default();
    let file = home.open(name)?.ok_or_else(|| damaged("a segment is gone"))?;
    let segment = Segment::open(file, name, &owner.text, dimension)?;
    if format!("{:08x}", segment.sum) != sum {
        return Err(damaged("a segment that its log does not go on from"));
    }
    Ok(Some(segment))
}
