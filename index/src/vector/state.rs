//! What an index holds at a commit: a sealed segment, what came since, and which rows of either are gone.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use storage::ids::{LabelId, ThingId};

use super::home::{File, damaged};
use super::log::{Changes, Log};
use super::rows::{Bits, Code, Codes, Key, Row};
use super::segment::Segment;
use super::vectors::Buffer;
use crate::error::Result;

/// Rows that are shared with readers until one more comes: so many are copied for it at most.
const CHUNK_ROWS: usize = 256;

/// An index as of one commit; cheap to clone.
#[derive(Clone)]
pub(super) struct State {
    pub(super) segment: Option<Arc<Segment>>,
    /// Rows of the segment that are gone.
    pub(super) dead: Arc<Bits>,
    pub(super) delta: Delta,
}

/// Rows that came since the segment was built.
#[derive(Clone)]
pub(super) struct Delta {
    pub(super) file: Arc<File>,
    chunks: Vec<Arc<Chunk>>,
    pub(super) dead: Arc<Bits>,
    dimension: usize,
}

#[derive(Clone)]
pub(super) struct Chunk {
    pub(super) rows: Vec<Row>,
    pub(super) codes: Codes,
    /// Where their vectors are in the log's file.
    at: Vec<u64>,
}

/// A row, its bytes and the place of its vector.
pub(super) struct Stored<'a> {
    pub(super) row: &'a Row,
    pub(super) codes: &'a Codes,
    pub(super) number: usize,
    pub(super) file: &'a Arc<File>,
    pub(super) at: u64,
}

impl Delta {
    fn new(file: Arc<File>, dimension: usize) -> Delta {
        Delta { file, chunks: Vec::new(), dead: Arc::default(), dimension }
    }

    pub(super) fn len(&self) -> usize {
        let full = self.chunks.len().saturating_sub(1) * CHUNK_ROWS;
        full + self.chunks.last().map_or(0, |chunk| chunk.rows.len())
    }

    fn push(&mut self, row: Row, at: u64, code: &Code) {
        if self.chunks.last().is_none_or(|chunk| chunk.rows.len() == CHUNK_ROWS) {
            let (rows, at) = (Vec::new(), Vec::new());
            self.chunks.push(Arc::new(Chunk { rows, codes: Codes::new(self.dimension), at }));
        }
        let Some(last) = self.chunks.last_mut() else { return };
        let chunk = Arc::make_mut(last);
        chunk.rows.push(row);
        chunk.codes.push(code);
        chunk.at.push(at);
    }

    /// Every chunk, with the number of its first row.
    pub(super) fn chunks(&self) -> impl Iterator<Item = (usize, &Chunk)> {
        self.chunks.iter().enumerate().map(|(number, chunk)| (number * CHUNK_ROWS, chunk.as_ref()))
    }

    pub(super) fn row(&self, number: usize) -> &Row {
        &self.chunks[number / CHUNK_ROWS].rows[number % CHUNK_ROWS]
    }
}

impl State {
    /// Rows of the segment: those of the delta are numbered behind them.
    pub(super) fn sealed(&self) -> usize {
        self.segment.as_ref().map_or(0, |segment| segment.rows.len())
    }

    /// Rows of both, gone or not.
    pub(super) fn rows(&self) -> usize {
        self.sealed() + self.delta.len()
    }

    pub(super) fn is_dead(&self, number: usize) -> bool {
        match number.checked_sub(self.sealed()) {
            None => self.dead.has(number),
            Some(number) => self.delta.dead.has(number),
        }
    }

    pub(super) fn row(&self, number: usize) -> &Row {
        match &self.segment {
            Some(segment) if number < segment.rows.len() => &segment.rows[number],
            _ => self.delta.row(number - self.sealed()),
        }
    }

    pub(super) fn stored(&self, number: usize) -> Stored<'_> {
        match &self.segment {
            Some(segment) if number < segment.rows.len() => Stored {
                row: &segment.rows[number],
                codes: &segment.codes,
                number,
                file: &segment.file,
                at: segment.at(number),
            },
            _ => {
                let number = number - self.sealed();
                let (chunk, number) = (&self.delta.chunks[number / CHUNK_ROWS], number % CHUNK_ROWS);
                let (row, at) = (&chunk.rows[number], chunk.at[number]);
                Stored { row, codes: &chunk.codes, number, file: &self.delta.file, at }
            }
        }
    }

    /// Rows that are there.
    pub(super) fn live(&self) -> usize {
        self.rows() - self.dead.count() - self.delta.dead.count()
    }
}

/// A state as its writer knows it: also by document and by text.
pub(super) struct Held {
    pub(super) state: State,
    /// The rows of documents that are in the delta.
    places: BTreeMap<Key, Range<u32>>,
    /// Rows of the segment by their texts.
    texts: HashMap<[u8; 16], u32>,
}

impl Held {
    pub(super) fn new(segment: Option<Arc<Segment>>, file: Arc<File>, dimension: usize) -> Held {
        let (mut texts, mut dead) = (HashMap::new(), Bits::default());
        if let Some(segment) = &segment {
            dead = Bits::none(segment.rows.len());
            for (number, row) in segment.rows.iter().enumerate() {
                if row.flags & super::rows::VOID == 0 {
                    texts.insert(row.text, number as u32);
                } else {
                    dead.add(number);
                }
            }
        }
        let delta = Delta::new(file, dimension);
        let state = State { segment, dead: Arc::new(dead), delta };
        Held { state, places: BTreeMap::new(), texts }
    }

    /// Where the segment has the vector of a text.
    pub(super) fn sealed_vector(&self, text: &[u8; 16]) -> Option<(Arc<File>, u64)> {
        let (row, segment) = (self.texts.get(text)?, self.state.segment.as_ref()?);
        Some((Arc::clone(&segment.file), segment.at(*row as usize)))
    }

    /// Takes in changes; the log has their vectors.
    pub(super) fn apply(&mut self, changes: Changes, log: &Log) -> Result<()> {
        let mut buffer = Buffer::new(self.state.delta.dimension);
        for (key, rows) in changes {
            self.remove(key);
            let from = self.state.delta.len() as u32;
            for row in &rows {
                let at = log.vector(&row.text).ok_or_else(|| damaged("a vector is missing"))?;
                let code = Code::of(buffer.read(&log.file, at, &row.text)?);
                self.state.delta.push(*row, at, &code);
            }
            if !rows.is_empty() {
                self.places.insert(key, from..from + rows.len() as u32);
            }
        }
        Ok(())
    }

    fn remove(&mut self, key: Key) {
        if let Some(rows) = self.places.remove(&key) {
            let dead = Arc::make_mut(&mut self.state.delta.dead);
            rows.for_each(|row| {
                dead.add(row as usize);
            });
        }
        let rows = self.state.segment.as_ref().map_or(0..0, |segment| segment.document(key));
        if !rows.is_empty() {
            let dead = Arc::make_mut(&mut self.state.dead);
            rows.for_each(|row| {
                dead.add(row);
            });
        }
    }

    /// The rows of a document; none if it is not there.
    pub(super) fn document(&self, key: Key) -> Vec<Row> {
        if let Some(rows) = self.places.get(&key) {
            return rows.clone().map(|row| *self.state.delta.row(row as usize)).collect();
        }
        let Some(segment) = &self.state.segment else { return vec![] };
        let rows = segment.document(key);
        if rows.start < rows.end && self.state.dead.has(rows.start) {
            vec![]
        } else {
            segment.rows[rows].to_vec()
        }
    }

    /// The labels under which a thing has documents.
    pub(super) fn labels_of(&self, thing: ThingId) -> Vec<LabelId> {
        let fresh = self.places.range((thing, LabelId(0))..=(thing, LabelId(u32::MAX)));
        let mut labels: Vec<_> = fresh.map(|(key, _)| key.1).collect();
        if let Some(segment) = &self.state.segment {
            let live = segment.of_thing(thing).filter(|row| !self.state.dead.has(*row));
            labels.extend(live.map(|row| segment.rows[row].label));
        }
        labels.sort_unstable();
        labels.dedup();
        labels
    }

    /// Every document there is.
    pub(super) fn documents(&self) -> Vec<Key> {
        let mut keys: Vec<Key> = self.places.keys().copied().collect();
        if let Some(segment) = &self.state.segment {
            let live = segment.documents().filter(|(_, rows)| !self.state.dead.has(rows.start));
            keys.extend(live.map(|(key, _)| key));
        }
        keys
    }
}
