//! Building a segment: hnsw_rs finds the links, which are then checked, mended and sealed.

mod links;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use storage::ids::{LabelId, Lsn, ThingId};

pub(super) use self::links::mend;
use self::links::{LINKS, wire};
use super::graph::{Graph, Way, rank};
use super::home::Home;
use super::rows::{Code, Codes, Row, cosine};
use super::search::settle;
use super::segment::{Curve, Parts, Segment, write};
use super::state::State;
use super::vectors::Buffer;
use crate::error::{Error, Result};

/// Fewer rows have no graph: comparing them all is as fast.
pub const GRAPH_ROWS_MIN: usize = 4_000;
/// What of the ten nearest a walk has to find.
pub const RECALL_MIN: f32 = 0.99;
/// A graph that finds less of them at its widest is not walked.
const RECALL_USABLE: f32 = 0.95;
/// Rows that the width is chosen by.
const SAMPLES: usize = 200;
/// Nearest that are looked for.
const NEAREST: usize = 10;
/// Widths that are tried.
const WIDTHS: [u32; 13] = [16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024];
/// What hnsw_rs takes for a row beside its vector, in bytes.
const ROW_BYTES: usize = 3_200;

/// A build that has not begun: it needs the index no more until it is done.
pub struct Build {
    pub(super) home: Home,
    pub(super) name: String,
    pub(super) owner: String,
    pub(super) state: State,
    pub(super) position: Lsn,
    pub(super) dimension: usize,
}

/// A segment that was built, to be [adopted](super::VectorIndex::adopt).
pub struct Built {
    pub(super) segment: Arc<Segment>,
    /// What the build did.
    pub report: Report,
}

/// What a build did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Vectors in the segment.
    pub vectors: usize,
    /// Of them, so many could not be reached from the entry and were linked.
    pub mended: usize,
    /// How much walks find, by their width.
    pub curve: Curve,
}

/// What a build may take.
#[derive(Clone, Copy, Debug)]
pub struct Means {
    /// Threads.
    pub threads: usize,
    /// Memory, in bytes: a build that would take more does not begin.
    pub bytes_max: usize,
}

/// Told of rows that are done, and of all.
pub(super) type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);
/// Asked between rows whether to stop.
pub(super) type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

impl Build {
    /// What it takes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.state.live() * (ROW_BYTES + self.dimension + 2 * Row::BYTES)
    }

    /// Builds the segment and makes it last. It is not used before it is adopted.
    ///
    /// # Errors
    /// `Stopped`; `Io` if there is no memory for it by `means`, or no space; `Damaged` if a vector is.
    pub fn run(self, means: Means, stop: Stop<'_>, progress: Progress<'_>) -> Result<Built> {
        if self.bytes() > means.bytes_max {
            let (mib, max) = (self.bytes() >> 20, means.bytes_max >> 20);
            return Err(Error::Io(format!(
                "a build would take {mib} MiB of memory, at most {max} are allowed"
            )));
        }
        let (numbers, rows, codes) = self.collect();
        let codes = Arc::new(codes);
        let (graph, mended) = if rows.len() < GRAPH_ROWS_MIN {
            (Graph::default(), 0)
        } else {
            // The engine asserts what it expects of distances.
            let wired = catch_unwind(AssertUnwindSafe(|| wire(&codes, means.threads, stop, progress)));
            let wired = wired.unwrap_or_else(|_| Err(Error::Io("building the graph failed".to_owned())));
            mend(&codes, wired?, None, stop)?
        };
        let curve = self.curve(&graph, &codes, &rows, &numbers, stop)?;
        let report = Report { vectors: rows.len(), mended, curve: curve.clone() };
        let codes = Arc::unwrap_or_clone(codes);
        let parts = Parts { rows, codes, graph, curve, position: self.position };
        let mut buffer = Buffer::new(self.dimension);
        let mut vectors = |number: usize, take: &mut dyn FnMut(&[f32])| {
            let stored = self.state.stored(numbers[number] as usize);
            buffer.read(stored.file, stored.at, &stored.row.text).map(take)
        };
        let segment = write(&self.home, (&self.name, &self.owner), parts, &mut vectors, &|| stop())?;
        Ok(Built { segment: Arc::new(segment), report })
    }

    /// Every row that is there, in the order of a segment.
    fn collect(&self) -> (Vec<u32>, Vec<Row>, Codes) {
        let mut numbers: Vec<u32> =
            (0..self.state.rows() as u32).filter(|number| !self.state.is_dead(*number as usize)).collect();
        numbers.sort_unstable_by_key(|number| {
            let row = self.state.row(*number as usize);
            (row.label, row.thing, row.start)
        });
        let mut codes = Codes::new(self.dimension);
        for number in &numbers {
            let stored = self.state.stored(*number as usize);
            codes.push(&stored.codes.code(stored.number));
        }
        let rows = numbers.iter().map(|number| *self.state.row(*number as usize)).collect();
        (numbers, rows, codes)
    }

    /// How much walks find of what an exact search does, over samples of the rows.
    fn curve(
        &self,
        graph: &Graph,
        codes: &Codes,
        rows: &[Row],
        numbers: &[u32],
        stop: Stop<'_>,
    ) -> Result<Curve> {
        if graph.is_empty() {
            return Ok(Curve::default());
        }
        let step = rows.len().div_ceil(SAMPLES);
        let mut found = [0; WIDTHS.len()];
        let mut wanted = 0;
        for row in (0..rows.len()).step_by(step) {
            if stop() {
                return Err(Error::Stopped);
            }
            let code = codes.code(row);
            let exact = self.exact(row, &code, codes, numbers)?;
            wanted += exact.len();
            for (width, found) in WIDTHS.iter().zip(&mut found) {
                let has = |other: u32| other as usize != row;
                let way =
                    Way { width: *width as usize, compared_max: usize::MAX, has: &has, stop: &|| false };
                let walked = graph.walk_around(Some(row as u32), codes, &code, &way).found;
                *found += exact.iter().filter(|row| walked.iter().any(|(_, found)| found == *row)).count();
            }
        }
        let shares = found.iter().map(|found| *found as f32 / wanted.max(1) as f32);
        Ok(curve(WIDTHS.into_iter().zip(shares).collect()))
    }

    /// The nearest of a row, itself left out.
    fn exact(&self, row: usize, code: &Code, codes: &Codes, numbers: &[u32]) -> Result<Vec<u32>> {
        let mut buffers = [Buffer::new(self.dimension), Buffer::new(self.dimension)];
        let [query, other] = &mut buffers;
        let stored = |row: usize| self.state.stored(numbers[row] as usize);
        let query = query.read(stored(row).file, stored(row).at, &stored(row).row.text)?;
        let others = (0..codes.len()).filter(|other| *other != row);
        let most = |other: usize| rank(codes.most(other, code, codes.about(other, code)), other as u32);
        let mut compare = |number: u32| {
            let stored = stored(number as usize);
            other.read(stored.file, stored.at, &stored.row.text).map(|vector| cosine(query, vector))
        };
        let key = |number: u32| (ThingId(number.into()), LabelId(0));
        let candidates = others.map(most).collect();
        let (best, _) = settle(candidates, NEAREST, &key, &mut compare, &|| false)?;
        Ok(best.into_iter().map(|(_, row)| row).collect())
    }
}

/// The width that finds enough, and one step more: questions are less like the rows than the samples were.
fn curve(points: Vec<(u32, f32)>) -> Curve {
    let enough = points.iter().position(|(_, share)| *share >= RECALL_MIN);
    let last = points.len() - 1;
    let width = match enough {
        Some(at) => points[(at + 1).min(last)].0,
        None if points[last].1 >= RECALL_USABLE => points[last].0,
        None => 0,
    };
    Curve { points, width }
}

/// The links of a row at most, after what is not there any more was taken out of its graph.
pub(super) const LINKS_MAX: usize = 2 * LINKS;
