//! What an evaluation says: each way to search beside words alone, and each query.

use serde::Serialize;

use super::Way;
use super::measures::Measures;
use super::significance::Comparison;

/// What an evaluation found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Documents of the collection.
    pub docs: usize,
    /// Queries of the collection.
    pub queries: usize,
    /// Queries that were asked: those for which something relevant is known.
    pub judged: usize,
    /// `binary`, or `graded` where relevance has degrees.
    pub relevance: &'static str,
    /// Words alone, meaning alone if there is a model, and both at each weight.
    pub runs: Vec<Run>,
    /// The same query by query.
    pub per_query: Vec<QueryReport>,
    /// How long it took.
    pub seconds: Seconds,
    /// What the reader should know.
    pub notes: Vec<String>,
}

/// What a way to search is worth.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// `keyword`, `vector` or `hybrid`.
    pub mode: &'static str,
    /// How much words count, from 0 to 1.
    pub weight: f64,
    /// The means over all queries.
    #[serde(flatten)]
    pub means: Measures,
    /// How its nDCG compares with that of words alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against_keyword: Option<Gain>,
}

/// How one way compares with another.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Gain {
    /// The difference of the means, as a share of the other's.
    pub relative: f64,
    /// Query by query.
    #[serde(flatten)]
    pub comparison: Comparison,
}

/// What each way to search is worth for one query.
#[derive(Clone, Debug, Serialize)]
pub struct QueryReport {
    /// What the collection calls it.
    pub query: String,
    /// In words.
    pub text: String,
    /// Documents that are relevant to it.
    pub relevant: usize,
    /// In the order of the runs.
    pub runs: Vec<QueryRun>,
}

/// What a way to search is worth for one query.
#[derive(Clone, Debug, Serialize)]
pub struct QueryRun {
    /// `keyword`, `vector` or `hybrid`.
    pub mode: &'static str,
    /// How much words count, from 0 to 1.
    pub weight: f64,
    /// What it is worth.
    #[serde(flatten)]
    pub measures: Measures,
}

/// How long parts of an evaluation took.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Seconds {
    /// Until everything was searchable.
    pub fill: f64,
    /// Asking all queries in all ways.
    pub search: f64,
}

/// What was asked and found.
pub(super) struct Answered {
    pub(super) docs: usize,
    pub(super) queries: usize,
    pub(super) graded: bool,
    pub(super) ways: Vec<Way>,
    pub(super) per_query: Vec<PerQuery>,
    pub(super) notes: Vec<String>,
    pub(super) seconds: Seconds,
}

/// What was found for one query, in the order of the ways.
pub(super) struct PerQuery {
    pub(super) query: String,
    pub(super) text: String,
    pub(super) relevant: usize,
    pub(super) results: Vec<Measures>,
}

impl Report {
    pub(super) fn of(answered: Answered) -> Report {
        let Answered { docs, queries, graded, ways, per_query, notes, seconds } = answered;
        let runs = runs(&ways, &per_query);
        let judged = per_query.len();
        let per_query = per_query.into_iter().map(|query| query.report(&ways)).collect();
        let relevance = if graded { "graded" } else { "binary" };
        Report { docs, queries, judged, relevance, runs, per_query, seconds, notes }
    }
}

/// What each way is worth, beside the first, which is words alone.
pub(super) fn runs(ways: &[Way], per_query: &[PerQuery]) -> Vec<Run> {
    let column = |at: usize| -> Vec<Measures> { per_query.iter().map(|query| query.results[at]).collect() };
    let keyword = column(0);
    let run = |(at, way): (usize, &Way)| {
        let measured = column(at);
        let against_keyword = (at > 0).then(|| Gain::of(&measured, &keyword));
        Run { mode: way.mode(), weight: way.weight, means: Measures::mean(&measured), against_keyword }
    };
    ways.iter().enumerate().map(run).collect()
}

impl Gain {
    fn of(measured: &[Measures], keyword: &[Measures]) -> Gain {
        let ndcg = |of: &[Measures]| -> Vec<f64> { of.iter().map(|one| one.ndcg_at_10).collect() };
        let comparison = Comparison::of(&ndcg(measured), &ndcg(keyword));
        let base = Measures::mean(keyword).ndcg_at_10;
        let relative = if base > 0.0 { comparison.difference / base } else { 0.0 };
        Gain { relative, comparison }
    }
}

impl PerQuery {
    pub(super) fn report(self, ways: &[Way]) -> QueryReport {
        let run =
            |(way, measures): (&Way, Measures)| QueryRun { mode: way.mode(), weight: way.weight, measures };
        let runs = ways.iter().zip(self.results).map(run).collect();
        QueryReport { query: self.query, text: self.text, relevant: self.relevant, runs }
    }
}
