//! A bootstrap, a piece at a time: to make the vectors of a large tenant takes hours, and others are not to wait for that.
//!
//! What there is to do is listed once, from the view with which it begins. Each piece is read with the view of its own time: what is
//! no longer said is left out, and what is said anew comes in by its own record, when everything up to that first view is there.

use std::collections::BTreeMap;

use storage::View;
use storage::ids::{Lsn, ThingId};
use storage::record::Record;

use super::VectorIndex;
use super::rows::{Key, Row};
use crate::error::{Error, Result};
use crate::follower::{Applied, Bootstrap, Limits, Skipped};
use crate::present::Present;

/// A bootstrap that is not done.
pub(super) struct Filling {
    present: Present,
    /// How many of the present assertions are taken in.
    done: usize,
    /// The end of the log in the view with which it began.
    upto: Lsn,
    /// What they say: the passages of a document, or none any more.
    documents: BTreeMap<Key, Vec<Row>>,
    indexed: u64,
    skipped: Skipped,
}

impl VectorIndex {
    /// Does a piece of a bootstrap, the first if none is done yet. It stays as it was if no vectors can be made now.
    pub(super) fn fill(
        &mut self,
        view: &View,
        limits: Limits,
        skipped: &mut Skipped,
        stop: &dyn Fn() -> bool,
    ) -> Result<Bootstrap> {
        let mut filling = match self.filling.take() {
            Some(filling) => filling,
            None => self.begin_filling(view, stop)?,
        };
        let (things, records) = filling.next(view, limits)?;
        let ready = match self.make(view, &records, limits, stop) {
            Ok(ready) => ready,
            Err(error) => {
                self.filling = Some(filling);
                return Err(error);
            }
        };
        self.pending = std::mem::take(&mut filling.documents);
        for (thing, record) in things.into_iter().zip(&records).take(ready) {
            if stop() {
                return Err(Error::Stopped);
            }
            self.fill_in(view, thing, record, &mut filling)?;
        }
        if filling.done < filling.present.count() {
            filling.documents = std::mem::take(&mut self.pending);
            self.filling = Some(filling);
            return Ok(Bootstrap::More);
        }
        *skipped = filling.skipped;
        Ok(Bootstrap::Done { upto: filling.upto, indexed: filling.indexed })
    }

    fn begin_filling(&self, view: &View, stop: &dyn Fn() -> bool) -> Result<Filling> {
        Ok(Filling {
            present: Present::of(view, self.owner.tenant, stop)?,
            done: 0,
            upto: view.head(self.owner.tenant)?.head(),
            documents: self.held.documents().into_iter().map(|key| (key, vec![])).collect(),
            indexed: 0,
            skipped: Skipped::default(),
        })
    }

    fn fill_in(&mut self, view: &View, thing: ThingId, record: &Record, filling: &mut Filling) -> Result<()> {
        filling.done += 1;
        let row = view.thing(self.owner.tenant, thing)?;
        if row.is_deleted() || !row.said.iter().any(|said| said.lsn() == record.lsn) {
            return Ok(());
        }
        match self.put(view, thing, record)? {
            Applied::Skipped(reason) => filling.skipped.add(record.lsn, reason),
            _ => filling.indexed += 1,
        }
        Ok(())
    }
}

impl Filling {
    /// The next present assertions, with the things that they are of.
    fn next(&self, view: &View, limits: Limits) -> Result<(Vec<ThingId>, Vec<Record>)> {
        let next = self.present.read(view, self.done, limits.records_max)?;
        Ok(next.into_iter().unzip())
    }
}
