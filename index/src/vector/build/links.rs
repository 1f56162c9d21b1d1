//! The links of a graph: found by hnsw_rs, mended where they leave rows alone.
//!
//! The engine is only asked to find links. It knows rows by their numbers; their bytes lie here, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hnsw_rs::prelude::{Distance, Hnsw};
use rayon::prelude::*;

use super::super::graph::{Graph, Level, Links, Way};
use super::super::rows::{Bits, Codes};
use super::{Progress, Stop};
use crate::error::{Error, Result};

/// Links of a row on each level above the ground, and half of those on it.
pub(super) const LINKS: usize = 16;
/// Rows that the engine chooses the links of a new row from.
const WIDTH: usize = 200;
/// The engine's own number of levels: with another it keeps nothing.
const LEVELS: usize = 16;
/// How wide is looked for whoever leads to a row that nobody leads to.
const MEND_WIDTH: usize = 64;
/// Rows that are mended between two questions whether to stop.
const MEND_ROWS: usize = 64;
const _: () = assert!(LINKS >= 4 && LINKS <= 64, "the engine ends the process beyond its limits");

/// Distances by the bytes of rows that are given by number.
struct ByNumber(Arc<Codes>);

impl Distance<u32> for ByNumber {
    fn eval(&self, one: &[u32], other: &[u32]) -> f32 {
        let cosine = self.0.between(one[0] as usize, other[0] as usize);
        // Never below zero, never no number: the engine panics at either.
        (1.0 - cosine).max(0.0)
    }
}

/// Finds the links of all rows.
pub(super) fn wire(
    codes: &Arc<Codes>,
    threads: usize,
    stop: Stop<'_>,
    progress: Progress<'_>,
) -> Result<Graph> {
    let rows = codes.len();
    let engine = Hnsw::new(LINKS, rows, LEVELS, WIDTH, ByNumber(Arc::clone(codes)));
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).thread_name(|n| format!("build-{n}"));
    let pool = pool.build().map_err(|error| Error::Io(error.to_string()))?;
    let done = AtomicUsize::new(1);
    // Rows of one label lie side by side; inserted in their order, they would know only each other.
    let stride = stride(rows);
    engine.insert_slice((&[0], 0));
    pool.install(|| {
        (1..rows).into_par_iter().with_max_len(64).for_each(|turn| {
            if !stop() {
                let row = (turn as u64 * stride % rows as u64) as usize;
                engine.insert_slice((&[row as u32], row));
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, rows);
            }
        });
    });
    if stop() { Err(Error::Stopped) } else { Ok(freeze(&engine, rows)) }
}

/// A number that shares no factor with `rows`, so that its multiples come by every row once.
fn stride(rows: usize) -> u64 {
    let rows = rows as u64;
    let mut stride = (rows as f64 * 0.618_034) as u64 | 1;
    while gcd(stride, rows) != 1 {
        stride += 1;
    }
    stride
}

fn gcd(one: u64, other: u64) -> u64 {
    if other == 0 { one } else { gcd(other, one % other) }
}

/// The engine's links, as they are kept.
fn freeze(engine: &Hnsw<'_, u32, ByNumber>, rows: usize) -> Graph {
    let mut ground = vec![vec![]; rows];
    let mut levels: Vec<Vec<(u32, Vec<u32>)>> = vec![];
    for point in engine.get_point_indexation() {
        let (row, top) = (point.get_origin_id() as u32, point.get_point_id().0 as usize);
        // On levels above its own, a row has links for the engine's own ends.
        for (level, links) in point.get_neighborhood_id().into_iter().enumerate().take(top + 1) {
            let links: Vec<u32> =
                links.into_iter().map(|link| link.d_id as u32).filter(|to| *to != row).collect();
            if level == 0 {
                ground[row as usize] = links;
            } else {
                levels.resize_with(levels.len().max(level), Vec::new);
                levels[level - 1].push((row, links));
            }
        }
    }
    let levels: Vec<Level> = levels.into_iter().map(level).collect();
    let entry = levels.last().and_then(|level| level.rows.first()).copied().unwrap_or(0);
    Graph { entry, ground: Links::of_lists(&ground), levels }
}

fn level(mut rows: Vec<(u32, Vec<u32>)>) -> Level {
    rows.sort_unstable_by_key(|(row, _)| *row);
    let (rows, links): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    Level { rows, links: Links::of_lists(&links) }
}

/// Leads to every row that no walk could come to; how many there were.
pub(in crate::vector) fn mend(
    codes: &Codes,
    mut graph: Graph,
    without: Option<&Bits>,
    stop: Stop<'_>,
) -> Result<(Graph, usize)> {
    let mut lists = graph.ground.lists();
    let mut reached = without.cloned().unwrap_or_else(|| Bits::none(lists.len()));
    reach(&lists, graph.entry, &mut reached);
    let mut mended = 0;
    for row in 0..lists.len() as u32 {
        if reached.has(row as usize) {
            continue;
        }
        if mended % MEND_ROWS == 0 && stop() {
            return Err(Error::Stopped);
        }
        mended += 1;
        // Links that were made meanwhile are not walked, but who was reached before is enough.
        let is_gone = |row: u32| without.is_some_and(|gone| gone.has(row as usize));
        let has = |other: u32| other != row && reached.has(other as usize) && !is_gone(other);
        let way = Way { width: MEND_WIDTH, compared_max: usize::MAX, has: &has, stop: &|| false };
        let mut near = graph.walk(codes, &codes.code(row as usize), &way).found;
        near.sort_by(|one, other| other.0.total_cmp(&one.0));
        let roomy = near.iter().find(|(_, from)| lists[*from as usize].len() < 3 * LINKS).or(near.first());
        let from = roomy.map_or(graph.entry, |(_, from)| *from);
        lists[from as usize].push(row);
        if lists[row as usize].is_empty() {
            lists[row as usize].push(from);
        }
        reach(&lists, row, &mut reached);
    }
    graph.ground = Links::of_lists(&lists);
    Ok((graph, mended))
}

/// Notes everything that links lead to.
fn reach(lists: &[Vec<u32>], from: u32, reached: &mut Bits) {
    let mut open = vec![from];
    reached.add(from as usize);
    while let Some(row) = open.pop() {
        open.extend(lists[row as usize].iter().filter(|to| reached.add(**to as usize)));
    }
}
