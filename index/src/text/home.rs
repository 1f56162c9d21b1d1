//! Where an index lives, and whether what is found there can be trusted.
//!
//! The files are derived, so they are never trusted: the engine verifies checksums only when it is
//! asked to, and maps files into memory, where a damaged one kills the process. Everything is checked
//! once, before the first question; whatever looks wrong is deleted and built anew. It is not kept
//! aside: it may hold words of records that have been erased since.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use storage::ids::{Lsn, TenantId};
use tantivy::columnar::Column;
use tantivy::directory::{MmapDirectory, RamDirectory};
use tantivy::index::SegmentComponent;
use tantivy::{Index, IndexSettings, ReloadPolicy, SegmentMeta};

use super::schema::{VERSION, column, register, schema};
use super::tails;
use crate::error::{Error, Result};

/// Where an index lives. A clone is the same place.
#[derive(Clone, Debug)]
pub struct Home(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Directory(PathBuf),
    Memory(Arc<Mutex<RamDirectory>>),
}

/// Whose index it is; an index of somebody else, or of another life of the ledger, is not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) tenant: TenantId,
    pub(super) origin: String,
}

/// What was found in a [`Home`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing: the index is empty.
    Nothing,
    /// An index whose every file is whole.
    Index,
    /// Something that cannot be trusted, for this reason. It was deleted, the index is empty.
    Damage(String),
}

pub(super) struct Opened {
    pub(super) index: Index,
    pub(super) position: Lsn,
    pub(super) found: Found,
}

impl Home {
    /// A directory of its own; it is made if it is not there.
    pub fn directory(path: impl Into<PathBuf>) -> Home {
        Home(Kind::Directory(path.into()))
    }

    /// Memory, for tests and simulations.
    #[must_use]
    pub fn memory() -> Home {
        Home(Kind::Memory(Arc::default()))
    }

    pub(super) fn open(&self, owner: &Owner) -> Result<Opened> {
        if !self.is_inhabited()? {
            return self.create(Found::Nothing);
        }
        match self.checked(owner) {
            Ok((index, position)) => Ok(Opened { index, position, found: Found::Index }),
            Err(reason) => self.create(Found::Damage(reason)),
        }
    }

    /// Why what is there cannot be trusted, if it cannot.
    pub(super) fn damage(&self, owner: &Owner) -> Option<String> {
        self.checked(owner).err()
    }

    /// The engine's readers assert where a damaged file contradicts another one.
    fn checked(&self, owner: &Owner) -> Result<(Index, Lsn), String> {
        let checked = catch_unwind(AssertUnwindSafe(|| self.check(owner)));
        checked.unwrap_or_else(|_| Err("the engine panicked".to_owned()))
    }

    /// Deletes whatever is there and begins an empty index.
    pub(super) fn create(&self, found: Found) -> Result<Opened> {
        self.clear()?;
        let index = match &self.0 {
            Kind::Directory(path) => Index::create_in_dir(path, schema().0)?,
            Kind::Memory(memory) => {
                Index::create(held(memory).clone(), schema().0, IndexSettings::default())?
            }
        };
        register(&index);
        Ok(Opened { index, position: Lsn::NONE, found })
    }

    /// Makes a commit last: the engine syncs the directory before it renames the new metadata into place, not after.
    pub(super) fn sync(&self, index: &Index) -> Result<()> {
        if let Kind::Directory(path) = &self.0 {
            tails::note(path, index)?;
            std::fs::File::open(path)?.sync_all()?;
        }
        Ok(())
    }

    fn is_inhabited(&self) -> Result<bool> {
        match &self.0 {
            Kind::Directory(path) if !path.exists() => Ok(false),
            Kind::Directory(path) => Ok(std::fs::read_dir(path)?.next().is_some()),
            Kind::Memory(memory) => Ok(Index::exists(&*held(memory)).unwrap_or(true)),
        }
    }

    fn clear(&self) -> Result<()> {
        match &self.0 {
            Kind::Directory(path) => {
                if path.exists() {
                    std::fs::remove_dir_all(path)?;
                }
                std::fs::create_dir_all(path)?;
                sync_parent(path)
            }
            Kind::Memory(memory) => {
                *held(memory) = RamDirectory::create();
                Ok(())
            }
        }
    }

    fn check(&self, owner: &Owner) -> Result<(Index, Lsn), String> {
        let index = match &self.0 {
            Kind::Directory(path) => {
                let directory = MmapDirectory::open(path).map_err(|error| error.to_string())?;
                Index::open(directory)
            }
            Kind::Memory(memory) => Index::open(held(memory).clone()),
        };
        let index = index.map_err(|error| error.to_string())?;
        if index.schema() != schema().0 {
            return Err("other fields".to_owned());
        }
        register(&index);
        let meta = index.load_metas().map_err(|error| error.to_string())?;
        let position = read_payload(meta.payload.as_deref().unwrap_or_default(), owner)?;
        for segment in &meta.segments {
            check_files(&index, segment)?;
        }
        if let Kind::Directory(path) = &self.0 {
            tails::check(path)?;
        }
        check_counts(&index, &meta.segments)?;
        Ok((index, position))
    }
}

/// The commit's payload. It is written twice, because the file that holds it has no checksum.
pub(super) fn payload(owner: &Owner, at: Lsn) -> String {
    let once = format!("v{VERSION} {} {} {at}", owner.tenant, owner.origin);
    format!("{once}\n{once}")
}

pub(super) fn read_payload(payload: &str, owner: &Owner) -> Result<Lsn, String> {
    let wrong = || format!("not a position of this tenant's index: `{payload}`");
    let (once, again) = payload.split_once('\n').ok_or_else(wrong)?;
    let ours = format!("v{VERSION} {} {} ", owner.tenant, owner.origin);
    let position = once.strip_prefix(&ours).filter(|_| once == again);
    position.and_then(|position| position.parse().ok()).map(Lsn).ok_or_else(wrong)
}

/// The engine's own check passes over files that are missing or not on its list.
fn check_files(index: &Index, segment: &SegmentMeta) -> Result<(), String> {
    for path in files_of(segment) {
        match index.directory().validate_checksum(&path) {
            Ok(true) => {}
            Ok(false) => return Err(format!("`{}` does not match its checksum", path.display())),
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(())
}

/// The files of a segment, below the index's directory.
pub(super) fn files_of(segment: &SegmentMeta) -> impl Iterator<Item = PathBuf> + use<'_> {
    use SegmentComponent::{Delete, FastFields, FieldNorms, Positions, Postings, Store, Terms};
    let deletes = segment.has_deletes().then_some(Delete);
    let components = [Postings, Positions, FastFields, FieldNorms, Terms, Store].into_iter().chain(deletes);
    components.map(|component| segment.relative_path(component))
}

/// The metadata's own numbers must agree with the files, which have checksums.
fn check_counts(index: &Index, segments: &[SegmentMeta]) -> Result<(), String> {
    let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual);
    let reader: tantivy::IndexReader = reader.try_into().map_err(|error| error.to_string())?;
    let searcher = reader.searcher();
    if searcher.segment_readers().len() != segments.len() {
        return Err("segments are missing".to_owned());
    }
    for segment in searcher.segment_readers() {
        let things: Column<u64> =
            segment.fast_fields().u64(column::THING).map_err(|error| error.to_string())?;
        let alive = segment.doc_ids_alive().count();
        if things.num_docs() != segment.max_doc() || alive != segment.num_docs() as usize {
            return Err(format!("segment {} has other documents than it says", segment.segment_id()));
        }
    }
    Ok(())
}

fn held(memory: &Mutex<RamDirectory>) -> MutexGuard<'_, RamDirectory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

fn sync_parent(path: &Path) -> Result<()> {
    let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) else {
        return Ok(());
    };
    std::fs::File::open(parent)?.sync_all().map_err(Error::from)
}
