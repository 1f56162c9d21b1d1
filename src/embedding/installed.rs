//! The models of a node: a folder for each below `models/` of the data directory.
//!
//! ```text
//! models/NAME/   a model (`index::embed`)
//! models/.new/   one that is being installed
//! models/.use    the name of the one in use, where no setting says which
//! ```
//!
//! A model comes whole or not at all: it is staged, compared with its digests, tried, synced and renamed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::http::StatusCode;
use index::embed::{Encoder as _, Manifest, Model, ModelId};
use serde::Serialize;
use storage::Space;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Embedding, Used};
use crate::gateway::Failure;

const STAGING: &str = ".new";
const IN_USE: &str = ".use";
/// Models of a node.
const MODELS_MAX: usize = 16;

/// The folder, and which model is to be used.
pub(super) struct Installed {
    home: PathBuf,
    chosen: Option<String>,
    model_bytes_max: u64,
    /// Whoever changes what is installed has it.
    alone: Arc<Semaphore>,
}

/// A model of the node, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Listed {
    name: String,
    digest: String,
    dimension: usize,
    licence: String,
    bytes: u64,
    in_use: bool,
}

/// A model that is coming in; if it does not come to its end, nothing of it stays.
pub(crate) struct Staged {
    folder: PathBuf,
    manifest: Manifest,
    taken: BTreeSet<String>,
    _alone: OwnedSemaphorePermit,
}

impl Installed {
    pub(super) fn new(home: PathBuf, chosen: Option<String>, model_bytes_max: u64) -> Installed {
        Installed { home, chosen, model_bytes_max, alone: Arc::new(Semaphore::new(1)) }
    }

    /// Removes what was coming in, or going, when the node stopped.
    pub(super) fn forget_staged(&self) -> std::io::Result<()> {
        remove(&self.home.join(STAGING))
    }

    /// Loads the model that is to be used, if there is one; else says why it cannot be.
    pub(super) fn load(&self) -> Result<Option<Model>, String> {
        let names = self.names();
        let Some(name) = self.to_use(&names) else { return Ok(None) };
        if !names.contains(&name) {
            return Err(format!("model `{name}` is to be used and not installed"));
        }
        let folder = self.home.join(&name);
        let opened = Manifest::read(&folder).map_err(|why| format!("model `{name}`: {why}"));
        opened.and_then(|(manifest, _)| self.check_size(&manifest).map_err(|refused| refused.message))?;
        Model::open(&folder).map(Some).map_err(|error| error.to_string())
    }

    /// What the setting says; else what was in use, or the only one.
    fn to_use(&self, names: &[String]) -> Option<String> {
        let noted = || fs::read_to_string(self.home.join(IN_USE)).ok();
        let noted = || noted().map(|name| name.trim().to_owned()).filter(|name| names.contains(name));
        let only = || if let [only] = names { Some(only.clone()) } else { None };
        self.chosen.clone().or_else(noted).or_else(only)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.home).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<_> = names.filter(|name| !name.starts_with('.')).collect();
        names.sort();
        names
    }

    fn check_size(&self, manifest: &Manifest) -> Result<(), Failure> {
        if manifest.bytes() <= self.model_bytes_max {
            return Ok(());
        }
        let (name, mb, most) = (&manifest.name, manifest.bytes() >> 20, self.model_bytes_max >> 20);
        let message =
            format!("model `{name}` takes {mb} MiB, and there are {most} for one; raise `memory_bytes_max`");
        Err(Failure::new(StatusCode::BAD_REQUEST, "model_too_large", message))
    }

    pub(super) fn note_in_use(&self, name: &str) -> std::io::Result<()> {
        let (path, beside) = (self.home.join(IN_USE), self.home.join(".use.new"));
        let mut file = File::create(&beside)?;
        file.write_all(name.as_bytes())?;
        file.sync_all()?;
        fs::rename(beside, path)?;
        sync(&self.home)
    }

    fn turn(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let busy = || storage::Error::Busy { what: "models are being changed", limit: 1 }.into();
        Arc::clone(&self.alone).try_acquire_owned().map_err(|_| busy())
    }

    /// The folder of a model that is installed.
    fn folder(&self, name: &str) -> Result<PathBuf, Failure> {
        match self.names().iter().any(|known| known == name) {
            true => Ok(self.home.join(name)),
            false => Err(Failure::not_found("model", &name.chars().take(64).collect::<String>())),
        }
    }
}

impl Embedding {
    /// The models that are installed.
    pub(crate) fn list(&self) -> Vec<Listed> {
        let in_use = self.model();
        let installed = &self.0.installed;
        let manifests = installed.names().into_iter().map(|name| installed.home.join(name));
        let read = manifests.filter_map(|folder| Manifest::read(&folder).ok());
        read.map(|(manifest, id)| Listed::of(&manifest, &id, in_use.as_ref() == Some(&id))).collect()
    }

    /// Compares the files of a model with its digests; what is wrong with it.
    pub(crate) fn verify(&self, name: &str) -> Result<Option<String>, Failure> {
        let folder = self.0.installed.folder(name)?;
        Ok(Model::verify(&folder).err().map(|error| error.to_string()))
    }

    /// Begins to take a model in; `Err(Listed)` if it is there already, file for file.
    pub(crate) fn begin_install(&self, bytes: &[u8]) -> Result<Result<Staged, Listed>, Failure> {
        let installed = &self.0.installed;
        let alone = installed.turn()?;
        let (manifest, id) = Manifest::parse(bytes).map_err(|why| named("the model", why))?;
        if let Ok(folder) = installed.folder(&id.name) {
            let there = Manifest::read(&folder).ok().filter(|(_, there)| *there == id);
            let message = format!("another model is called `{}`; remove it, or give --name", id.name);
            let exists = || Failure::new(StatusCode::CONFLICT, "exists", message);
            let (manifest, id) = there.ok_or_else(exists)?;
            let in_use = self.model().is_some_and(|model| model == id);
            return Ok(Err(Listed::of(&manifest, &id, in_use)));
        }
        if installed.names().len() >= MODELS_MAX {
            let message = format!("{MODELS_MAX} models are installed; remove one");
            return Err(Failure::new(StatusCode::CONFLICT, "exists", message));
        }
        installed.check_size(&manifest)?;
        Ok(Ok(Staged::begin(&installed.home, manifest, bytes, alone)?))
    }

    /// Tries a model that has come whole, puts it in its place, and uses it if no other is to be used.
    pub(crate) fn finish_install(&self, staged: Staged) -> Result<Listed, Failure> {
        let installed = &self.0.installed;
        staged.check_whole()?;
        let model = Model::open(&staged.folder)?;
        let (folder, id) = (installed.home.join(&staged.manifest.name), model.model().clone());
        staged.put_in_place(&folder).map_err(|error| failed(&folder, &error))?;
        let is_to_use = match &installed.chosen {
            Some(chosen) => *chosen == id.name,
            None => self.model().is_none(),
        };
        if is_to_use {
            installed.note_in_use(&id.name).map_err(|error| failed(&installed.home, &error))?;
            tracing::info!(model = id.name, dimension = id.dimension, "a model is in use");
            self.0.use_model(Some(Used::Installed(Arc::new(model))), None);
        }
        Ok(Listed::of(&staged.manifest, &id, is_to_use))
    }

    /// Removes a model; one that is in use is used no more.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Failure> {
        let installed = &self.0.installed;
        let _alone = installed.turn()?;
        let folder = installed.folder(name)?;
        let aside = installed.home.join(STAGING);
        let was_in_use = self.model().is_some_and(|model| model.name == name);
        let moved = remove(&aside).and_then(|()| fs::rename(&folder, &aside));
        moved.and_then(|()| sync(&installed.home)).map_err(|error| failed(&folder, &error))?;
        remove(&aside).map_err(|error| failed(&aside, &error))?;
        if was_in_use || self.problem().is_some() {
            self.0.choose_again();
        }
        Ok(())
    }
}

impl Staged {
    fn begin(
        home: &Path,
        manifest: Manifest,
        bytes: &[u8],
        alone: OwnedSemaphorePermit,
    ) -> Result<Staged, Failure> {
        let folder = home.join(STAGING);
        let made =
            fs::create_dir_all(home).and_then(|()| remove(&folder)).and_then(|()| fs::create_dir(&folder));
        made.map_err(|error| failed(&folder, &error))?;
        let staged = Staged { folder, manifest, taken: BTreeSet::new(), _alone: alone };
        let bytes_of_it = staged.manifest.bytes();
        let Space { free_bytes, needed_bytes } = Space::under(home)?;
        if free_bytes < bytes_of_it.saturating_add(needed_bytes) {
            let (mb, free) = (bytes_of_it >> 20, free_bytes >> 20);
            let message =
                format!("{free} MiB are free; the model takes {mb}, and writes need {}", needed_bytes >> 20);
            return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "no_space", message));
        }
        let path = staged.folder.join(index::embed::MANIFEST);
        fs::write(&path, bytes).map_err(|error| failed(&path, &error))?;
        Ok(staged)
    }

    /// A file of it, to be written: what it is called, and how long it is.
    pub(crate) async fn file(&mut self, name: &str) -> Result<(tokio::fs::File, u64), Failure> {
        let Some(listed) = self.manifest.files.get(name).filter(|_| !self.taken.contains(name)) else {
            let name: String = name.chars().take(64).collect();
            return Err(Failure::bad_request(format!("file `{name}` is not in the manifest, or came twice")));
        };
        let path = self.folder.join(name);
        let file = tokio::fs::File::create(&path).await.map_err(|error| failed(&path, &error))?;
        self.taken.insert(name.to_owned());
        Ok((file, listed.bytes))
    }

    fn check_whole(&self) -> Result<(), Failure> {
        match self.manifest.files.keys().find(|name| !self.taken.contains(*name)) {
            Some(name) => Err(named(&self.manifest.name, index::embed::Unusable::Missing(name.clone()))),
            None => Ok(()),
        }
    }

    fn put_in_place(&self, folder: &Path) -> std::io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            File::open(entry?.path())?.sync_all()?;
        }
        sync(&self.folder)?;
        fs::rename(&self.folder, folder)?;
        sync(folder.parent().unwrap_or(folder))
    }
}

impl Drop for Staged {
    /// What was put in its place is not here any more.
    fn drop(&mut self) {
        let _ = remove(&self.folder);
    }
}

impl Listed {
    fn of(manifest: &Manifest, id: &ModelId, in_use: bool) -> Listed {
        Listed {
            name: id.name.clone(),
            digest: id.digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            dimension: id.dimension,
            licence: manifest.licence.clone(),
            bytes: manifest.bytes(),
            in_use,
        }
    }
}

/// The first model of a data directory that is damaged, and how many there are.
pub(crate) fn check(data_dir: &Path) -> Result<usize, String> {
    let installed = Installed::new(data_dir.join("models"), None, u64::MAX);
    let names = installed.names();
    let damaged = names.iter().find_map(|name| Model::verify(&installed.home.join(name)).err());
    damaged.map_or(Ok(names.len()), |error| Err(error.to_string()))
}

/// Writes what came of a file; more than is listed is refused before it is on the disk.
pub(crate) async fn write(file: &mut tokio::fs::File, room: &mut u64, piece: &[u8]) -> Result<(), Failure> {
    *room = room.checked_sub(piece.len() as u64).ok_or_else(|| {
        Failure::bad_request("a file is longer than the manifest says; make the manifest anew")
    })?;
    let written = file.write_all(piece).await;
    written.map_err(|error| failed(Path::new("models"), &error))
}

fn named(name: &str, why: index::embed::Unusable) -> Failure {
    index::Error::Model { name: name.to_owned(), why }.into()
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    storage::Error::io(path, error).into()
}

fn remove(folder: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}
