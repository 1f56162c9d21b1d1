//! A search: the question, the answer, and the order of pages.

use std::sync::Arc;

use roaring::RoaringBitmap;
use storage::ids::{LabelId, Lsn, ThingId};
use storage::model::Form;
use tantivy::{DocAddress, Searcher};

use super::collect::{Candidate, Collected};
use super::facets::Facets;
use super::filter::Filter;
use super::plan::{Plan, Planner};
use super::question::Question;
use super::schema::Fields;
use super::snippet::Highlighter;
use super::visible::Visible;
use super::why::Why;
use crate::error::{Error, Result};

/// Deepest hit that pages lead to.
pub const HITS_MAX: usize = 10_000;
/// Longest text of a query, in bytes.
pub const QUERY_BYTES_MAX: usize = 8 * 1024;
/// Most different words in a query.
pub const WORDS_MAX: usize = 128;

/// The index as it was at one commit: every page that is asked of it belongs to the same answer.
#[derive(Clone)]
pub struct Pinned {
    pub(super) searcher: Searcher,
    pub(super) fields: Fields,
    position: Lsn,
}

/// Which labels a reader may see. There is no search without one.
#[derive(Clone, Debug)]
pub enum Allowed {
    /// Every label, for the node's own work.
    Every,
    /// These.
    Labels(Arc<RoaringBitmap>),
}

/// A question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// What the user typed: words, `"phrases"`, `-without`. Empty: everything, newest first.
    pub text: String,
    /// Only things of these types; all if empty.
    pub types: Vec<String>,
    /// No things of these types.
    pub not_types: Vec<String>,
    /// Only what these sources say; all if empty.
    pub sources: Vec<String>,
    /// Nothing that these sources say.
    pub not_sources: Vec<String>,
    /// Groups of labels: to be counted, and to be chosen from.
    pub groups: Groups,
    /// Only what was observed (else recorded) in this time.
    pub time: Option<TimeRange>,
    /// Also what its source revoked or deprecated.
    pub include_revoked: bool,
    /// Only entities, or only relations.
    pub form: Option<Form>,
    /// How many hits, at most [`HITS_MAX`] together with those of the pages before.
    pub limit: usize,
    /// The [`Hits::next`] of the page before, asked of the same [`Pinned`].
    pub after: Option<Key>,
    /// What comes first.
    pub order: Order,
    /// The last word may be the beginning of a longer one.
    pub prefix: bool,
    /// Counts by type, source and group are wanted; they need a walk over all matches.
    pub facets: bool,
    /// Counts by time are wanted with them.
    pub chart: bool,
    /// What each score is made of is wanted.
    pub explain: bool,
}

/// Labels in groups, by something that the index knows nothing of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// The group of each label, by its id. A label beyond the end is in none.
    pub by_label: Arc<Vec<u8>>,
    /// Only what is said under labels of these groups; under any if empty.
    pub wanted: Vec<u8>,
}

/// What comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The best score; the newest if there are no words.
    #[default]
    Relevance,
    /// The newest.
    Time,
}

/// From a time until before another, microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// The first microsecond.
    pub from_us: i64,
    /// The microsecond after the last.
    pub to_us: i64,
}

/// Where a hit stands in its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// How many hits are before it and itself.
    pub number: u32,
    /// What it was ordered by.
    pub rank: u64,
    /// The thing: orders hits of the same rank.
    pub thing: ThingId,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The thing.
    pub thing: ThingId,
    /// The label of its best document: the assertion under it is what matched.
    pub label: LabelId,
    /// BM25, 0 in an answer that is ordered by time.
    pub score: f32,
    /// Where it stands.
    pub key: Key,
    /// What the score is made of, if that was asked for.
    pub why: Option<Why>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Hits {
    /// Best first; no thing twice.
    pub hits: Vec<Hit>,
    /// Where the next page begins, if there is one.
    pub next: Option<Key>,
    /// If they were asked for.
    pub facets: Option<Facets>,
    /// Whether every match was looked at: `false` if the caller's `stop` came first.
    pub complete: bool,
    /// The last record that the answer reflects.
    pub lsn: Lsn,
    /// Marks what was looked for in a text.
    pub highlighter: Highlighter,
}

impl Groups {
    pub(super) fn of(&self, label: LabelId) -> Option<u8> {
        self.by_label.get(label.0 as usize).copied()
    }

    pub(super) fn has(&self, label: LabelId) -> bool {
        self.wanted.is_empty() || self.of(label).is_some_and(|group| self.wanted.contains(&group))
    }
}

impl Allowed {
    /// The allowed labels from `min` to `max`, in order; `None` if all are.
    pub(crate) fn between(&self, min: u64, max: u64) -> Option<Vec<u32>> {
        let Allowed::Labels(labels) = self else {
            return None;
        };
        let (min, max) = (min as u32, max as u32);
        if min > max {
            return Some(vec![]);
        }
        if labels.contains_range(min..=max) { None } else { Some(labels.range(min..=max).collect()) }
    }
}

impl Pinned {
    pub(super) fn new(searcher: Searcher, fields: Fields, position: Lsn) -> Pinned {
        Pinned { searcher, fields, position }
    }

    /// The last record that it reflects.
    #[must_use]
    pub fn position(&self) -> Lsn {
        self.position
    }

    /// How many documents there are, visible or not.
    #[must_use]
    pub fn documents(&self) -> u64 {
        self.searcher.num_docs()
    }

    /// Answers a question from what the reader may see.
    ///
    /// `stop` is asked about every thousand documents; once it says so the answer is what was found so far.
    ///
    /// # Errors
    /// `Invalid` for a query over one of the limits of this module; `Damaged` or `Io` if the files fail.
    pub fn search(&self, query: &Query, allowed: &Allowed, stop: &dyn Fn() -> bool) -> Result<Hits> {
        let visible = self.visible(allowed)?;
        let plan = self.plan(query, &visible, query.facets || query.order == Order::Time)?;
        let by_time = query.order == Order::Time || plan.leaves.is_empty();
        let before = query.after.map_or(0, |key| key.number as usize);
        let mut collected = Collected::new(before + query.limit + 1, query, by_time, stop);
        for ((number, segment), visible) in (0..).zip(self.searcher.segment_readers()).zip(&visible) {
            let filter = Filter::new(segment, visible, query)?;
            collected.walk((number, segment), &plan, &filter)?;
        }
        let complete = !collected.stopped;
        let facets = collected.facets.take().map(Facets::from);
        let (found, next) = page(query, by_time, collected.best.into_sorted());
        let hits = found.into_iter().map(|(mut hit, at)| {
            hit.why = query.explain.then(|| plan.why(&self.searcher, at)).transpose()?;
            Ok(hit)
        });
        let hits = hits.collect::<Result<Vec<_>>>()?;
        Ok(Hits {
            hits,
            next,
            facets,
            complete,
            lsn: self.position,
            highlighter: Highlighter::new(plan.stems),
        })
    }

    pub(super) fn plan(&self, query: &Query, visible: &[Visible<'_>], everything: bool) -> Result<Plan> {
        let question = check(query)?;
        let planner = Planner {
            searcher: &self.searcher,
            fields: &self.fields,
            visible,
            prefix: query.prefix,
            everything,
        };
        planner.plan(&question)
    }

    pub(super) fn visible(&self, allowed: &Allowed) -> Result<Vec<Visible<'_>>> {
        let segments = self.searcher.segment_readers().iter();
        segments.map(|segment| Visible::new(segment, self.fields.label, allowed)).collect()
    }
}

fn check(query: &Query) -> Result<Question> {
    if query.text.len() > QUERY_BYTES_MAX {
        let limit = format!("{} bytes, at most {QUERY_BYTES_MAX}", query.text.len());
        return Err(Error::invalid("query too long", &query.text, limit));
    }
    let depth = query.after.map_or(0, |key| key.number as usize) + query.limit;
    if depth > HITS_MAX {
        let limit = format!("pages lead to the first {HITS_MAX} hits; narrow the query");
        return Err(Error::invalid("page too deep", &depth.to_string(), limit));
    }
    let question = Question::parse(&query.text);
    if question.words.len() > WORDS_MAX {
        let limit = format!("{} different words, at most {WORDS_MAX}", question.words.len());
        return Err(Error::invalid("query too long", &query.text, limit));
    }
    Ok(question)
}

/// Every page is cut from the best of the whole answer: a thing whose second document ranks on this page
/// is not shown again.
fn page(query: &Query, by_time: bool, best: Vec<Candidate>) -> (Vec<(Hit, DocAddress)>, Option<Key>) {
    let numbered = best.into_iter().zip(1..);
    let numbered = numbered.map(|(candidate, number)| (hit(candidate, number, by_time), candidate.at));
    let mut hits: Vec<_> =
        numbered.filter(|(hit, _)| query.after.is_none_or(|after| is_after(&hit.key, &after))).collect();
    let more = hits.len() > query.limit;
    hits.truncate(query.limit);
    let next = hits.last().map(|(hit, _)| hit.key).filter(|_| more);
    (hits, next)
}

fn is_after(key: &Key, after: &Key) -> bool {
    key.rank < after.rank || (key.rank == after.rank && key.thing > after.thing)
}

fn hit(candidate: Candidate, number: u32, by_time: bool) -> Hit {
    Hit {
        thing: candidate.thing,
        label: candidate.label,
        score: if by_time { 0.0 } else { f32::from_bits(candidate.rank as u32) },
        key: Key { number, rank: candidate.rank, thing: candidate.thing },
        why: None,
    }
}
