//! The bridge from a request's body, which arrives when it likes, to readers, which wait for it.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::files::csv::Declared;

/// Pieces of a body that may wait to be read: back-pressure reaches the client's socket.
const PIECES_MAX: usize = 16;

/// What arrives.
#[derive(Debug)]
pub enum Event {
    /// What the columns of the files are that follow.
    Mapping(Box<Declared>),
    /// A file begins; its name, and SHA-256 of all that will come of it, if that is known.
    File(String, Option<Digest>),
    /// The next bytes of the file.
    Data(Bytes),
    /// The body broke off.
    Broken(String),
    /// The body is complete.
    End,
}

/// SHA-256 of a file as it is sent.
pub type Digest = [u8; 32];

/// The reading side: file after file.
#[derive(Debug)]
pub struct Upload {
    events: mpsc::Receiver<Event>,
    data: Bytes,
    next: Option<(String, Option<Digest>)>,
    /// What the file that is being read must come to.
    checked: Option<(Sha256, Digest)>,
    mapping: Option<Declared>,
    broken: Option<String>,
    ended: bool,
    read: Arc<AtomicU64>,
}

/// A bounded way from a body to an [`Upload`].
#[must_use]
pub fn channel() -> (mpsc::Sender<Event>, Upload) {
    let (sender, events) = mpsc::channel(PIECES_MAX);
    (
        sender,
        Upload {
            events,
            data: Bytes::new(),
            next: None,
            checked: None,
            mapping: None,
            broken: None,
            ended: false,
            read: Arc::default(),
        },
    )
}

impl Upload {
    /// Goes to the next file, past what is left of this one; its name and digest, or `None` at the end.
    pub fn next_file(&mut self) -> Option<(String, Option<Digest>)> {
        while self.next.is_none() && self.receive() {}
        self.data = Bytes::new();
        let (name, digest) = self.next.take()?;
        self.checked = digest.map(|digest| (Sha256::new(), digest));
        Some((name, digest))
    }

    /// Bytes read so far, of all files, for who watches.
    #[must_use]
    pub fn bytes_read(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }

    /// What the columns of the files are, if that came before them.
    pub fn take_mapping(&mut self) -> Option<Declared> {
        self.mapping.take()
    }

    /// Why the body broke off, if it did.
    #[must_use]
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// Takes the next event; false at the end. Who stops sending without saying that this was all has gone away.
    fn receive(&mut self) -> bool {
        if self.ended {
            return false;
        }
        match self.events.blocking_recv() {
            Some(Event::Mapping(mapping)) => self.mapping = Some(*mapping),
            Some(Event::File(name, digest)) => self.next = Some((name, digest)),
            Some(Event::Data(data)) => self.data = data,
            Some(Event::Broken(why)) => self.broken = Some(why),
            Some(Event::End) => self.ended = true,
            None => self.broken = Some("the client went away before the end".to_owned()),
        }
        self.broken.is_none() && !self.ended
    }
}

impl Upload {
    /// At the end of a file: whether it was the one that was announced.
    fn check(&mut self) -> io::Result<()> {
        let Some((hash, wanted)) = self.checked.take() else { return Ok(()) };
        if hash.finalize()[..] == wanted {
            return Ok(());
        }
        let why = "it is not the file whose digest was sent; it changed while it was read, import it again";
        Err(io::Error::new(io::ErrorKind::InvalidData, why))
    }
}

impl Read for Upload {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.data.is_empty() && self.next.is_none() && self.broken.is_none() {
            if !self.receive() {
                break;
            }
        }
        if let Some(why) = self.broken.as_ref().filter(|_| self.data.is_empty()) {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why.clone()));
        }
        let count = self.data.len().min(into.len());
        into[..count].copy_from_slice(&self.data.split_to(count));
        match &mut self.checked {
            Some((hash, _)) if count > 0 => hash.update(&into[..count]),
            Some(_) if !into.is_empty() => self.check()?,
            _ => {}
        }
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
