//! The client's side: frames become the files of a backup, which is put in place whole.

use std::fs::{self, DirBuilder, File};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use bytes::BytesMut;
use sha2::{Digest, Sha256};
use storage::{Error, Result};

use super::frames::{End, Failed, Frame, Head, Kind};
use super::giving::{Since, hex};
use super::manifest::{self, Base, Manifest, Part};
use super::place::{self, INCREMENTS_MAX, PARTIAL, Place};
use super::{FORMAT, damaged, io};
use crate::app::VERSION;

/// A part is closed when it has so many bytes.
const PART_BYTES_MAX: u64 = 64 << 20;

/// A backup that is being taken; without [`Taking::end`] it never was.
pub struct Taking<'p> {
    place: &'p Place,
    directory: PathBuf,
    buffer: BytesMut,
    sha256: Sha256,
    head: Option<Head>,
    end: Option<End>,
    /// The newest backup at hand, on which an increment builds.
    newest: Option<Manifest>,
    parts: Vec<Part>,
    open: Option<Open>,
}

/// The part that is written to.
struct Open {
    kind: Kind,
    name: String,
    file: File,
    bytes: u64,
    sha256: Sha256,
}

/// A backup that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// What it is.
    pub manifest: Manifest,
    /// Why it holds everything, where only changes were asked for.
    pub why_full: Option<String>,
}

impl<'p> Taking<'p> {
    /// Begins to take a backup into a place that is held to add to.
    ///
    /// # Errors
    /// `Io` if nothing can be written there.
    pub fn begin(place: &'p Place, newest: Option<Manifest>) -> Result<Taking<'p>> {
        assert!(place.is_held(), "who adds holds the place");
        let directory = place.directory(&format!("{:04}{PARTIAL}", place.next_number()?));
        match fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(&directory, &error)),
            _ => {}
        }
        DirBuilder::new().mode(0o700).create(&directory).map_err(|error| io(&directory, &error))?;
        Ok(Taking {
            place,
            directory,
            buffer: BytesMut::new(),
            sha256: Sha256::new(),
            head: None,
            end: None,
            newest,
            parts: Vec::new(),
            open: None,
        })
    }

    /// Takes the next bytes of the stream.
    ///
    /// # Errors
    /// `Corrupt` if they cannot be a backup, `Io` if they cannot be written.
    pub fn take(&mut self, bytes: &[u8]) -> Result<()> {
        self.buffer.extend_from_slice(bytes);
        while let Some(frame) = Frame::take(&mut self.buffer)? {
            self.frame(&frame)?;
        }
        Ok(())
    }

    /// Puts the backup in place, if it is all there.
    ///
    /// # Errors
    /// `BrokeOff` if it has no end, `Io` if it cannot be put in place.
    pub fn end(mut self) -> Result<Taken> {
        self.close()?;
        let (Some(head), Some(end), true) = (self.head.take(), self.end.take(), self.buffer.is_empty())
        else {
            return Err(Error::BrokeOff("the backup broke off before its end; take it again".to_owned()));
        };
        if end.sha256 != hex(&self.sha256.clone().finalize()) {
            return Err(damaged("what arrived is not what the node gave; take the backup again"));
        }
        let name = self.directory.file_name().map(|name| name.to_string_lossy().into_owned());
        let number =
            name.as_deref().and_then(|name| name.strip_suffix(PARTIAL)).unwrap_or_default().to_owned();
        let kind = if head.since.is_some() { "increment" } else { "full" };
        let manifest = Manifest {
            format: FORMAT,
            data_format: head.data_format,
            program: VERSION.to_owned(),
            name: format!("{number}-{kind}"),
            node: head.node,
            epoch: head.epoch,
            commit: head.commit,
            taken_at: head.taken_at,
            builds_on: base(head.since, self.newest.as_ref())?,
            lists_anew: head.lists_anew,
            parts: std::mem::take(&mut self.parts),
            row_bytes: end.row_bytes,
            roots: end.roots,
        };
        place::write_synced(&self.directory.join(manifest::FILE), &manifest.encode())?;
        place::sync(&self.directory)?;
        let to = self.place.directory(&manifest.name);
        fs::rename(&self.directory, &to).map_err(|error| io(&to, &error))?;
        place::sync(self.place.path())?;
        Ok(Taken { manifest, why_full: head.why_full })
    }

    fn frame(&mut self, frame: &Frame) -> Result<()> {
        if frame.kind == Kind::Failed {
            return Err(frame.parsed::<Failed>()?.into_error());
        }
        let is_first = self.head.is_none();
        if is_first != (frame.kind == Kind::Head) || self.end.is_some() {
            return Err(damaged("frames out of order"));
        }
        if frame.kind == Kind::End {
            self.end = Some(frame.parsed()?);
            return Ok(());
        }
        let bytes = frame.encode();
        self.sha256.update(&bytes);
        match frame.kind {
            Kind::Head => {
                let head: Head = frame.parsed()?;
                if head.format > FORMAT {
                    return Err(Error::NewerFormat { found: head.format, known: FORMAT });
                }
                self.head = Some(head);
                Ok(())
            }
            kind => self.write(kind, &bytes),
        }
    }

    fn write(&mut self, kind: Kind, bytes: &[u8]) -> Result<()> {
        let is_full = |open: &Open| open.kind != kind || open.bytes >= PART_BYTES_MAX;
        if self.open.as_ref().is_some_and(is_full) {
            self.close()?;
        }
        let open = match &mut self.open {
            Some(open) => open,
            None => {
                let stem = if kind == Kind::Rows { "rows" } else { "files" };
                let name = format!("{stem}-{:05}", self.parts.len() + 1);
                let file = place::create(&self.directory.join(&name))?;
                self.open.insert(Open { kind, name, file, bytes: 0, sha256: Sha256::new() })
            }
        };
        open.file.write_all(bytes).map_err(|error| io(&self.directory.join(&open.name), &error))?;
        open.sha256.update(bytes);
        open.bytes += bytes.len() as u64;
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        let Some(Open { name, file, bytes, sha256, .. }) = self.open.take() else {
            return Ok(());
        };
        file.sync_all().map_err(|error| io(&self.directory.join(&name), &error))?;
        self.parts.push(Part { name, bytes, sha256: hex(&sha256.finalize()) });
        Ok(())
    }
}

/// What was not put in place is removed; what cannot be removed is, when the next backup begins.
impl Drop for Taking<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Place {
    /// What to tell the node so that it gives an increment: the newest backup; or why the next one has to be full.
    ///
    /// # Errors
    /// As for [`Place::chain`]: on a damaged backup nothing is built.
    pub(crate) fn since(&self) -> Result<std::result::Result<(Since, Manifest), String>> {
        let Some(newest) = self.names()?.pop() else {
            return Ok(Err("there is no backup yet".to_owned()));
        };
        let chain = self.chain(&newest)?;
        if chain.len() > INCREMENTS_MAX {
            return Ok(Err(format!("there are {INCREMENTS_MAX} increments on `{}`", chain[0].name)));
        }
        let newest = chain.into_iter().next_back().expect("a chain ends with what was asked for");
        let since = Since { node: newest.node.clone(), epoch: newest.epoch, commit: newest.commit };
        Ok(Ok((since, newest)))
    }
}

fn base(since: Option<u64>, newest: Option<&Manifest>) -> Result<Option<Base>> {
    match (since, newest) {
        (None, _) => Ok(None),
        (Some(commit), Some(newest)) if newest.commit == commit => {
            Ok(Some(Base { name: newest.name.clone(), commit, manifest_sha256: newest.sha256() }))
        }
        _ => Err(damaged("the node gave an increment that nobody asked for")),
    }
}
