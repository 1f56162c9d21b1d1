//! How much searches find of what is nearest, measured on an index that is in use: with some of its own vectors as questions, as a
//! search looks for them and by a comparison with everything.

use super::rows::{Code, Key};
use super::search::{Filter, Looking, Near, Pinned, Test};
use super::segment::Segment;
use super::vectors::Buffer;
use crate::error::Result;
use crate::text::Allowed;

/// Nearest that are looked for.
const NEAREST: usize = 10;
/// What is as near as this is as good: texts that are the same have the same vector.
const TOLERANCE: f32 = 1e-6;
/// Turns go by all rows in steps that are far from each other.
const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;

/// How much of what is nearest was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recall {
    /// Vectors that were used as questions.
    pub samples: usize,
    /// Of their nearest, so many were found,
    pub found: usize,
    /// and so many there are.
    pub wanted: usize,
}

impl Recall {
    /// What was found of what there is.
    #[must_use]
    pub fn share(self) -> f64 {
        self.found as f64 / self.wanted.max(1) as f64
    }
}

impl std::ops::Add for Recall {
    type Output = Recall;

    fn add(self, more: Recall) -> Recall {
        Recall {
            samples: self.samples + more.samples,
            found: self.found + more.found,
            wanted: self.wanted + more.wanted,
        }
    }
}

impl Pinned {
    /// Whether there is a graph to be walked: otherwise everything is compared, and found.
    #[must_use]
    pub fn has_graph(&self) -> bool {
        self.state.segment.as_ref().is_some_and(|segment| segment.curve.width > 0)
    }

    /// Measures with so many of the segment's vectors, others at each turn. What was not measured when `stop` said so is left out.
    ///
    /// # Errors
    /// `Damaged` or `Io` if the files fail.
    pub fn recall(&self, turn: u64, samples: usize, stop: &dyn Fn() -> bool) -> Result<Recall> {
        let mut recall = Recall::default();
        let Some(segment) = self.state.segment.as_ref().filter(|_| self.has_graph()) else {
            return Ok(recall);
        };
        let mut buffer = Buffer::new(self.model.dimension);
        for sample in 0..samples as u64 {
            let row = row_of_turn(turn * samples as u64 + sample, segment.rows.len());
            if self.state.dead.has(row) {
                continue;
            }
            let read = buffer.read(&segment.file, segment.at(row), &segment.rows[row].text);
            let query = read.inspect_err(|error| self.note(error))?;
            match self.measure(segment, row, query, stop)? {
                Some(measured) => recall = recall + measured,
                None => break,
            }
        }
        Ok(recall)
    }

    /// Compares both searches for a row; `None` if they were stopped.
    fn measure(
        &self,
        segment: &Segment,
        row: usize,
        query: &[f32],
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Recall>> {
        let filter = Filter { labels: &Allowed::Every, form: None, time: None, include_revoked: true };
        let (code, test) = (Code::of(query), Test::new(&filter, &self.state));
        // A question has no links of its own that would lead to what is near it.
        let hidden = Some(row as u32);
        let looking = Looking { state: &self.state, query: code, test, width: self.width, hidden, stop };
        // Its own document is the nearest of all.
        let k = NEAREST + 1;
        let (Some((walked, exact)), Some(scanned)) = (looking.sealed(k), looking.scan_sealed()) else {
            return Ok(None);
        };
        let walked = self.settle(query, k, walked, exact, stop)?;
        let scanned = self.settle(query, k, scanned, true, stop)?;
        if !walked.complete || !scanned.complete {
            return Ok(None);
        }
        let own = segment.rows[row].key();
        // A search that found too few by walking goes on to compare everything.
        let walked = if walked.near.len() < k { scanned.clone() } else { walked };
        let (found, wanted) = (others(walked.near, own), others(scanned.near, own));
        let floor = wanted.last().map_or(f32::INFINITY, |near| near.cosine - TOLERANCE);
        let found = found.iter().filter(|near| near.cosine >= floor).count().min(wanted.len());
        Ok(Some(Recall { samples: 1, found, wanted: wanted.len() }))
    }
}

fn row_of_turn(number: u64, rows: usize) -> usize {
    let spread = number.wrapping_mul(STRIDE);
    ((u128::from(spread) * rows as u128) >> 64) as usize
}

fn others(mut near: Vec<Near>, own: Key) -> Vec<Near> {
    near.retain(|near| (near.thing, near.label) != own);
    near.truncate(NEAREST);
    near
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::row_of_turn;

    #[test]
    fn turns_come_by_all_rows() {
        let met: BTreeSet<usize> = (0..4_000).map(|number| row_of_turn(number, 1_000)).collect();
        assert_eq!(met.len(), 1_000);
        assert_eq!(met.last(), Some(&999));
    }
}
