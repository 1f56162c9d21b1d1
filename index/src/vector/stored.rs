//! The vectors that are stored of one thing: what others are compared with that are like it, and what may be handed out.

use std::collections::HashMap;
use std::ops::Range;

use storage::ids::{LabelId, ThingId};

use super::graph::row_of;
use super::rows::{Code, SUPPLIED};
use super::search::{Filter, Pinned, Test};
use super::vectors::Buffer;
use crate::error::Result;

/// A vector that is stored: of which passage. [`Pinned::vector`] reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The label of the assertion.
    pub label: LabelId,
    /// The passage, in bytes of its [`embedded`](super::embedded) text.
    pub passage: Range<u32>,
    /// Whether it came with the data.
    pub is_supplied: bool,
    row: usize,
}

impl Pinned {
    /// The vectors that are stored of a thing, of those of its documents that pass; the first passages first.
    #[must_use]
    pub fn stored(&self, thing: ThingId, filter: &Filter<'_>) -> Vec<Stored> {
        // Of any direction: how near its rows are is not asked.
        let mut direction = vec![0.0; self.model.dimension];
        direction[0] = 1.0;
        let mut rows = HashMap::from([(thing, vec![])]);
        self.rows_of(&mut rows, &Code::of(&direction), &Test::new(filter, &self.state));
        let of_row = |row: usize| {
            let found = self.state.row(row);
            let is_supplied = found.flags & SUPPLIED != 0;
            Stored { label: found.label, passage: found.start..found.end, is_supplied, row }
        };
        let rows = rows.into_values().flatten().map(|number| of_row(row_of(number) as usize));
        let mut stored: Vec<_> = rows.collect();
        stored.sort_unstable_by_key(|stored| (stored.passage.start, stored.row));
        stored
    }

    /// The components of a stored vector of this index, which has unit length.
    ///
    /// # Errors
    /// `Damaged` or `Io` if the files fail.
    pub fn vector(&self, stored: &Stored) -> Result<Vec<f32>> {
        let place = self.state.stored(stored.row);
        let mut buffer = Buffer::new(self.model.dimension);
        let vector = buffer.read(place.file, place.at, &place.row.text);
        vector.map(<[f32]>::to_vec).inspect_err(|error| self.note(error))
    }
}
