//! The vectors that are stored of one thing: what others are compared with that are like it.

use std::collections::HashMap;

use storage::ids::ThingId;

use super::graph::row_of;
use super::rows::Code;
use super::search::{Filter, Pinned, Test};
use super::vectors::Buffer;
use crate::error::Result;

impl Pinned {
    /// The stored vectors of a thing, of those of its documents that pass; at most so many, the first passages first.
    ///
    /// # Errors
    /// `Damaged` or `Io` if the files fail.
    pub fn stored(&self, thing: ThingId, filter: &Filter<'_>, max: usize) -> Result<Vec<Vec<f32>>> {
        // Of any direction: how near its rows are is not asked.
        let mut direction = vec![0.0; self.model.dimension];
        direction[0] = 1.0;
        let mut rows = HashMap::from([(thing, vec![])]);
        self.rows_of(&mut rows, &Code::of(&direction), &Test::new(filter, &self.state));
        let mut numbers: Vec<u32> = rows.into_values().flatten().map(row_of).collect();
        numbers.sort_unstable_by_key(|number| (self.state.row(*number as usize).start, *number));
        let mut buffer = Buffer::new(self.model.dimension);
        let read = |number: &u32| {
            let stored = self.state.stored(*number as usize);
            let vector = buffer.read(stored.file, stored.at, &stored.row.text);
            vector.map(<[f32]>::to_vec).inspect_err(|error| self.note(error))
        };
        numbers.iter().take(max).map(read).collect()
    }
}
