//! Judged queries of a tenant, asked of its own indexes one after the other: which weight serves those best who search there.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use serde::Serialize;
use storage::ids::ThingId;
use storage::model::Form;

use super::collection::{Judgements, Query, judged_lines};
use super::error::Error;
use super::measures::{DEPTH, Measures};
use super::report::{self, PerQuery, QueryReport, Run};
use super::tune::{Tuned, WEIGHTS, enough, tune};
use super::{Mode, Way};
use crate::app::App;
use crate::gateway::Failure;
use crate::policy::Principal;
use crate::search;
use crate::search::reason::Reason;

/// Most queries.
const QUERIES_MAX: usize = 2_000;
/// Longest text of judged queries, in bytes.
pub(crate) const BYTES_MAX: usize = 8 << 20;
/// Longest time that asking them may take.
const TIME_MAX: Duration = Duration::from_secs(300);

/// Vectors of what was written a moment ago are waited for so long,
const CATCHING_UP: Duration = Duration::from_secs(3);
/// and looked for so often.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Queries that are being asked.
pub(crate) struct Tuning {
    queries: Vec<Query>,
    judgements: Judgements,
    form: Option<Form>,
    ways: Vec<Way>,
    current: f64,
    begun: Instant,
    measured: Vec<PerQuery>,
    by_words: usize,
    missing: usize,
}

/// What judged queries say of each weight.
#[derive(Debug, Serialize)]
pub(crate) struct Found {
    #[serde(flatten)]
    tuned: Tuned,
    queries: usize,
    /// Queries that are answered by words alone at any weight, because of a phrase, say.
    by_words: usize,
    /// Words alone, meaning alone, and both at each weight.
    runs: Vec<Run>,
    per_query: Vec<QueryReport>,
    notes: Vec<String>,
}

impl Tuning {
    /// Judged queries as lines of JSON, ready to be asked.
    pub(crate) fn of(
        app: &App,
        principal: &Principal,
        lines: Vec<u8>,
        form: Option<Form>,
    ) -> Result<Tuning, Failure> {
        let (queries, judgements) = judged_lines(lines)?;
        check(queries.len()).map_err(Failure::bad_request)?;
        has_caught_up(app, principal)?;
        let current = search::tenant_weight(&app.view()?, principal.tenant)?;
        Ok(Tuning {
            queries,
            judgements,
            form,
            ways: ways(current),
            current,
            begun: Instant::now(),
            measured: Vec::new(),
            by_words: 0,
            missing: 0,
        })
    }

    /// How many were asked, and of how many.
    pub(crate) fn progress(&self) -> (usize, usize) {
        (self.measured.len(), self.queries.len())
    }

    /// Asks the next query; false if there is none.
    pub(crate) fn ask(&mut self, app: &App, principal: &Principal) -> Result<bool, Failure> {
        let (asked, of) = self.progress();
        let Some(query) = self.queries.get(asked) else { return Ok(false) };
        if self.is_late() {
            let seconds = TIME_MAX.as_secs();
            let message = format!("{asked} of {of} queries were asked within {seconds} s; give fewer");
            return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", message));
        }
        let orders = search::orders(app, principal, (&query.text, self.form), &self.ways)
            .map_err(|failure| of_query(asked, failure))?
            .map_err(|reason| without(query, reason))?;
        let all = self.judgements.of(&query.id).cloned().unwrap_or_default();
        let grades = self.seen(app, principal, &all)?;
        let measures = |order: &Vec<ThingId>| {
            let grade = |thing: &ThingId| grades.get(thing).copied().unwrap_or(0);
            let ranked: Vec<u32> = order.iter().take(DEPTH).map(grade).collect();
            Measures::of(&ranked, all.values().copied())
        };
        let relevant = |grade: &&u32| **grade > 0;
        let measured = PerQuery {
            query: query.id.clone(),
            text: query.text.clone(),
            relevant: all.values().filter(relevant).count(),
            results: orders.of.iter().map(measures).collect(),
        };
        self.by_words += usize::from(orders.by_words);
        self.missing += measured.relevant - grades.values().filter(relevant).count();
        self.measured.push(measured);
        Ok(true)
    }

    /// Whether there is no time left.
    pub(crate) fn is_late(&self) -> bool {
        self.begun.elapsed() > TIME_MAX
    }

    /// The grades of the things that are there, as far as the principal may see them.
    fn seen(
        &self,
        app: &App,
        principal: &Principal,
        judged: &HashMap<String, u32>,
    ) -> Result<HashMap<ThingId, u32>, Failure> {
        let view = app.view()?;
        let reader = app.reader(&view, principal)?;
        let mut seen = HashMap::with_capacity(judged.len());
        for (id, grade) in judged {
            let Some((thing, row)) = view.thing_by_id(principal.tenant, id)? else { continue };
            if !reader.readable(thing, &row, None)?.is_empty() {
                seen.insert(thing, *grade);
            }
        }
        Ok(seen)
    }

    /// What they say, when all were asked.
    pub(crate) fn found(self) -> Found {
        let hybrid = self.ways.iter().filter(|way| way.mode == Mode::Hybrid).map(|way| way.weight);
        let weights: Vec<f64> = hybrid.collect();
        let first = self.ways.len() - weights.len();
        let at_each = |query: &PerQuery| query.results[first..].iter().map(|one| one.ndcg_at_10).collect();
        let worth: Vec<Vec<f64>> = self.measured.iter().map(at_each).collect();
        let note = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}"));
        let notes = [
            note(self.missing, "relevant things are not here, or not to be seen; they count as not found"),
            note(self.by_words, "queries are exact or empty: words alone answer them at any weight"),
        ];
        Found {
            tuned: tune(&weights, self.current, &worth),
            queries: self.measured.len(),
            by_words: self.by_words,
            runs: report::runs(&self.ways, &self.measured),
            per_query: self.measured.into_iter().map(|query| query.report(&self.ways)).collect(),
            notes: notes.into_iter().flatten().chain(self.judgements.note()).collect(),
        }
    }
}

/// Refuses a number of queries by which nothing can be said, or that would take too long.
pub(crate) fn check(queries: usize) -> Result<(), String> {
    enough(queries)?;
    if queries > QUERIES_MAX {
        return Err(format!("{queries} judged queries; at most {QUERIES_MAX}"));
    }
    Ok(())
}

/// While vectors are still being made of what is there, meaning seems to be worth less than it will be.
fn has_caught_up(app: &App, principal: &Principal) -> Result<(), Failure> {
    let head = app.view()?.head(principal.tenant)?.head();
    // Without meaning there is nothing to catch up, and the first query says why.
    let behind =
        || app.meaning(principal.tenant).ok().map(|meaning| meaning.position()).filter(|at| *at < head);
    let begun = Instant::now();
    while begun.elapsed() < CATCHING_UP && behind().is_some() {
        std::thread::sleep(LOOK_EVERY);
    }
    let Some(at) = behind() else { return Ok(()) };
    let message = format!("the vectors reflect record {at} of {head}; ask again when they have caught up");
    Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "index_behind", message))
}

/// Words alone, meaning alone, and both at each weight that is tried, the present one among them.
fn ways(current: f64) -> Vec<Way> {
    let mut weights = WEIGHTS.to_vec();
    if !weights.contains(&current) {
        weights.push(current);
        weights.sort_by(f64::total_cmp);
    }
    let alone = [(Mode::Keyword, 1.0), (Mode::Vector, 0.0)];
    let both = weights.into_iter().map(|weight| (Mode::Hybrid, weight));
    alone.into_iter().chain(both).map(|(mode, weight)| Way { mode, weight }).collect()
}

/// A refusal says which of the queries it is about.
fn of_query(asked: usize, failure: Failure) -> Failure {
    let message = format!("judged query {}: {}", asked + 1, failure.message);
    Failure { message, ..failure }
}

/// Nothing can be said of weights where meaning is not looked for.
fn without(query: &Query, reason: Reason) -> Failure {
    let status = match reason {
        Reason::FlagOff | Reason::NoModel => StatusCode::CONFLICT,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let message = format!("`{}` is answered by words alone: {}", query.text, reason.help());
    Failure::new(status, reason.as_str(), message)
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::bad_request(error.to_string())
    }
}
