//! Letting go of what was erased: its documents first, and then the bytes that are still in the files.
//!
//! What is erased is named by no record, so the index is compared with what is there. The log is written anew without
//! whatever no document needs. A segment with rows that are gone is written anew with nothing but their places: the rows
//! are zeros, no link leads to them, and whoever did is linked to where they led.

use std::ops::ControlFlow;
use std::sync::Arc;

use storage::View;
use storage::record::Record;

use super::build::{LINKS_MAX, mend};
use super::graph::{Graph, Links};
use super::rows::{Bits, Codes, Key, Row, Scale, VOID};
use super::segment::{Parts, Segment, write};
use super::vectors::Buffer;
use super::{VectorIndex, open};
use crate::error::{Error, Result};
use crate::follower::{Applied, Follower as _};

/// What a build or a scrub takes from others while it runs: nothing asks it to stop.
const GO_ON: &(dyn Fn() -> bool + Sync) = &|| false;

impl VectorIndex {
    /// Forgets documents of what the view does not show.
    pub(super) fn sweep(&mut self, view: &View, record: &Record) -> Result<Applied> {
        // What the last one looked at was a view that held this record, too; and since then nothing is put that is not there.
        if record.lsn <= self.swept {
            return Ok(Applied::Ignored);
        }
        let gone = self.forget_gone(view)?;
        self.swept = view.head(self.owner.tenant)?.head();
        Ok(if gone == 0 { Applied::Ignored } else { Applied::Indexed })
    }

    /// Rids the index and its files of what the view does not show, without going on in the log. What is read later is
    /// of a view that does not show it either.
    ///
    /// # Errors
    /// As for [`VectorIndex::scrub`].
    pub fn forget_erased(&mut self, view: &View) -> Result<()> {
        self.rollback()?;
        self.forget_gone(view)?;
        self.commit(self.position)?;
        self.scrub()
    }

    /// Forgets documents of what the view does not show; how many.
    fn forget_gone(&mut self, view: &View) -> Result<usize> {
        let present = self.present(view)?;
        let pending = self.pending.iter().filter(|(_, rows)| !rows.is_empty()).map(|(key, _)| *key);
        let held: Vec<_> = self.held.documents().into_iter().chain(pending).collect();
        let gone: Vec<_> = held.into_iter().filter(|key| present.binary_search(key).is_err()).collect();
        for (thing, label) in &gone {
            self.forget_label(*thing, *label);
        }
        Ok(gone.len())
    }

    /// What may have a document, in order: 16 bytes each.
    fn present(&self, view: &View) -> Result<Vec<Key>> {
        let mut present = Vec::new();
        view.things(self.owner.tenant, &mut |thing, row| {
            if !row.is_deleted() {
                present.extend(row.said.iter().map(|said| (thing, said.label())));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        present.sort_unstable();
        Ok(present)
    }

    /// Rewrites whatever holds vectors of documents that are gone, and deletes the old files. Everything applied before must
    /// be committed. Readers that still hold an older state keep its files until they let go of it.
    ///
    /// # Errors
    /// `Io` if there is no space; the index stays as it was.
    pub fn scrub(&mut self) -> Result<()> {
        let segment = self.held.state.segment.clone();
        let has_gone = |segment: &Segment| {
            let dead = &self.held.state.dead;
            (0..segment.rows.len()).any(|row| dead.has(row) && segment.rows[row].flags & VOID == 0)
        };
        let segment = match segment {
            Some(segment) if has_gone(&segment) => {
                let dead = Arc::clone(&self.held.state.dead);
                Some(Arc::new(self.rewrite(&segment, &dead)?))
            }
            other => other,
        };
        self.fold(segment)?;
        self.scrubbed = self.position;
        Ok(())
    }

    /// The same segment without what is gone.
    fn rewrite(&mut self, segment: &Segment, dead: &Bits) -> Result<Segment> {
        let name = open::name("segment", self.next_generation());
        let (graph, _) = mend_without(segment, dead)?;
        let mut parts = Parts {
            rows: segment.rows.clone(),
            codes: segment.codes.clone(),
            graph,
            curve: segment.curve.clone(),
            position: segment.position,
        };
        for row in (0..parts.rows.len()).filter(|row| dead.has(*row)) {
            empty(&mut parts, row);
        }
        let (mut buffer, zeros) = (Buffer::new(self.dimension()), vec![0.0; self.dimension()]);
        let mut vectors = |row: usize, take: &mut dyn FnMut(&[f32])| {
            if dead.has(row) {
                take(&zeros);
                return Ok(());
            }
            buffer.read(&segment.file, segment.at(row), &segment.rows[row].text).map(take)
        };
        write(&self.home, (&name, &self.owner.text), parts, &mut vectors, &|| false)
    }

    /// Whether all files are as they were written: reads all of them.
    ///
    /// # Errors
    /// `Damaged` if one is not: the index is then to be reset; `Stopped`, `Io`.
    pub fn check(&self, stop: &dyn Fn() -> bool) -> Result<()> {
        self.checks().run(stop)
    }

    /// The same, for another thread.
    #[must_use]
    pub fn checks(&self) -> Checks {
        let segment = self.held.state.segment.as_ref().map(|segment| segment.name.clone());
        let (log, len) = (self.log.name.clone(), self.log.len());
        Checks { home: self.home.clone(), segment, log, len, dimension: self.dimension() }
    }
}

/// What is to be read to know that an index is whole.
pub struct Checks {
    home: super::Home,
    segment: Option<String>,
    log: String,
    len: u64,
    dimension: usize,
}

impl Checks {
    /// Reads all files.
    ///
    /// # Errors
    /// As for [`VectorIndex::check`]. An index that has been folded meanwhile has other files: that is `Io`.
    pub fn run(&self, stop: &dyn Fn() -> bool) -> Result<()> {
        let open = |name: &String| {
            self.home.open(name)?.ok_or_else(|| Error::Io(format!("`{name}` is there no more")))
        };
        super::log::Log::check(&open(&self.log)?, self.len, self.dimension)?;
        match &self.segment {
            Some(segment) => Segment::check(&open(segment)?, self.dimension, stop),
            None => Ok(()),
        }
    }
}

/// Nothing is left of a row but its place.
fn empty(parts: &mut Parts, row: usize) {
    let Row { thing, label, start, .. } = parts.rows[row];
    parts.rows[row] = Row { thing, label, start, end: 0, time_us: 0, flags: VOID, text: [0; 16] };
    let Codes { dimension, bytes, scales } = &mut parts.codes;
    bytes[row * *dimension..(row + 1) * *dimension].fill(0);
    scales[row] = Scale::default();
}

/// The graph without links to what is gone; who had one is linked to where that one led.
fn mend_without(segment: &Segment, dead: &Bits) -> Result<(Graph, usize)> {
    if segment.graph.is_empty() {
        return Ok((Graph::default(), 0));
    }
    let codes = &segment.codes;
    let mut graph = segment.graph.clone();
    graph.ground = relinked(codes, &graph.ground, None, dead);
    for level in &mut graph.levels {
        level.links = relinked(codes, &level.links, Some(&level.rows), dead);
    }
    // A walk that began at a row that is gone would lead nowhere.
    let live = |rows: &Vec<u32>| rows.iter().find(|row| !dead.has(**row as usize)).copied();
    while graph.levels.last().is_some_and(|level| live(&level.rows).is_none()) {
        graph.levels.pop();
    }
    let all = || (0..codes.len() as u32).find(|row| !dead.has(*row as usize));
    let entry = graph.levels.last().map_or_else(all, |level| live(&level.rows));
    graph.entry = entry.unwrap_or(0);
    mend(codes, graph, Some(dead), GO_ON)
}

/// Links of rows, which are numbered as `rows` says, without those to what is gone.
fn relinked(codes: &Codes, links: &Links, rows: Option<&Vec<u32>>, dead: &Bits) -> Links {
    let number = |at: usize| rows.map_or(at as u32, |rows| rows[at]);
    let place = |row: u32| rows.map_or(Some(row as usize), |rows| rows.binary_search(&row).ok());
    let is_dead = |row: &u32| dead.has(*row as usize);
    let list = |at: usize| {
        let own = links.of(at);
        if is_dead(&number(at)) {
            return vec![];
        }
        if !own.iter().any(is_dead) {
            return own.to_vec();
        }
        let beyond = own.iter().filter(|row| is_dead(row)).filter_map(|row| place(*row));
        let mut near: Vec<u32> = own.iter().chain(beyond.flat_map(|at| links.of(at))).copied().collect();
        near.retain(|row| !is_dead(row) && *row != number(at));
        near.sort_unstable();
        near.dedup();
        let cosine = |row: &u32| codes.between(number(at) as usize, *row as usize);
        near.sort_by(|one, other| cosine(other).total_cmp(&cosine(one)));
        near.truncate(LINKS_MAX);
        near
    };
    Links::of_lists(&(0..links.rows()).map(list).collect::<Vec<_>>())
}
