//! How a question is asked by words and by meaning at the same time.
//!
//! Which come to be candidates, and how the two legs become one window, from which all pages are cut. Knows an index and a model,
//! and nothing of a node.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use index::text::{Allowed, Facets, Highlighter, Hits, Pinned, Query};
use index::vector::Near;
use storage::ids::{LabelId, Lsn, ThingId};

use super::fuse::{Candidate, Fusion, Method, Ranked, Said, fuse};
use super::reason::Reason;
use super::stage::{Among, Asked, Meaning, Stage, Stages};

pub mod orders;

/// The fewest candidates of a leg,
const CANDIDATES_MIN: usize = 100;
/// how many for each hit on a page,
const CANDIDATES_PER_HIT: usize = 10;
/// and the most; what a window holds.
pub const WINDOW_MAX: usize = 1_000;

/// How a question is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// By its words.
    #[default]
    Keyword,
    /// By its meaning.
    Vector,
    /// By both.
    Hybrid,
}

/// A question as both legs take it.
pub struct Legs<'a> {
    /// The words' index.
    pub pinned: &'a Pinned,
    /// The question, with as many hits as a page has.
    pub query: &'a Query,
    /// Which labels the reader may see.
    pub allowed: &'a Allowed,
    /// Those of them that the question chose.
    pub chosen: Allowed,
    /// Meaning's model and index.
    pub meaning: Arc<dyn Meaning>,
    /// By both, or by meaning alone.
    pub mode: Mode,
    /// How both become one.
    pub method: Method,
    /// What words count.
    pub keyword_weight: f64,
    /// How long the vector stage may take.
    pub budget: Duration,
}

/// How it went with the vector stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Why the answer is by words alone; none if it is not.
    pub reason: Option<Reason>,
    /// How long it took, never more than it may.
    pub took: Duration,
    /// The record up to which the vector index reflects the log, if it was asked.
    pub lsn: Option<Lsn>,
}

impl Outcome {
    /// No vector stage began.
    #[must_use]
    pub fn without(reason: Reason) -> Outcome {
        Outcome { reason: Some(reason), took: Duration::ZERO, lsn: None }
    }
}

/// A thing in the window.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it stands, and why.
    pub ranked: Ranked,
    /// The label of the assertion that is shown.
    pub label: LabelId,
    /// The passage of it that is nearest, in bytes of what was embedded.
    pub passage: Option<Range<u32>>,
}

/// The best of both legs in one order: what the pages of an answer are cut from.
pub struct Window {
    /// Best first.
    pub entries: Vec<Entry>,
    /// What words counted.
    pub keyword_weight: f64,
    /// The share of the question's words that the words' best hit has.
    pub coverage: f64,
    /// Whether a leg had more than its candidates.
    pub has_more: bool,
    /// The words' index when it was made.
    pub pinned: Pinned,
    /// Counts over all that the words match, if asked for.
    pub facets: Option<Facets>,
    /// Marks words in snippets.
    pub highlighter: Highlighter,
    /// Whether all that the words match was looked at in time.
    pub complete: bool,
    /// Candidates with a score that is no number.
    pub dropped: usize,
}

/// What both legs came to.
pub enum Came {
    /// To one order.
    Together(Box<Window>),
    /// The words alone have an answer, with more hits than a page has.
    Words(Box<Hits>),
}

/// What both legs came to, how, and how long their steps took.
pub struct Planned {
    /// To what.
    pub came: Came,
    /// How it went with the vector stage.
    pub outcome: Outcome,
    /// Steps by name; one that was cut off has what it was given.
    pub steps: Vec<(&'static str, Duration)>,
}

/// How many candidates of each leg a page wants.
#[must_use]
pub fn candidates(limit: usize) -> usize {
    (limit * CANDIDATES_PER_HIT).clamp(CANDIDATES_MIN, WINDOW_MAX)
}

/// Asks both legs. `late` ends the words' part with what it has.
///
/// # Errors
/// As for a search by words; what goes wrong with meaning is an outcome.
pub fn run(legs: &Legs<'_>, stages: &Stages, late: &dyn Fn() -> bool) -> index::Result<Planned> {
    let stage = stages.begin(legs.asked(), legs.budget);
    let begun = Instant::now();
    let words = legs.words(late)?;
    let mut steps = vec![("keyword", begun.elapsed())];
    let mut stage = match stage {
        Ok(stage) => stage,
        Err(reason) => {
            let came = Came::Words(Box::new(words));
            return Ok(Planned { came, outcome: Outcome::without(reason), steps });
        }
    };
    let met = legs.meet(&words, &mut stage)?;
    steps.extend(stage.steps().iter().map(|(step, took)| (step.as_str(), *took)));
    let lsn = Some(legs.meaning.position());
    let outcome = Outcome { reason: met.as_ref().err().copied(), took: stage.took(), lsn };
    let came = match met {
        Ok(met) => {
            let begun = Instant::now();
            let window = legs.window(words, met);
            steps.push(("fuse", begun.elapsed()));
            Came::Together(Box::new(window))
        }
        Err(_) => Came::Words(Box::new(words)),
    };
    Ok(Planned { came, outcome, steps })
}

/// What both legs found of each thing.
struct Met {
    candidates: Vec<Candidate>,
    /// The label that is shown of each thing, and its nearest passage.
    shown: HashMap<ThingId, (LabelId, Option<Range<u32>>)>,
    coverage: f64,
    has_more: bool,
}

impl Legs<'_> {
    fn asked(&self) -> Asked {
        Asked {
            meaning: Arc::clone(&self.meaning),
            text: self.query.text.clone(),
            k: candidates(self.query.limit),
            among: Among {
                labels: self.chosen.clone(),
                form: self.query.form,
                time: self.query.time,
                include_revoked: self.query.include_revoked,
            },
        }
    }

    fn words(&self, late: &dyn Fn() -> bool) -> index::Result<Hits> {
        let limit = candidates(self.query.limit);
        let query = Query { limit, explain: false, after: None, ..self.query.clone() };
        self.pinned.search(&query, self.allowed, late)
    }

    /// Each leg is asked of what only the other found: what one has cut off is not worth nothing.
    fn meet(&self, words: &Hits, stage: &mut Stage) -> index::Result<Result<Met, Reason>> {
        let mut near = match stage.near() {
            Ok(near) => near,
            Err(reason) => return Ok(Err(reason)),
        };
        let has_more = words.next.is_some() || near.len() >= candidates(self.query.limit);
        let mut seen = HashSet::new();
        near.retain(|near| seen.insert(near.thing));
        let said: HashSet<ThingId> = words.hits.iter().map(|hit| hit.thing).collect();
        let of_words: Vec<ThingId> = match self.mode {
            Mode::Vector => Vec::new(),
            Mode::Keyword | Mode::Hybrid => {
                words.hits.iter().map(|hit| hit.thing).filter(|thing| !seen.contains(thing)).collect()
            }
        };
        stage.compare(of_words.clone());
        // The best hit's words come with the rest: they tell how much of the question is covered.
        let best = words.hits.first().map(|hit| hit.thing);
        let of_meaning: Vec<ThingId> =
            near.iter().map(|near| near.thing).filter(|thing| !said.contains(thing)).chain(best).collect();
        let query = Query { explain: false, ..self.query.clone() };
        let given = self.pinned.scores(&query, self.allowed, &of_meaning)?;
        let beside = match stage.cosines() {
            Ok(cosines) => of_words.into_iter().zip(cosines),
            Err(reason) => return Ok(Err(reason)),
        };
        let coverage = given.last().filter(|_| best.is_some()).and_then(Option::as_ref);
        let mut met = Met {
            candidates: Vec::new(),
            shown: HashMap::new(),
            coverage: coverage.map_or(1.0, |given| given.coverage),
            has_more,
        };
        let given: HashMap<ThingId, f32> = of_meaning
            .into_iter()
            .zip(given)
            .filter_map(|(thing, given)| Some((thing, given?.score)))
            .collect();
        self.gather(&mut met, words, &near, (&given, &beside.collect()));
        Ok(Ok(met))
    }

    /// Makes a candidate of each thing, with what the legs found of it and what they said when they were asked.
    fn gather(
        &self,
        met: &mut Met,
        words: &Hits,
        near: &[Near],
        (given, beside): (&HashMap<ThingId, f32>, &HashMap<ThingId, Option<Near>>),
    ) {
        let found: HashMap<ThingId, (u32, &Near)> =
            (1..).zip(near).map(|(rank, near)| (near.thing, (rank, near))).collect();
        let mut taken = HashSet::new();
        for (rank, hit) in (1..).zip(&words.hits) {
            let (vector, near) = match (found.get(&hit.thing), beside.get(&hit.thing)) {
                (Some((rank, near)), _) => (meant(near, Some(*rank)), Some(*near)),
                (None, Some(Some(near))) => (meant(near, None), Some(near)),
                // Looking by meaning alone, what only words found is no hit.
                (None, None) => continue,
                (None, Some(None)) => (Said::default(), None),
            };
            taken.insert(hit.thing);
            let passage = near.filter(|near| near.label == hit.label).map(|near| near.passage.clone());
            met.shown.insert(hit.thing, (hit.label, passage));
            let keyword = Said { raw: Some(hit.score.into()), rank: Some(rank) };
            met.candidates.push(Candidate { thing: hit.thing, keyword, vector });
        }
        for (rank, near) in (1..).zip(near).filter(|(_, near)| !taken.contains(&near.thing)) {
            met.shown.insert(near.thing, (near.label, Some(near.passage.clone())));
            let raw = given.get(&near.thing).map(|score| f64::from(*score)).filter(|score| *score > 0.0);
            let keyword = Said { raw, rank: None };
            met.candidates.push(Candidate { thing: near.thing, keyword, vector: meant(near, Some(rank)) });
        }
    }

    fn window(&self, words: Hits, mut met: Met) -> Window {
        let keyword_weight = if self.mode == Mode::Vector { 0.0 } else { self.keyword_weight };
        let fusion = Fusion { method: self.method, keyword_weight, coverage: met.coverage };
        let mut fused = fuse(&met.candidates, &fusion);
        met.has_more |= fused.ranked.len() > WINDOW_MAX;
        fused.ranked.truncate(WINDOW_MAX);
        let entry = |ranked: Ranked| {
            let (label, passage) = met.shown.remove(&ranked.thing)?;
            Some(Entry { ranked, label, passage })
        };
        Window {
            entries: fused.ranked.into_iter().filter_map(entry).collect(),
            keyword_weight: fused.keyword_weight,
            coverage: met.coverage,
            has_more: met.has_more,
            pinned: self.pinned.clone(),
            facets: words.facets,
            highlighter: words.highlighter,
            complete: words.complete,
            dropped: fused.dropped,
        }
    }
}

fn meant(near: &Near, rank: Option<u32>) -> Said {
    Said { raw: Some(near.cosine.into()), rank }
}

#[cfg(test)]
mod tests;
