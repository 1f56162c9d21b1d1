//! The orders that a question has in several ways, as its answers would have them: what judged queries are measured by.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::{Duration, Instant};

use index::text::{Highlighter, Query};
use storage::View;
use storage::ids::ThingId;
use storage::model::Form;

use super::describe::Describe;
use super::fuse::{KEYWORD_WEIGHT, Method};
use super::hybrid::meaning;
use super::plan::orders::{Order, Way, of_words};
use super::plan::{self, Legs, Mode};
use super::reason::Reason;
use super::{Prepared, Question, check, pin, prepare};
use crate::app::App;
use crate::gateway::Failure;
use crate::policy::Principal;

/// Hits on a page where nobody asks for more or fewer: they decide how many candidates there are.
const PAGE: usize = 10;
/// Nobody waits for the answer to one question: nothing is cut off that gets on, and what is stuck is told.
const TIME_MAX: Duration = Duration::from_secs(20);

/// The orders of a question.
pub(crate) struct Orders {
    /// Things that may be seen, best first, in the order of the ways.
    pub(crate) of: Vec<Vec<ThingId>>,
    /// Whether words alone have an answer, in whichever way.
    pub(crate) by_words: bool,
}

/// The orders of a question for a principal; or why nothing is looked for by meaning.
pub(crate) fn orders(
    app: &App,
    principal: &Principal,
    (text, form): (&str, Option<Form>),
    ways: &[Way],
) -> Result<Result<Orders, Reason>, Failure> {
    let begun = Instant::now();
    let late = || begun.elapsed() > TIME_MAX;
    let question =
        Question { text: text.to_owned(), limit: PAGE, mode: Mode::Hybrid, form, ..Question::default() };
    check(&question)?;
    let pinned = pin(app, principal)?;
    let view = &app.view()?;
    let prepared = prepare(app, view, principal, &question)?;
    let meaning = match meaning(app, principal, view, &question) {
        Ok(meaning) => meaning,
        // So it is for whoever asks this, at any weight.
        Err(Reason::QueryEmpty | Reason::FilterExact) => {
            let query = Query { limit: plan::candidates(PAGE), ..prepared.query.clone() };
            let order = of_words(&pinned.search(&query, &prepared.labels, &late)?);
            let of = shown(app, principal, view, &prepared, vec![order; ways.len()])?;
            return Ok(Ok(Orders { of, by_words: true }));
        }
        Err(reason) => return Ok(Err(reason)),
    };
    let legs = Legs {
        pinned: &pinned,
        query: &prepared.query,
        allowed: &prepared.labels,
        chosen: prepared.labels.clone(),
        meaning,
        mode: Mode::Hybrid,
        method: Method::Scores,
        keyword_weight: KEYWORD_WEIGHT,
        budget: TIME_MAX,
    };
    Ok(match plan::orders::run(&legs, ways, &app.stages, &late)? {
        Ok(of) => Ok(Orders { of: shown(app, principal, view, &prepared, of)?, by_words: false }),
        Err(reason) => Err(reason),
    })
}

/// What an answer would show of each order: nothing that was taken back since the index saw it, or may not be seen after all.
fn shown(
    app: &App,
    principal: &Principal,
    view: &View,
    prepared: &Prepared,
    of: Vec<Order>,
) -> Result<Vec<Vec<ThingId>>, Failure> {
    let highlighter = Highlighter::default();
    let describe = Describe::new(app, principal, view, &highlighter)?;
    describe.filtered(&prepared.allowed);
    let mut known = HashMap::new();
    for place in of.iter().flatten() {
        if let Entry::Vacant(unknown) = known.entry(*place) {
            unknown.insert(describe.is_shown(&prepared.allowed, *place)?);
        }
    }
    let seen =
        |order: Order| order.into_iter().filter(|place| known[place]).map(|(thing, _)| thing).collect();
    Ok(of.into_iter().map(seen).collect())
}
