//! What is near a vector: an exact scan by bytes of what is little, a walk over the graph of what is much; what could be
//! among the best is then compared by its vector itself.

use std::collections::{BinaryHeap, HashMap};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use storage::ids::{LabelId, Lsn, ThingId};
use storage::model::Form;

use super::graph::{End, STOP_EVERY, Way, rank, row_of, score_of};
use super::rows::{Code, Key, RELATION, REVOKED, Row, VOID, cosine, flaw};
use super::segment::Segment;
use super::state::State;
use super::vectors::Buffer;
use crate::embed::ModelId;
use crate::error::{Error, Result};
use crate::text::{Allowed, TimeRange};

/// Most documents that may be asked for.
pub const NEAREST_MAX: usize = 10_000;
/// So few rows are compared one by one, whatever the graph could do.
const SCAN_ROWS_MAX: usize = 4_000;
/// Rows that follow each other are compared so many times as fast as those that a walk jumps to.
const SCAN_SPEED: usize = 3;
/// A walk makes about so many comparisons for each row that it keeps in sight.
const WALK_LINKS: usize = 12;
/// Vectors that are read between two questions whether to stop.
const READS: usize = 16;

/// The index as it was at one commit.
#[derive(Clone)]
pub struct Pinned {
    pub(super) state: State,
    pub(super) position: Lsn,
    pub(super) model: Arc<ModelId>,
    /// What a reader found to be damaged.
    pub(super) damage: Arc<OnceLock<String>>,
    /// How wide walks are, if not as the build chose.
    pub(super) width: Option<usize>,
}

/// What a question asks of a document beside its vector.
pub struct Filter<'a> {
    /// Which labels the reader may see.
    pub labels: &'a Allowed,
    /// Only entities, or only relations.
    pub form: Option<Form>,
    /// Only what was observed (else recorded) in this time.
    pub time: Option<TimeRange>,
    /// Also what its source revoked or deprecated.
    pub include_revoked: bool,
}

/// A document that is near.
#[derive(Clone, Debug, PartialEq)]
pub struct Near {
    /// The thing.
    pub thing: ThingId,
    /// The label of the assertion.
    pub label: LabelId,
    /// Its best passage, in bytes of its [`embedded`](super::embedded) text.
    pub passage: Range<u32>,
    /// How near, from -1 to 1.
    pub cosine: f32,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Nearest {
    /// Best first; no document twice.
    pub near: Vec<Near>,
    /// Whether the search came to its end: `false` if the caller's `stop` came first.
    pub complete: bool,
    /// Whether there is nothing nearer for certain.
    pub exact: bool,
}

/// Rows that could be among the best: what their cosine is at most, and their number.
type Candidates = Vec<u64>;

impl Pinned {
    /// The last record that it reflects.
    #[must_use]
    pub fn position(&self) -> Lsn {
        self.position
    }

    /// What its vectors were made by.
    #[must_use]
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// How many vectors there are, visible or not.
    #[must_use]
    pub fn vectors(&self) -> usize {
        self.state.live()
    }

    /// The same index, whose walks keep so many rows in sight instead of what the build chose: to measure both.
    #[must_use]
    pub fn walking(self, width: usize) -> Pinned {
        Pinned { width: Some(width), ..self }
    }

    /// The nearest documents that pass, best passage each, best first.
    ///
    /// `stop` is asked after every 64 comparisons; once it says so the answer is what was found so far.
    ///
    /// # Errors
    /// `Invalid` for a vector that is none of this model, or over a limit of this module; `Damaged` or `Io` if the files
    /// fail.
    pub fn nearest(
        &self,
        query: &[f32],
        k: usize,
        filter: &Filter<'_>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Nearest> {
        self.check(query)?;
        if k > NEAREST_MAX {
            return Err(Error::invalid(
                "too many documents",
                &k.to_string(),
                format!("at most {NEAREST_MAX}"),
            ));
        }
        let nothing = |complete| Nearest { near: vec![], complete, exact: false };
        if k == 0 || self.state.rows() == 0 {
            return Ok(Nearest { exact: true, ..nothing(true) });
        }
        let (code, test) = (Code::of(query), Test::new(filter, &self.state));
        let looking =
            Looking { state: &self.state, query: code, test, width: self.width, hidden: None, stop };
        let Some(fresh) = looking.scan_delta() else { return Ok(nothing(false)) };
        let (mut candidates, exact) = match looking.sealed(k) {
            Some(found) => found,
            None => return Ok(nothing(false)),
        };
        let is_scanned = exact;
        candidates.extend(&fresh);
        let mut answer = self.settle(query, k, candidates, is_scanned, stop)?;
        if answer.complete && !is_scanned && answer.near.len() < k {
            // Many passages of few documents, or few that pass: only a scan knows.
            let Some(mut candidates) = looking.scan_sealed() else { return Ok(nothing(false)) };
            candidates.extend(&fresh);
            answer = self.settle(query, k, candidates, true, stop)?;
        }
        Ok(answer)
    }

    /// The best permitted passage of each thing.
    ///
    /// # Errors
    /// As for [`Pinned::nearest`].
    pub fn cosines(&self, query: &[f32], of: &[ThingId], filter: &Filter<'_>) -> Result<Vec<Option<Near>>> {
        self.check(query)?;
        let (code, test) = (Code::of(query), Test::new(filter, &self.state));
        let mut rows: HashMap<ThingId, Candidates> = of.iter().map(|thing| (*thing, vec![])).collect();
        self.rows_of(&mut rows, &code, &test);
        let mut best = HashMap::new();
        for (thing, candidates) in rows {
            let settled = self.settle(query, 1, candidates, true, &|| false)?;
            best.extend(settled.near.into_iter().next().map(|near| (thing, near)));
        }
        Ok(of.iter().map(|thing| best.get(thing).cloned()).collect())
    }

    /// The rows of things that pass, with what their cosines are at most.
    pub(super) fn rows_of(&self, things: &mut HashMap<ThingId, Candidates>, code: &Code, test: &Test) {
        let state = &self.state;
        let sealed = state.sealed();
        let add = |candidates: &mut Candidates, number: usize| {
            let stored = state.stored(number);
            if !state.is_dead(number) && test.has(stored.row) {
                let about = stored.codes.about(stored.number, code);
                candidates.push(rank(stored.codes.most(stored.number, code, about), number as u32));
            }
        };
        if let Some(segment) = &state.segment {
            for (thing, candidates) in things.iter_mut() {
                segment.of_thing(*thing).for_each(|number| add(candidates, number));
            }
        }
        for (from, chunk) in state.delta.chunks() {
            for (number, row) in chunk.rows.iter().enumerate() {
                if let Some(candidates) = things.get_mut(&row.thing) {
                    add(candidates, sealed + from + number);
                }
            }
        }
    }

    fn check(&self, query: &[f32]) -> Result<()> {
        match flaw(query, self.model.dimension) {
            None => Ok(()),
            Some(flaw) => Err(Error::invalid("not a vector to search by", &flaw, self.model.name.clone())),
        }
    }

    pub(super) fn settle(
        &self,
        query: &[f32],
        k: usize,
        candidates: Candidates,
        exact: bool,
        stop: &dyn Fn() -> bool,
    ) -> Result<Nearest> {
        let mut buffer = Buffer::new(self.model.dimension);
        let key = |number: u32| self.state.row(number as usize).key();
        let mut compare = |number: u32| {
            let stored = self.state.stored(number as usize);
            let vector = buffer.read(stored.file, stored.at, &stored.row.text);
            vector.map(|vector| cosine(query, vector)).inspect_err(|error| self.note(error))
        };
        let (best, complete) = settle(candidates.into(), k, &key, &mut compare, stop)?;
        let near = best.into_iter().map(|(cosine, number)| {
            let row = self.state.row(number as usize);
            Near { thing: row.thing, label: row.label, passage: row.start..row.end, cosine }
        });
        Ok(Nearest { near: near.collect(), complete, exact: exact && complete })
    }

    pub(super) fn note(&self, error: &Error) {
        if let Error::Damaged { detail, .. } = error {
            let _ = self.damage.set(detail.clone());
        }
    }
}

/// The best k of candidates by their true cosines, best first, one of each key; and whether it came to its end.
pub(super) fn settle(
    mut open: BinaryHeap<u64>,
    k: usize,
    key: &dyn Fn(u32) -> Key,
    compare: &mut dyn FnMut(u32) -> Result<f32>,
    stop: &dyn Fn() -> bool,
) -> Result<(Vec<(f32, u32)>, bool)> {
    let mut best: HashMap<Key, (f32, u32)> = HashMap::with_capacity(2 * k.min(1024));
    let (mut floor, mut complete) = (f32::NEG_INFINITY, true);
    for read in 1.. {
        let Some(next) = open.pop() else { break };
        // Whoever comes later is no better than this one could be.
        if score_of(next) < floor {
            break;
        }
        if read % READS == 0 && stop() {
            complete = false;
            break;
        }
        let number = row_of(next);
        let cosine = compare(number)?;
        let of_key = best.entry(key(number)).or_insert((cosine, number));
        if (cosine, std::cmp::Reverse(number)) > (of_key.0, std::cmp::Reverse(of_key.1)) {
            *of_key = (cosine, number);
        }
        if best.len() >= k && (best.len() == k || read % READS == 0) {
            floor = kth(&best, k);
        }
    }
    let mut best: Vec<_> = best.into_iter().collect();
    best.sort_by(|(key, one), (other_key, other)| other.0.total_cmp(&one.0).then(key.cmp(other_key)));
    best.truncate(k);
    Ok((best.into_iter().map(|(_, found)| found).collect(), complete))
}

fn kth(best: &HashMap<Key, (f32, u32)>, k: usize) -> f32 {
    let mut cosines: Vec<f32> = best.values().map(|(cosine, _)| *cosine).collect();
    *cosines.select_nth_unstable_by(k - 1, |one, other| other.total_cmp(one)).1
}

/// A search that is under way.
pub(super) struct Looking<'a> {
    pub(super) state: &'a State,
    pub(super) query: Code,
    pub(super) test: Test,
    pub(super) width: Option<usize>,
    /// A row of the segment that walks are not led over.
    pub(super) hidden: Option<u32>,
    pub(super) stop: &'a dyn Fn() -> bool,
}

impl Looking<'_> {
    /// Candidates of the segment, and whether all that pass are among them; `None` if it was stopped.
    pub(super) fn sealed(&self, k: usize) -> Option<(Candidates, bool)> {
        let Some(segment) = &self.state.segment else { return Some((vec![], true)) };
        let passing: usize = self.ranges(segment).map(|range| range.len()).sum();
        let width = self.width.unwrap_or_else(|| width(segment, k));
        let walked = width * WALK_LINKS * segment.rows.len() / passing.max(1);
        let is_far = segment.curve.width == 0 || passing <= SCAN_ROWS_MAX || walked * SCAN_SPEED > passing;
        let found = if is_far { None } else { self.walk(segment, width, passing) };
        match found {
            Some(walked) if walked.1 == End::Stopped => None,
            Some((candidates, End::Found)) => Some((candidates, false)),
            _ => self.scan_sealed().map(|candidates| (candidates, true)),
        }
    }

    fn walk(&self, segment: &Segment, width: usize, passing: usize) -> Option<(Candidates, End)> {
        let has = |row: u32| !self.state.dead.has(row as usize) && self.test.has(&segment.rows[row as usize]);
        let way = Way { width, compared_max: passing / SCAN_SPEED, has: &has, stop: self.stop };
        let walked = segment.graph.walk_around(self.hidden, &segment.codes, &self.query, &way);
        let candidates = walked.found.into_iter().map(|(score, row)| {
            let about = score * self.query.scale.step;
            rank(segment.codes.most(row as usize, &self.query, about), row)
        });
        Some((candidates.collect(), walked.end))
    }

    pub(super) fn scan_sealed(&self) -> Option<Candidates> {
        let Some(segment) = &self.state.segment else { return Some(vec![]) };
        let mut candidates = Vec::new();
        for range in self.ranges(segment) {
            for (number, row) in range.clone().zip(&segment.rows[range]) {
                if number % STOP_EVERY == 0 && (self.stop)() {
                    return None;
                }
                if !self.state.dead.has(number) && self.test.has(row) {
                    let about = segment.codes.about(number, &self.query);
                    candidates.push(rank(segment.codes.most(number, &self.query, about), number as u32));
                }
            }
        }
        Some(candidates)
    }

    fn scan_delta(&self) -> Option<Candidates> {
        let (state, sealed, mut candidates) = (self.state, self.state.sealed(), Vec::new());
        for (from, chunk) in state.delta.chunks() {
            for (number, row) in chunk.rows.iter().enumerate() {
                if number % STOP_EVERY == 0 && (self.stop)() {
                    return None;
                }
                if !state.delta.dead.has(from + number) && self.test.has(row) {
                    let about = chunk.codes.about(number, &self.query);
                    let most = chunk.codes.most(number, &self.query, about);
                    candidates.push(rank(most, (sealed + from + number) as u32));
                }
            }
        }
        Some(candidates)
    }

    /// The rows of the labels that pass.
    fn ranges<'s>(&'s self, segment: &'s Segment) -> impl Iterator<Item = Range<usize>> + 's {
        segment.labels().filter(|(label, _)| self.test.has_label(*label)).map(|(_, range)| range)
    }
}

/// How much a walk keeps in sight: more where documents have many passages.
fn width(segment: &Segment, k: usize) -> usize {
    let passages = segment.rows.len().div_ceil(segment.documents_count.max(1));
    (segment.curve.width as usize).max(k + k / 2) * passages.min(4)
}

/// A filter, ready to be asked of many rows.
pub(super) struct Test {
    /// A bit for each label; `None` where every one passes.
    labels: Option<Vec<u64>>,
    flags_mask: u32,
    flags_wanted: u32,
    time: Option<TimeRange>,
}

impl Test {
    pub(super) fn new(filter: &Filter<'_>, state: &State) -> Test {
        let (mut mask, mut wanted) = (VOID, 0);
        if !filter.include_revoked {
            mask |= REVOKED;
        }
        if let Some(form) = filter.form {
            mask |= RELATION;
            wanted |= if form == Form::Relation { RELATION } else { 0 };
        }
        Test { labels: bits(filter.labels, state), flags_mask: mask, flags_wanted: wanted, time: filter.time }
    }

    fn has_label(&self, label: LabelId) -> bool {
        let label = label.0 as usize;
        let word = |labels: &Vec<u64>| labels.get(label / 64).copied().unwrap_or_default();
        self.labels.as_ref().is_none_or(|labels| word(labels) & (1 << (label % 64)) != 0)
    }

    fn has(&self, row: &Row) -> bool {
        row.flags & self.flags_mask == self.flags_wanted
            && self.has_label(row.label)
            && self.time.is_none_or(|time| time.from_us <= row.time_us && row.time_us < time.to_us)
    }
}

/// The allowed labels that rows may have.
fn bits(allowed: &Allowed, state: &State) -> Option<Vec<u64>> {
    let sealed = state.segment.as_ref().and_then(|segment| segment.labels().last()).map(|(label, _)| label.0);
    let fresh = state.delta.chunks().flat_map(|(_, chunk)| &chunk.rows).map(|row| row.label.0).max();
    let max = sealed.max(fresh).unwrap_or(0);
    let labels = allowed.between(0, max.into())?;
    let mut bits = vec![0; max as usize / 64 + 1];
    for label in labels {
        bits[label as usize / 64] |= 1 << (label % 64);
    }
    Some(bits)
}
