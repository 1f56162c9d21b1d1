//! Folding: a log is begun anew, on top of a segment, with nothing but what that lacks.

use std::sync::Arc;

use super::build::{Build, Built};
use super::home::damaged;
use super::log::{Changes, Log};
use super::segment::Segment;
use super::state::Held;
use super::vectors::Buffer;
use super::{VectorIndex, open};
use crate::error::Result;

impl VectorIndex {
    /// A build of everything that is committed, for any thread; the index may be gone on with meanwhile.
    pub fn begin_build(&mut self) -> Build {
        Build {
            home: self.home.clone(),
            name: open::name("segment", self.next_generation()),
            owner: self.owner.text.clone(),
            state: self.held.state.clone(),
            position: self.position,
            dimension: self.dimension(),
        }
    }

    /// Goes on from a segment that was built: what it holds leaves the log. Everything applied before must be committed.
    ///
    /// # Errors
    /// `Io` if there is no space, `Damaged` if a vector is; the index stays as it was.
    pub fn adopt(&mut self, built: Built) -> Result<()> {
        let is_older = built.segment.position < self.scrubbed;
        self.fold(Some(built.segment))?;
        if is_older { self.scrub() } else { Ok(()) }
    }

    pub(super) fn next_generation(&mut self) -> u32 {
        self.generation += 1;
        self.generation
    }

    /// Begins the log anew on top of a segment, and deletes the files that are no longer needed.
    pub(super) fn fold(&mut self, segment: Option<Arc<Segment>>) -> Result<()> {
        let changes = differences(&self.held, segment.as_deref());
        let name = open::name("log", self.next_generation());
        let written = self.write_log(&name, segment.as_deref(), &changes).and_then(|log| {
            let mut held = Held::new(segment, Arc::clone(&log.file), self.dimension());
            held.apply(changes, &log)?;
            Ok((log, held))
        });
        let (log, held) = written.inspect_err(|_| self.home.abandon(&name))?;
        self.home.publish(&name)?;
        // The new log lacks the vectors that no commit names yet.
        self.filling = None;
        let old_log = std::mem::replace(&mut self.log, log).name;
        let old = std::mem::replace(&mut self.held, held).state.segment;
        self.publish();
        self.home.remove(&old_log)?;
        let new = self.held.state.segment.as_ref().map(|segment| &segment.name);
        match old {
            Some(old) if Some(&old.name) != new => self.home.remove(&old.name),
            _ => Ok(()),
        }
    }

    fn write_log(&self, name: &str, segment: Option<&Segment>, changes: &Changes) -> Result<Log> {
        let heading = open::heading(&self.owner, segment);
        let mut log = Log::create(&self.home, name, &heading, self.dimension())?;
        let mut buffer = Buffer::new(self.dimension());
        for row in changes.iter().flat_map(|(_, rows)| rows) {
            if log.vector(&row.text).is_some() {
                continue;
            }
            let here = self.log.vector(&row.text).map(|at| (Arc::clone(&self.log.file), at));
            let (file, at) = here
                .or_else(|| self.held.sealed_vector(&row.text))
                .ok_or_else(|| damaged("a vector is missing"))?;
            log.add_vector(&row.text, buffer.read(&file, at, &row.text)?)?;
        }
        log.commit(self.position, changes)?;
        Ok(log)
    }
}

/// What is there and the segment lacks, and what it has that is not there.
fn differences(held: &Held, segment: Option<&Segment>) -> Changes {
    let sealed = |key| segment.map_or(&[][..], |segment| &segment.rows[segment.document(key)]);
    let mut changes: Changes = Vec::new();
    for key in held.documents() {
        let rows = held.document(key);
        if sealed(key) != rows {
            changes.push((key, rows));
        }
    }
    let surplus = segment.into_iter().flat_map(Segment::documents).map(|(key, _)| key);
    changes.extend(surplus.filter(|key| held.document(*key).is_empty()).map(|key| (key, vec![])));
    changes
}
