//! How far a file has been read, and how far it had been when an import of it was cut off.
//!
//! A file is known by its digest together with everything that decides what is made of it. What a run that did not complete
//! has made durable of the same file is not said again: it is looked up, and passed over if it is there.

use sha2::{Digest as _, Sha256};
use storage::Result;
use storage::View;
use storage::commands::{Command, Progress};
use storage::ids::{RunId, SourceId, TenantId};
use storage::model::Said;

use super::Request;
use crate::app::{App, VERSION};
use crate::ingest::files::csv::Declared;
use crate::ingest::upload::Digest;

/// Where the reading of one file is.
#[derive(Default)]
pub(super) struct Position {
    /// What the file is known by, if it can be gone on with.
    file: Option<[u8; 32]>,
    /// Things read so far.
    things: u64,
    /// What an earlier run had made durable.
    before: Option<Before>,
}

/// What was durable when this run began to read the file.
struct Before {
    view: View,
    tenant: TenantId,
    source: SourceId,
    run: RunId,
    things: u64,
}

impl Position {
    /// The beginning of a file of that digest; one without is read as if it had never been read.
    pub(super) fn at_start(
        app: &App,
        (tenant, source): (TenantId, SourceId),
        request: &Request,
        mapping: Option<&Declared>,
        digest: Option<Digest>,
    ) -> Result<Position> {
        let Some(digest) = digest else { return Ok(Position::default()) };
        let file = name(&digest, request, mapping);
        let view = app.store.view()?;
        let Some(row) = view.progress(tenant, source, &file)? else {
            return Ok(Position { file: Some(file), ..Position::default() });
        };
        let run = RunId(row.run);
        // A run that is still reading the file has not been cut off.
        let is_over = view.run(tenant, run)?.is_some_and(|run| run.end.is_some());
        let before = is_over.then_some(Before { view, tenant, source, run, things: row.things });
        Ok(Position { file: Some(file), things: 0, before })
    }

    /// Goes past the next thing: whether it is durable already.
    pub(super) fn pass(&mut self, said: &Said) -> Result<bool> {
        self.things += 1;
        let Some(before) = &self.before else { return Ok(false) };
        if self.things > before.things {
            self.before = None;
            return Ok(false);
        }
        // What was refused, or set aside and then refused, is not there; it is tried again.
        let known = before.view.thing_by_id(before.tenant, &said.id)?;
        Ok(known.is_some_and(|(_, row)| row.said_by(before.source).next().is_some()))
    }

    /// The run that was cut off, and how many things it had read.
    pub(super) fn resumed(&self) -> Option<(RunId, u64)> {
        self.before.as_ref().map(|before| (before.run, before.things))
    }

    /// What remembers where the reading is, once the things before are durable.
    pub(super) fn command(&self, tenant: TenantId, source: SourceId, run: RunId) -> Option<Command> {
        let file = self.file?;
        // What is tried again on the way does not take back how far the run before had come.
        let things = self.before.as_ref().map_or(self.things, |before| self.things.max(before.things));
        Some(Command::Progress(Progress { tenant, source, run, file, things }))
    }
}

/// A file read on other terms, by another mapping or by another program is another file.
fn name(digest: &Digest, request: &Request, mapping: Option<&Declared>) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mapping = mapping.map(|declared| declared.used.sha256).unwrap_or_default();
    let (format, terms) = (request.format.to_string(), request.source.encode());
    for field in [digest.as_slice(), format.as_bytes(), &mapping, &terms, VERSION.as_bytes()] {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    hash.finalize().into()
}
