//! What a view says now: every present assertion, read from the log in the log's own order; and which records change it.

use std::ops::ControlFlow;

use storage::View;
use storage::ids::{Lsn, TenantId, ThingId};
use storage::record::{Kind, Record};

use crate::error::{Error, Result};

/// Bodies that are held at once while the log is read.
const BATCH_BYTES: usize = 4 << 20;
/// Over this many records in between it is cheaper to look the next one up than to read on.
const READ_ON_RECORDS: u64 = 256;

/// What a record changes of what is said.
pub(crate) enum Change {
    /// A source said something.
    Said,
    /// A source took back what it said.
    Withdrawn,
    /// A thing was hidden, or shown again.
    Toggled,
    /// Something went without a record that names it.
    Erased,
    Nothing,
}

impl Change {
    /// A new kind of record is to be thought of here.
    pub(crate) fn of(kind: Kind) -> Change {
        match kind {
            Kind::Asserted => Change::Said,
            Kind::Withdrawn => Change::Withdrawn,
            Kind::Deleted | Kind::Restored => Change::Toggled,
            Kind::RedactionBegan | Kind::RedactionEnded | Kind::Purged => Change::Erased,
            Kind::Tenant
            | Kind::Label
            | Kind::Source
            | Kind::Token
            | Kind::TokenRevoked
            | Kind::RunBegan
            | Kind::RunEnded
            | Kind::LinkMade
            | Kind::SignedIn
            | Kind::SignedOut
            | Kind::Policy
            | Kind::DecisionsClosed
            | Kind::SubjectMet
            | Kind::SubjectDenied
            | Kind::SubjectAdmitted
            | Kind::OutsideTokenDenied
            | Kind::GraphSaved
            | Kind::GraphDeleted
            | Kind::EpochBegan
            | Kind::RedactionLifted
            | Kind::HoldSet
            | Kind::HoldRemoved
            | Kind::FlagSet
            | Kind::FlagStopped
            | Kind::FlagResumed => Change::Nothing,
        }
    }
}

/// The present assertions of a tenant's visible things: 16 bytes of memory each.
pub(crate) struct Present {
    tenant: TenantId,
    said: Vec<(Lsn, ThingId)>,
}

impl Present {
    pub(crate) fn of(view: &View, tenant: TenantId, stop: &dyn Fn() -> bool) -> Result<Present> {
        let (mut said, mut stopped) = (Vec::new(), false);
        view.things(tenant, &mut |thing, row| {
            stopped = thing.0 % 1024 == 0 && stop();
            if !row.is_deleted() {
                said.extend(row.said.iter().map(|said| (said.lsn(), thing)));
            }
            Ok(if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        if stopped {
            return Err(Error::Stopped);
        }
        said.sort_unstable();
        Ok(Present { tenant, said })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.said.len()
    }

    /// Visits every assertion. The view may be asked in the visit.
    pub(crate) fn each(
        &self,
        view: &View,
        stop: &dyn Fn() -> bool,
        visit: &mut dyn FnMut(ThingId, Record) -> Result<()>,
    ) -> Result<()> {
        let mut done = 0;
        while done < self.said.len() {
            if stop() {
                return Err(Error::Stopped);
            }
            let records = self.read(view, done, usize::MAX)?;
            done += records.len();
            for (thing, record) in records {
                visit(thing, record)?;
            }
        }
        Ok(())
    }

    /// The records of the assertions behind the first so many: one at least if there are any, and at most `count_max`.
    pub(crate) fn read(&self, view: &View, done: usize, count_max: usize) -> Result<Vec<(ThingId, Record)>> {
        let wanted = &self.said[done..self.said.len().min(done.saturating_add(count_max.max(1)))];
        if wanted.is_empty() {
            return Ok(vec![]);
        }
        let (mut records, mut bytes) = (Vec::new(), 0);
        view.records(self.tenant, wanted[0].0, &mut |record| {
            let (lsn, thing) = wanted[records.len()];
            let at = record.lsn;
            if at == lsn {
                bytes += record.body().map_or(0, <[u8]>::len);
                records.push((thing, record));
            }
            let next = wanted.get(records.len());
            let more = bytes < BATCH_BYTES && next.is_some_and(|(next, _)| next.0 - at.0 <= READ_ON_RECORDS);
            Ok(if more { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        if records.is_empty() {
            return Err(Error::Storage(storage::Error::Corrupt {
                what: "things",
                detail: format!("record {} is not in the log", wanted[0].0),
            }));
        }
        Ok(records)
    }
}
