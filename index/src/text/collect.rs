//! The walk over a segment's matches: which pass the filters, which are best.

use storage::ids::{LabelId, ThingId};
use tantivy::query::{Scorer, Weight};
use tantivy::{
    COLLECT_BLOCK_BUFFER_LEN, DocAddress, DocId, DocSet, Score, SegmentOrdinal, SegmentReader, TERMINATED,
};

use super::facets::{Counted, Counts};
use super::filter::Filter;
use super::plan::{Driver, Leaf, Plan};
use super::search::Query;
use super::visible::Way;
use crate::error::Result;

/// How many documents are walked between two looks at the clock.
const STOP_EVERY_DOCS: u32 = 1_024;
/// With more terms than this, finding out what may be passed over takes longer than to walk all (measured on
/// 100,000 texts: ten terms 7 ms against 3, forty terms 31 ms against 11).
const PRUNED_LEAVES_MAX: usize = 4;
/// Sums of the same numbers in another order differ by less than this, relatively.
const ROUNDING: f32 = 1e-4;
/// Longer questions are sentences: BM25 alone orders them as well (Cranfield, nDCG@10: 0.397 at 10, 0.393 at
/// 4 and without a bound).
const COORDINATED_WORDS_MAX: usize = 10;

/// A document as a candidate for the page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    /// Orders hits, best first: a score's bits, or a time shifted to be positive.
    pub(super) rank: u64,
    pub(super) thing: ThingId,
    pub(super) label: LabelId,
    /// Where the document is.
    pub(super) at: DocAddress,
}

impl Candidate {
    fn order(&self) -> (std::cmp::Reverse<u64>, ThingId) {
        (std::cmp::Reverse(self.rank), self.thing)
    }
}

/// The best things seen so far, each by its best document.
pub(super) struct Best {
    keep: usize,
    candidates: Vec<Candidate>,
    /// No candidate below this rank can be among the best any more.
    floor: u64,
}

impl Best {
    pub(super) fn new(keep: usize) -> Best {
        Best { keep, candidates: Vec::with_capacity(2 * keep), floor: 0 }
    }

    fn add(&mut self, candidate: Candidate) {
        if candidate.rank < self.floor {
            return;
        }
        self.candidates.push(candidate);
        if self.candidates.len() >= 2 * self.keep {
            self.prune();
        }
    }

    fn prune(&mut self) {
        self.candidates
            .sort_unstable_by_key(|candidate| (candidate.thing, std::cmp::Reverse(candidate.rank)));
        self.candidates.dedup_by_key(|candidate| candidate.thing);
        self.candidates.sort_unstable_by_key(Candidate::order);
        if self.candidates.len() >= self.keep {
            self.candidates.truncate(self.keep);
            self.floor = self.candidates[self.keep - 1].rank;
        }
    }

    pub(super) fn into_sorted(mut self) -> Vec<Candidate> {
        self.prune();
        self.candidates
    }
}

/// What is collected over all segments of one search.
pub(super) struct Collected<'a> {
    pub(super) best: Best,
    /// If asked for.
    pub(super) facets: Option<Counts>,
    pub(super) by_time: bool,
    pub(super) stop: &'a dyn Fn() -> bool,
    pub(super) stopped: bool,
    walked: u32,
}

impl<'a> Collected<'a> {
    pub(super) fn new(
        keep: usize,
        query: &Query,
        by_time: bool,
        stop: &'a dyn Fn() -> bool,
    ) -> Collected<'a> {
        Collected {
            best: Best::new(keep),
            facets: query.facets.then(Default::default),
            by_time,
            stop,
            stopped: false,
            walked: 0,
        }
    }

    /// Walks one segment, which has that number.
    pub(super) fn walk(
        &mut self,
        (number, segment): (SegmentOrdinal, &SegmentReader),
        plan: &Plan,
        filter: &Filter<'_>,
    ) -> Result<()> {
        self.stopped |= (self.stop)();
        if self.stopped {
            return Ok(());
        }
        let (scores, counted) = (Scores::new(segment, plan)?, Counted::default());
        let mut walk = Walk { number, segment, filter, scores, counted };
        let way = match &plan.driver {
            Driver::All => filter.visible.way(std::iter::once(segment.max_doc()))?,
            Driver::AnyLeaf(_) | Driver::EveryLeaf(_) => filter.visible.way(walk.scores.lengths())?,
            Driver::Nothing | Driver::Condition(_) => Way::Most,
        };
        match (&plan.driver, way) {
            (Driver::Nothing, _) => {}
            (Driver::All, Way::These(listed)) => self.walk_these(listed.iter().copied(), &mut walk),
            (Driver::All, _) => self.walk_these(0..segment.max_doc(), &mut walk),
            (Driver::AnyLeaf(_), Way::These(listed)) => self.walk_listed(listed, true, &mut walk),
            (Driver::EveryLeaf(_), Way::These(listed)) => self.walk_listed(listed, false, &mut walk),
            (Driver::AnyLeaf(_) | Driver::EveryLeaf(_), Way::Few) => self.walk_few(plan, &mut walk)?,
            (Driver::Condition(weight) | Driver::EveryLeaf(weight), _) => {
                self.walk_all(&**weight, &mut walk)?
            }
            (Driver::AnyLeaf(weight), _) if plan.leaves.len() > PRUNED_LEAVES_MAX => {
                self.walk_scored(&**weight, &mut walk)?;
            }
            (Driver::AnyLeaf(weight), _) => self.walk_best(&**weight, &mut walk)?,
        }
        if let Some(counts) = &mut self.facets {
            walk.counted.add_to(filter, counts);
        }
        Ok(())
    }

    fn walk_these(&mut self, docs: impl Iterator<Item = DocId>, walk: &mut Walk<'_>) {
        for doc in docs {
            if self.tick() {
                break;
            }
            self.take(doc, walk);
        }
    }

    /// What the reader may see is less than what has the words: so it is asked for the words, and not the other way. For a
    /// document that can still be among the best it takes a word that is worth enough.
    fn walk_listed(&mut self, listed: &[DocId], is_best: bool, walk: &mut Walk<'_>) {
        let (mut floor, mut telling) = (Score::MIN, walk.scores.leaves.len());
        for &doc in listed {
            if self.tick() {
                break;
            }
            if is_best && self.threshold() > floor {
                floor = self.threshold();
                telling = walk.scores.telling(floor);
            }
            if walk.scores.has(doc, telling) {
                self.take(doc, walk);
            }
        }
    }

    /// Where little of what matches may be seen, the best come late and nothing is passed over on the way to them: so all that
    /// matches is looked through, and only what may be seen is scored.
    fn walk_few(&mut self, plan: &Plan, walk: &mut Walk<'_>) -> Result<()> {
        let (mut seen, mut some) = (Vec::new(), [0; COLLECT_BLOCK_BUFFER_LEN]);
        for leaf in &plan.leaves {
            let mut docs = leaf.weight.scorer(walk.segment, 1.0)?;
            while docs.doc() != TERMINATED && !self.tick() {
                let count = docs.fill_buffer(&mut some);
                seen.extend(some[..count].iter().filter(|doc| walk.filter.visible.has(**doc)));
            }
        }
        seen.sort_unstable();
        seen.dedup();
        self.walk_these(seen.into_iter(), walk);
        Ok(())
    }

    fn walk_all(&mut self, weight: &dyn Weight, walk: &mut Walk<'_>) -> Result<()> {
        let mut docs = weight.scorer(walk.segment, 1.0)?;
        while docs.doc() != TERMINATED && !self.tick() {
            self.take(docs.doc(), walk);
            docs.advance();
        }
        Ok(())
    }

    fn walk_scored(&mut self, weight: &dyn Weight, walk: &mut Walk<'_>) -> Result<()> {
        let mut docs = weight.scorer(walk.segment, 1.0)?;
        while docs.doc() != TERMINATED && !self.tick() {
            if docs.score() > self.threshold() {
                self.take(docs.doc(), walk);
            }
            docs.advance();
        }
        Ok(())
    }

    fn walk_best(&mut self, weight: &dyn Weight, walk: &mut Walk<'_>) -> Result<()> {
        let from = self.threshold();
        weight.for_each_pruning(from, walk.segment, &mut |doc, _| {
            if self.tick() {
                // Nothing scores above this: the walk ends.
                return Score::INFINITY;
            }
            self.take(doc, walk);
            self.threshold()
        })?;
        Ok(())
    }

    /// Counts a step of the walk; says whether to end it.
    fn tick(&mut self) -> bool {
        self.walked = self.walked.wrapping_add(1);
        self.stopped |= self.walked.is_multiple_of(STOP_EVERY_DOCS) && (self.stop)();
        self.stopped
    }

    /// Takes one matching document.
    fn take(&mut self, doc: DocId, walk: &mut Walk<'_>) {
        let filter = walk.filter;
        if self.facets.is_some() {
            walk.counted.count(doc, filter);
        }
        if filter.has(doc) {
            let rank = if self.by_time {
                tantivy::i64_to_u64(filter.times.get_val(doc))
            } else {
                walk.scores.of(doc).to_bits().into()
            };
            self.best.add(Candidate {
                rank,
                thing: ThingId(filter.things.get_val(doc)),
                label: filter.visible.label(doc),
                at: DocAddress::new(walk.number, doc),
            });
        }
    }

    /// What the engine may pass over: equal scores must still come, since the thing decides then, and the
    /// engine's own sums may be rounded otherwise than ours.
    fn threshold(&self) -> Score {
        let floor = f32::from_bits(self.best.floor as u32);
        if floor > 0.0 { floor * (1.0 - ROUNDING) } else { Score::MIN }
    }
}

/// One segment while it is walked.
struct Walk<'a> {
    number: SegmentOrdinal,
    segment: &'a SegmentReader,
    filter: &'a Filter<'a>,
    scores: Scores,
    counted: Counted,
}

/// Scores documents by the plan's terms, always summed in the same order: the engine's pruned walk sums
/// in an order that depends on what it passed over, and then two pages of one search would disagree.
pub(super) struct Scores {
    leaves: Vec<(Box<dyn Scorer>, Option<usize>)>,
    words: usize,
    /// Places of the leaves and the most that each adds, by which most first.
    by_worth: Vec<(usize, Score)>,
}

impl Scores {
    pub(super) fn new(segment: &SegmentReader, plan: &Plan) -> Result<Scores> {
        let open = |leaf: &Leaf| Ok((leaf.weight.scorer(segment, 1.0)?, leaf.word));
        let mut by_worth: Vec<_> = plan.leaves.iter().map(|leaf| leaf.score_max).enumerate().collect();
        by_worth.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        Ok(Scores {
            leaves: plan.leaves.iter().map(open).collect::<Result<_>>()?,
            words: plan.words,
            by_worth,
        })
    }

    /// How many documents each term has.
    fn lengths(&self) -> impl Iterator<Item = u32> + Clone {
        self.leaves.iter().map(|(scorer, _)| scorer.size_hint())
    }

    /// How many of the terms, those of most worth first, are needed to score above a floor: all others together do not.
    fn telling(&self, floor: Score) -> usize {
        let mut rest = 0.0;
        let others = self.by_worth.iter().rev().take_while(|(_, score_max)| {
            rest += score_max;
            rest < floor
        });
        self.by_worth.len() - others.count()
    }

    /// Whether a document has any of the first terms by worth; documents are asked for in order.
    fn has(&mut self, doc: DocId, telling: usize) -> bool {
        self.by_worth[..telling].iter().any(|(place, _)| {
            let scorer = &mut self.leaves[*place].0;
            scorer.doc() <= doc && scorer.seek(doc) == doc
        })
    }

    fn of(&mut self, doc: DocId) -> f32 {
        self.with_words(doc).0
    }

    /// The score, and a bit for each word that is there. Never more than the plain sum, so that the engine's upper bounds
    /// hold for it too. Documents are asked for in order.
    pub(super) fn with_words(&mut self, doc: DocId) -> (f32, u128) {
        let (mut sum, mut matched) = (0.0, 0u128);
        for (scorer, word) in &mut self.leaves {
            if scorer.doc() < doc {
                scorer.seek(doc);
            }
            if scorer.doc() == doc {
                sum += f64::from(scorer.score());
                matched |= word.map_or(0, |word| 1 << word);
            }
        }
        ((sum * coordination(matched.count_ones() as usize, self.words)) as f32, matched)
    }
}

/// Of a short question, a document with all the words comes before one with one of them many times.
pub(super) fn coordination(matched: usize, words: usize) -> f64 {
    if (2..=COORDINATED_WORDS_MAX).contains(&words) && matched > 0 {
        0.5 + 0.5 * matched as f64 / words as f64
    } else {
        1.0
    }
}
