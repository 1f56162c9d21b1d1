//! The graph by which near rows are found without looking at all of them: links in one array, in the order of their rows.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

use super::log::Bytes;
use super::rows::{Bits, Code, Codes};

/// The caller is asked whether to stop after so many comparisons.
pub(super) const STOP_EVERY: usize = 64;
/// Bytes of a cache line.
const LINE: usize = 64;

/// Links between rows.
#[derive(Clone, Default)]
pub(super) struct Graph {
    /// Where a walk begins, on the highest level.
    pub(super) entry: u32,
    /// The links of every row.
    pub(super) ground: Links,
    /// Levels above it, of ever fewer rows, the lowest first.
    pub(super) levels: Vec<Level>,
}

/// The links of rows that are numbered from 0.
#[derive(Clone)]
pub(super) struct Links {
    /// The links of row n are from here n to here n + 1.
    from: Vec<u32>,
    to: Vec<u32>,
}

/// A level of few rows.
#[derive(Clone, Default)]
pub(super) struct Level {
    /// In order.
    pub(super) rows: Vec<u32>,
    pub(super) links: Links,
}

/// What a walk found: scores and rows, in no order; the score lacks the query's own factor.
pub(super) struct Walked {
    pub(super) found: Vec<(f32, u32)>,
    pub(super) end: End,
}

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Found,
    Stopped,
    /// It would have taken more comparisons than it may.
    TooFar,
}

/// How a walk is made.
pub(super) struct Way<'a> {
    /// How many of the best are kept in sight.
    pub(super) width: usize,
    pub(super) compared_max: usize,
    pub(super) has: &'a dyn Fn(u32) -> bool,
    pub(super) stop: &'a dyn Fn() -> bool,
}

impl Default for Links {
    fn default() -> Links {
        Links { from: vec![0], to: vec![] }
    }
}

impl Links {
    pub(super) fn of_lists(lists: &[Vec<u32>]) -> Links {
        let mut links = Links { from: vec![0], to: Vec::with_capacity(lists.iter().map(Vec::len).sum()) };
        for list in lists {
            links.to.extend_from_slice(list);
            links.from.push(links.to.len() as u32);
        }
        links
    }

    pub(super) fn of(&self, row: usize) -> &[u32] {
        &self.to[self.from[row] as usize..self.from[row + 1] as usize]
    }

    pub(super) fn lists(&self) -> Vec<Vec<u32>> {
        (0..self.rows()).map(|row| self.of(row).to_vec()).collect()
    }

    pub(super) fn rows(&self) -> usize {
        self.from.len().saturating_sub(1)
    }

    fn write(&self, into: &mut Vec<u8>) {
        write_numbers(&self.from, into);
        write_numbers(&self.to, into);
    }

    /// Links that lead nowhere else than to rows below `rows`.
    fn read(bytes: &mut Bytes<'_>, rows: usize) -> Option<Links> {
        let links = Links { from: read_numbers(bytes)?, to: read_numbers(bytes)? };
        let is_rising = links.from.is_sorted() && links.from.first() == Some(&0);
        let is_whole = links.from.last().map(|end| *end as usize) == Some(links.to.len());
        let is_inside = links.to.iter().all(|to| (*to as usize) < rows);
        (is_rising && is_whole && is_inside).then_some(links)
    }
}

impl Level {
    fn links_of(&self, row: u32) -> &[u32] {
        self.rows.binary_search(&row).map_or(&[], |at| self.links.of(at))
    }
}

impl Graph {
    pub(super) fn is_empty(&self) -> bool {
        self.ground.rows() == 0
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_numbers(&[self.entry], &mut bytes);
        self.ground.write(&mut bytes);
        for level in &self.levels {
            write_numbers(&level.rows, &mut bytes);
            level.links.write(&mut bytes);
        }
        bytes
    }

    /// A graph of so many rows; `None` if it is not one.
    pub(super) fn from_bytes(bytes: &[u8], rows: usize) -> Option<Graph> {
        let mut bytes = Bytes(bytes);
        let entry = *read_numbers(&mut bytes)?.first()?;
        let ground = Links::read(&mut bytes, rows)?;
        let mut levels = Vec::new();
        while !bytes.0.is_empty() {
            let level = Level { rows: read_numbers(&mut bytes)?, links: Links::read(&mut bytes, rows)? };
            if !level.rows.is_sorted() || level.links.rows() != level.rows.len() {
                return None;
            }
            levels.push(level);
        }
        let is_empty = ground.rows() == 0 && levels.is_empty();
        (is_empty || (ground.rows() == rows && (entry as usize) < rows)).then_some(Graph {
            entry,
            ground,
            levels,
        })
    }

    /// The best rows for a query, as far as the links lead to them.
    pub(super) fn walk(&self, codes: &Codes, query: &Code, way: &Way<'_>) -> Walked {
        self.walk_around(None, codes, query, way)
    }

    /// As [`Graph::walk`], as if a row were not there: no walk leads over it. So it can be asked for what is near it as
    /// a query is, which has no links of its own.
    pub(super) fn walk_around(
        &self,
        hidden: Option<u32>,
        codes: &Codes,
        query: &Code,
        way: &Way<'_>,
    ) -> Walked {
        let mut walk = Walk::new(codes, query, way);
        walk.hidden = hidden;
        let start = self.descend(&mut walk);
        walk.spread(&self.ground, start);
        let found = walk.best.into_iter().map(|Reverse(rank)| (score_of(rank), row_of(rank))).collect();
        Walked { found, end: walk.end }
    }

    /// From level to level, to where the next step would lead away.
    fn descend(&self, walk: &mut Walk<'_>) -> u32 {
        let hidden = walk.hidden;
        let (mut at, mut score) = (self.entry, walk.score(self.entry));
        for level in self.levels.iter().rev() {
            loop {
                let others = level.links_of(at).iter().filter(|row| Some(**row) != hidden);
                let better = others.map(|row| (walk.score(*row), *row));
                match better.max_by(|one, other| one.0.total_cmp(&other.0)) {
                    Some((best, row)) if best > score => (at, score) = (row, best),
                    _ => break,
                }
            }
        }
        at
    }
}

struct Walk<'a> {
    codes: &'a Codes,
    query: &'a Code,
    way: &'a Way<'a>,
    /// A row that no walk leads over.
    hidden: Option<u32>,
    compared: usize,
    end: End,
    /// The best that pass, the worst of them on top.
    best: BinaryHeap<Reverse<u64>>,
}

impl<'a> Walk<'a> {
    fn new(codes: &'a Codes, query: &'a Code, way: &'a Way<'a>) -> Walk<'a> {
        let best = BinaryHeap::with_capacity(way.width + 1);
        Walk { codes, query, way, hidden: None, compared: 0, end: End::Found, best }
    }

    fn score(&mut self, row: u32) -> f32 {
        self.compared += 1;
        self.codes.towards(row as usize, &self.query.bytes)
    }

    /// Goes on from the best that was not gone on from, until nothing better can come.
    fn spread(&mut self, links: &Links, start: u32) {
        let mut seen = Bits::none(links.rows());
        let mut open = BinaryHeap::with_capacity(4 * self.way.width);
        let (mut fresh, mut asked_at) = (Vec::with_capacity(LINE), 0);
        seen.add(start as usize);
        if let Some(hidden) = self.hidden {
            seen.add(hidden as usize);
        }
        let score = self.score(start);
        self.keep(rank(score, start), &mut open);
        while let Some(next) = open.pop() {
            if self.is_full() && self.best.peek().is_some_and(|worst| next < worst.0) {
                break;
            }
            if self.compared - asked_at >= STOP_EVERY {
                asked_at = self.compared;
                if self.is_over() {
                    break;
                }
            }
            fresh.clear();
            fresh.extend(links.of(row_of(next) as usize).iter().filter(|row| seen.add(**row as usize)));
            self.fetch(&fresh);
            for &row in &fresh {
                let score = self.score(row);
                self.keep(rank(score, row), &mut open);
            }
        }
    }

    fn is_over(&mut self) -> bool {
        if (self.way.stop)() {
            self.end = End::Stopped;
        } else if self.compared > self.way.compared_max {
            self.end = End::TooFar;
        }
        self.end != End::Found
    }

    /// Has the first bytes of rows on their way from memory before the first is compared: none waits for another.
    fn fetch(&self, rows: &[u32]) {
        let dimension = self.codes.dimension;
        let bytes = &self.codes.bytes;
        let touched = rows.iter().fold(0, |touched, row| {
            let at = *row as usize * dimension;
            touched ^ bytes[at] ^ bytes[at + LINE.min(dimension - 1)]
        });
        black_box(touched);
    }

    fn keep(&mut self, rank: u64, open: &mut BinaryHeap<u64>) {
        let is_full = self.is_full();
        if is_full && self.best.peek().is_some_and(|worst| rank < worst.0) {
            return;
        }
        open.push(rank);
        if (self.way.has)(row_of(rank)) {
            self.best.push(Reverse(rank));
            if is_full {
                self.best.pop();
            }
        }
    }

    fn is_full(&self) -> bool {
        self.best.len() >= self.way.width
    }
}

/// A score and a row in one number, in the order of the scores.
pub(super) fn rank(score: f32, row: u32) -> u64 {
    let bits = score.to_bits();
    let ordered = if bits >> 31 == 0 { bits | 1 << 31 } else { !bits };
    u64::from(ordered) << 32 | u64::from(row)
}

pub(super) fn row_of(rank: u64) -> u32 {
    rank as u32
}

pub(super) fn score_of(rank: u64) -> f32 {
    let ordered = (rank >> 32) as u32;
    f32::from_bits(if ordered >> 31 == 1 { ordered & !(1 << 31) } else { !ordered })
}

fn write_numbers(numbers: &[u32], into: &mut Vec<u8>) {
    into.extend_from_slice(&(numbers.len() as u32).to_le_bytes());
    numbers.iter().for_each(|number| into.extend_from_slice(&number.to_le_bytes()));
}

fn read_numbers(bytes: &mut Bytes<'_>) -> Option<Vec<u32>> {
    let count = bytes.u32()? as usize;
    let (numbers, rest) = bytes.0.split_at_checked(count * 4)?;
    bytes.0 = rest;
    let number = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    Some(numbers.chunks_exact(4).map(number).collect())
}
