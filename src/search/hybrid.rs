//! A search by words and by meaning: who may have it, its window, and the pages that are cut from it. Whatever keeps meaning from
//! being looked for, the answer is that of the words, and says why.

use std::sync::Arc;
use std::time::{Duration, Instant};

use index::text::{Hits, Pinned, Wanted, wanted};
use roaring::RoaringBitmap;
use storage::View;
use storage::ids::{TenantId, ThingId};
use storage::model::{Flag, weight};

use super::cursors::{Page, Resumed};
use super::describe::{self, Describe};
use super::fuse::KEYWORD_WEIGHT;
use super::plan::{self, Came, Entry, Legs as Asking, Mode, Outcome, Window};
use super::reason::Reason;
use super::stage::Meaning;
use super::{Answer, Hit, Legs, Prepared, Question, WordsPage, check, digest, pin, prepare, wait_for, words};
use crate::app::App;
use crate::gateway::Failure;
use crate::policy::Principal;

/// Answers a question by its words, its meaning or both, for a principal.
pub(crate) fn hybrid(
    app: &App,
    principal: &Principal,
    view: &View,
    question: &Question,
    late: &dyn Fn() -> bool,
) -> Result<Answer, Failure> {
    let begun = Instant::now();
    check(question)?;
    wait_for(app, principal, view, question.at_least)?;
    let of = digest(principal, question);
    let page = question.after.as_ref().map(|name| app.cursors.resume(name, of)).transpose()?;
    if let Some(Resumed::Window(window, vector, from)) = page {
        return WindowPage { begun, window, vector, from }.answer(app, principal, question);
    }
    let meaning = match page {
        Some(_) => Err(Reason::NotAsked),
        None => meaning(app, principal, view, question),
    };
    let answer = match meaning {
        Ok(meaning) => both(app, principal, question, meaning, late)?,
        // Pages after the first say what the first one said.
        Err(reason) => words(app, principal, question, page, (reason, late))?,
    };
    if question.after.is_none() {
        app.metrics.vector_stage(question.mode, &answer.vector);
    }
    Ok(Answer { took: begun.elapsed(), ..answer })
}

/// What can look for the meaning of a question, or why nothing can.
pub(super) fn meaning(
    app: &App,
    principal: &Principal,
    view: &View,
    question: &Question,
) -> Result<Arc<dyn Meaning>, Reason> {
    if question.mode == Mode::Keyword {
        return Err(Reason::NotAsked);
    }
    if !is_on(app, view, principal) {
        return Err(Reason::FlagOff);
    }
    match wanted(&question.text) {
        Wanted::Nothing => return Err(Reason::QueryEmpty),
        Wanted::Exactly => return Err(Reason::FilterExact),
        Wanted::Words => {}
    }
    app.meaning(principal.tenant)
}

/// A flag that cannot be read is off: the answer is that of the words.
fn is_on(app: &App, view: &View, principal: &Principal) -> bool {
    app.vector_preview(view, principal.tenant).unwrap_or_default()
}

/// What words count: as the question says, else as the tenant does, else as everywhere.
fn keyword_weight(view: &View, principal: &Principal, question: &Question) -> Result<f64, Failure> {
    if let Some(weight) = question.keyword_weight {
        return Ok(weight);
    }
    Ok(tenant_weight(view, principal.tenant)?)
}

/// What words count where a question says nothing.
pub(crate) fn tenant_weight(view: &View, tenant: TenantId) -> storage::Result<f64> {
    let set =
        if view.is_stopped(Flag::KeywordWeight)? { None } else { view.flag(tenant, Flag::KeywordWeight)? };
    Ok(set.and_then(|row| weight(&row.value)).unwrap_or(KEYWORD_WEIGHT))
}

/// The first page, by both legs; by words alone if meaning comes to nothing.
fn both(
    app: &App,
    principal: &Principal,
    question: &Question,
    meaning: Arc<dyn Meaning>,
    late: &dyn Fn() -> bool,
) -> Result<Answer, Failure> {
    let begun = Instant::now();
    let pinned = pin(app, principal)?;
    let view = &app.view()?;
    let prepared = prepare(app, view, principal, question)?;
    let legs = Asking {
        pinned: &pinned,
        query: &prepared.query,
        allowed: &prepared.labels,
        chosen: chosen(app, view, principal, question, &prepared)?,
        meaning,
        mode: question.mode,
        method: question.method,
        keyword_weight: keyword_weight(view, principal, question)?,
        budget: Duration::from_millis(app.config.vector_budget_ms),
    };
    let planned = plan::run(&legs, &app.stages, late)?;
    app.metrics.search_steps(&planned.steps);
    let vector = planned.outcome;
    match planned.came {
        Came::Together(window) => {
            app.metrics.search_dropped.inc_by(window.dropped as u64);
            WindowPage { begun, window: Arc::from(window), vector, from: 0 }.answer(app, principal, question)
        }
        Came::Words(found) => {
            let found = first_page(&pinned, &prepared, *found)?;
            let top = found.hits.first().map(|hit| hit.score).unwrap_or_default();
            let page = WordsPage { begun, pinned: pinned.clone(), found, top, vector };
            page.answer(app, principal, view, question, &prepared)
        }
    }
}

/// The labels that the reader may see and chose: type, source and classification are parts of a label.
fn chosen(
    app: &App,
    view: &View,
    principal: &Principal,
    question: &Question,
    prepared: &Prepared,
) -> Result<index::text::Allowed, Failure> {
    let has = |list: &[String], name: &str| list.iter().any(|one| one == name);
    let is_open = [&question.types, &question.not_types, &question.sources, &question.not_sources]
        .iter()
        .all(|list| list.is_empty());
    if is_open && question.classifications.is_empty() {
        return Ok(prepared.labels.clone());
    }
    let labels = app.labels(view, principal.tenant)?;
    let chosen = labels.iter().filter(|(id, label)| {
        prepared.allowed.contains(*id)
            && (question.types.is_empty() || has(&question.types, &label.thing_type))
            && !has(&question.not_types, &label.thing_type)
            && (question.sources.is_empty() || has(&question.sources, &label.source))
            && !has(&question.not_sources, &label.source)
            && (question.classifications.is_empty()
                || question.classifications.contains(&label.classification))
    });
    let chosen: RoaringBitmap = chosen.map(|(id, _)| id.0).collect();
    Ok(index::text::Allowed::Labels(Arc::new(chosen)))
}

/// The page that a search by words would have begun with, out of more hits than it has.
fn first_page(pinned: &Pinned, prepared: &Prepared, mut found: Hits) -> Result<Hits, Failure> {
    let limit = prepared.query.limit;
    let more = found.hits.len() > limit || found.next.is_some();
    found.hits.truncate(limit);
    found.next = found.hits.last().map(|hit| hit.key).filter(|_| more);
    if prepared.query.explain {
        let things: Vec<ThingId> = found.hits.iter().map(|hit| hit.thing).collect();
        let given = pinned.scores(&prepared.query, &prepared.labels, &things)?;
        for (hit, given) in found.hits.iter_mut().zip(given) {
            hit.why = given.and_then(|given| given.why);
        }
    }
    Ok(found)
}

/// A page of a window.
struct WindowPage {
    begun: Instant,
    window: Arc<Window>,
    vector: Outcome,
    /// Its first hit.
    from: usize,
}

impl WindowPage {
    fn answer(self, app: &App, principal: &Principal, question: &Question) -> Result<Answer, Failure> {
        let WindowPage { begun, window, vector, from } = self;
        let view = &app.view()?;
        let prepared = prepare(app, view, principal, question)?;
        let to = window.entries.len().min(from + question.limit);
        let entries = window.entries.get(from..to).unwrap_or_default();
        let has_next = to < window.entries.len();
        let cursors = (has_next || (question.places && !entries.is_empty())).then(|| {
            let page = Page::Window(Arc::clone(&window), vector, from..to);
            app.cursors.keep(&principal.token_id, digest(principal, question), page)
        });
        let describe = Describe::new(app, principal, view, &window.highlighter)?;
        describe.filtered(&prepared.allowed);
        let mut whys = whys(&window, entries, &prepared)?.into_iter();
        let mut hits = Vec::with_capacity(entries.len());
        for (number, entry) in entries.iter().enumerate() {
            let why = whys.next().flatten();
            // What was allowed when the window was made may not be any more.
            if from > 0 && !prepared.allowed.contains(entry.label) {
                continue;
            }
            let place = describe::Place {
                thing: entry.ranked.thing,
                label: entry.label,
                passage: entry.passage.clone(),
            };
            let numbers = (entry.ranked.score, legs(entry, window.keyword_weight));
            let Some(described) = describe.hit(&prepared.allowed, &place, numbers)? else { continue };
            let cursor = cursors.as_ref().map(|cursors| cursors.at(number));
            hits.push(Hit { cursor, why, ..described });
        }
        app.metrics.searched(hits.is_empty() && from == 0);
        Ok(Answer {
            hits,
            next: cursors.filter(|_| has_next).map(|cursors| cursors.last()),
            facets: window.facets.clone(),
            lsn: window.pinned.position(),
            took: begun.elapsed(),
            complete: window.complete,
            vector,
            window_exhausted: !has_next && window.has_more,
        })
    }
}

/// What the words' part of each score is made of, if that was asked for.
fn whys(
    window: &Window,
    entries: &[Entry],
    prepared: &Prepared,
) -> Result<Vec<Option<index::text::Why>>, Failure> {
    if !prepared.query.explain {
        return Ok(Vec::new());
    }
    let things: Vec<ThingId> = entries.iter().map(|entry| entry.ranked.thing).collect();
    let given = window.pinned.scores(&prepared.query, &prepared.labels, &things)?;
    Ok(given.into_iter().map(|given| given.and_then(|given| given.why)).collect())
}

fn legs(entry: &Entry, weight: f64) -> Legs {
    let ranked = &entry.ranked;
    Legs {
        keyword_raw: ranked.keyword.raw.unwrap_or_default(),
        keyword: ranked.keyword_worth,
        vector_raw: ranked.vector.raw,
        vector: ranked.vector.raw.map(|_| ranked.vector_worth),
        weight,
        keyword_rank: ranked.keyword.rank,
        vector_rank: ranked.vector.rank,
    }
}
