//! Making the vectors of texts: of many records at once beforehand, since an encoder may be faster with many.

use std::collections::BTreeMap;

use storage::View;
use storage::ids::LabelId;
use storage::record::{Kind, Record};

use super::VectorIndex;
use super::content::{Cut, read, supplied};
use super::rows::flaw;
use super::vectors::Buffer;
use crate::error::{Error, ErrorKind, Result};
use crate::follower::Limits;

/// Vectors that are made between two moments at which they are made to last.
const UNSYNCED_MAX: usize = 64;
/// Why nothing of an assertion becomes a vector although it has words.
const WITHHELD: &str = "not given to the encoder for its label";

impl VectorIndex {
    /// Makes the vectors that records need which say something, the first of them as far as `limits` go; of how many all are
    /// there then. What cannot be one is left for when its record is applied.
    pub(super) fn make(
        &mut self,
        view: &View,
        records: &[Record],
        limits: Limits,
        stop: &dyn Fn() -> bool,
    ) -> Result<usize> {
        let (mut wanted, mut ready) = (BTreeMap::new(), 0);
        for record in records {
            if ready > 0 && wanted.len() >= limits.texts_max {
                break;
            }
            ready += 1;
            if record.kind == Kind::Asserted && self.is_said(view, record)? {
                self.cut_ahead(view, record, &mut wanted)?;
            }
        }
        let wanted: Vec<_> = wanted.into_iter().collect();
        for some in wanted.chunks(self.encoder.at_once().max(1)) {
            if stop() {
                return Err(Error::Stopped);
            }
            self.make_some(some)?;
        }
        Ok(ready)
    }

    /// Cuts what a record says into passages, and notes those that have no vector.
    fn cut_ahead(
        &mut self,
        view: &View,
        record: &Record,
        wanted: &mut BTreeMap<[u8; 16], String>,
    ) -> Result<()> {
        let Ok(cut) = self.cut(view, record)? else { return Ok(()) };
        for (passage, id) in cut.passages.iter().filter(|_| cut.brought.is_none()) {
            if self.log.vector(id).is_none() && self.held.sealed_vector(id).is_none() {
                wanted.entry(*id).or_insert_with(|| cut.text[passage.clone()].to_owned());
            }
        }
        self.cut.insert(record.lsn, cut);
        Ok(())
    }

    fn make_some(&mut self, some: &[([u8; 16], String)]) -> Result<()> {
        let texts: Vec<&str> = some.iter().map(|(_, text)| text.as_str()).collect();
        let vectors = match self.encoder.encode_all(&texts) {
            Ok(vectors) => vectors,
            // Which of them it is shows when each is encoded by itself.
            Err(error) if error.kind() == ErrorKind::Invalid => return Ok(()),
            Err(error) => return Err(error),
        };
        for ((id, _), vector) in some.iter().zip(&vectors) {
            if flaw(vector, self.dimension()).is_none() {
                self.log.add_vector(id, vector)?;
            }
        }
        self.log.sync_vectors(UNSYNCED_MAX)
    }

    /// What of a record becomes vectors, or why nothing does.
    pub(super) fn cut(&mut self, view: &View, record: &Record) -> Result<Result<Cut, String>> {
        if let Some(cut) = self.cut.remove(&record.lsn) {
            return Ok(Ok(cut));
        }
        let assertion = match read(record) {
            Ok(assertion) => assertion,
            Err(reason) => return Ok(Err(reason)),
        };
        // What came with its vector goes nowhere.
        if let Some(vector) = supplied(self.encoder.model(), &assertion) {
            return Ok(Ok(Cut::brought(assertion, self.encoder.model(), vector)));
        }
        if !self.may_have(view, record.label)? {
            return Ok(Err(WITHHELD.to_owned()));
        }
        Ok(Ok(Cut::of(assertion, &*self.encoder)))
    }

    /// Sees to it that the log has the vector of a text, or the one that was brought in its place; or why there is none.
    pub(super) fn keep_vector(
        &mut self,
        id: &[u8; 16],
        text: &str,
        brought: Option<&[f32]>,
    ) -> Result<Option<String>> {
        if self.log.vector(id).is_some() {
            return Ok(None);
        }
        if let Some((file, at)) = self.held.sealed_vector(id) {
            let mut buffer = Buffer::new(self.dimension());
            self.log.add_vector(id, buffer.read(&file, at, id)?)?;
            return Ok(None);
        }
        let made = brought.map_or_else(|| self.encoder.encode(text), |vector| Ok(vector.to_vec()));
        let vector = match made {
            Ok(vector) => vector,
            // The text is none for this model; another failure may pass.
            Err(error) if error.kind() == ErrorKind::Invalid => return Ok(Some(error.code().to_owned())),
            Err(error) => return Err(error),
        };
        let flaw = flaw(&vector, self.dimension());
        if flaw.is_none() {
            self.log.add_vector(id, &vector)?;
            self.log.sync_vectors(UNSYNCED_MAX)?;
        }
        Ok(flaw)
    }

    /// Whether the view still has what a record said.
    fn is_said(&self, view: &View, record: &Record) -> Result<bool> {
        let Ok(assertion) = read(record) else { return Ok(false) };
        let thing = view.thing_by_id(self.owner.tenant, &assertion.id)?;
        Ok(thing.is_some_and(|(_, row)| {
            !row.is_deleted() && row.said.iter().any(|said| said.lsn() == record.lsn)
        }))
    }

    fn may_have(&mut self, view: &View, label: LabelId) -> Result<bool> {
        if let Some(known) = self.may_have.get(&label) {
            return Ok(*known);
        }
        let may = self.encoder.may_have(&view.label(self.owner.tenant, label)?);
        self.may_have.insert(label, may);
        Ok(may)
    }
}
