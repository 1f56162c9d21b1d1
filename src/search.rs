//! Search: a question becomes a query on the tenant's index, and its hits become answers that a person
//! can read: a title, a snippet, a score that says what it is made of.

mod cursors;
mod describe;
mod embeddings;
pub mod fuse;
mod hybrid;
pub(crate) mod meaning;
mod orders;
pub mod plan;
pub mod reason;
mod similar;
pub mod stage;

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use index::text::{Facets, Groups, HITS_MAX, Hits, Order, Pinned, QUERY_BYTES_MAX, Query, TimeRange, Why};
use sha2::{Digest, Sha256};
use storage::View;
use storage::ids::{Lsn, ThingId};
use storage::model::{Classification, Form, Status};

use crate::app::App;
use crate::gateway::Failure;
use crate::policy::{Action, Allowed, Principal};
use crate::read::Other;

pub use cursors::Cursors;
use cursors::{Ended, Page, Resumed};
use describe::Describe;
pub(crate) use embeddings::{Embedding, embeddings};
use fuse::Method;
pub(crate) use hybrid::{hybrid, tenant_weight};
pub(crate) use orders::orders;
use plan::{Mode, Outcome};
use reason::Reason;
pub(crate) use similar::similar;

/// A search ends by then with what it has.
const TIME_MAX: Duration = Duration::from_secs(2);
/// One for everything that is about some words ends by then without.
const EVERYTHING_TIME_MAX: Duration = Duration::from_secs(20);
/// A request waits so long for the index to reach the record that it asks for.
const AT_LEAST_TIMEOUT: Duration = Duration::from_secs(30);
/// A search waits so long for an index to be opened.
const OPEN_TIMEOUT: Duration = Duration::from_secs(2);
/// The group of a label that is no label.
const NO_GROUP: u8 = u8::MAX;

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The words.
    pub text: String,
    /// Hits wanted.
    pub limit: usize,
    /// The next page of an earlier answer.
    pub after: Option<String>,
    /// Whether each hit shall say where it stands.
    pub places: bool,
    /// Of these types only.
    pub types: Vec<String>,
    /// Of none of these types.
    pub not_types: Vec<String>,
    /// Of these sources only.
    pub sources: Vec<String>,
    /// Of none of these sources.
    pub not_sources: Vec<String>,
    /// Only what is so classified; anything that may be seen if empty.
    pub classifications: Vec<Classification>,
    /// Only entities, or only relations.
    pub form: Option<Form>,
    /// Only what was observed, or else recorded, in this time.
    pub time: Option<TimeRange>,
    /// Whether to find what its source took back.
    pub include_revoked: bool,
    /// Whether the newest come first, and not the best.
    pub newest: bool,
    /// Whether the last word may be the beginning of a longer one, since somebody is typing it.
    pub typing: bool,
    /// Whether to count types, sources and classifications,
    pub facets: bool,
    /// and with them what was observed when.
    pub chart: bool,
    /// Whether to say what each score is made of.
    pub explain: bool,
    /// Whether to look for meaning as well.
    pub mode: Mode,
    /// What words count against meaning, if the tenant's weight is not to decide.
    pub keyword_weight: Option<f64>,
    /// How both become one.
    pub method: Method,
    /// Only from an index that reflects this record.
    pub at_least: Option<Lsn>,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The hits, best first.
    pub hits: Vec<Hit>,
    /// To be sent for the next page.
    pub next: Option<String>,
    /// Counts over all hits, if asked for.
    pub facets: Option<Facets>,
    /// The record up to which the index reflects the log.
    pub lsn: Lsn,
    /// How long it took.
    pub took: Duration,
    /// Whether everything was looked at in time.
    pub complete: bool,
    /// How it went with looking for meaning.
    pub vector: Outcome,
    /// Whether pages end here although there is more.
    pub window_exhausted: bool,
}

/// A thing that was found, and why.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Its id.
    pub id: String,
    /// Its type.
    pub thing_type: String,
    /// Its title.
    pub title: String,
    /// What it joins, if it is a relation.
    pub joins: Option<(Other, Other)>,
    /// Who says what was found.
    pub source: String,
    /// When the source saw it, or else when it was recorded; microseconds since 1970.
    pub observed_us: i64,
    /// How far it may travel.
    pub classification: Classification,
    /// Whether the source stands by it.
    pub status: Status,
    /// Where the words are.
    pub snippet: String,
    /// The places of the words in the snippet, in bytes.
    pub marks: Vec<Range<usize>>,
    /// The final score, from 0 to 1.
    pub score: f64,
    /// What that is made of.
    pub legs: Legs,
    /// What its BM25 is made of, if asked for.
    pub why: Option<Why>,
    /// To be sent for what follows it, if that was asked for or there is another page.
    pub cursor: Option<String>,
}

/// What a score is made of: the weighted sum of what words and meaning are worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Legs {
    /// BM25.
    pub keyword_raw: f64,
    /// What that is worth, from 0 to 1.
    pub keyword: f64,
    /// The cosine; none if meaning was not looked for.
    pub vector_raw: Option<f64>,
    /// What that is worth, from 0 to 1.
    pub vector: Option<f64>,
    /// What words count, from 0 to 1; meaning has the rest.
    pub weight: f64,
    /// Where words alone have it, from 1; none if they did not find it.
    pub keyword_rank: Option<u32>,
    /// Where meaning alone has it.
    pub vector_rank: Option<u32>,
}

/// A question, made ready to be asked of the principal's index.
struct Prepared {
    allowed: Arc<Allowed>,
    /// The same, for the index.
    labels: index::text::Allowed,
    query: Query,
}

/// Answers a question by its words for a principal.
pub(crate) fn search(
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
    let late = || begun.elapsed() > TIME_MAX || late();
    words(app, principal, question, page, (Reason::NotAsked, &late))
}

/// Before anything is made of it: a long text costs by its length.
fn check(question: &Question) -> Result<(), Failure> {
    if question.text.len() <= QUERY_BYTES_MAX {
        return Ok(());
    }
    let message = format!("query of {} bytes; at most {QUERY_BYTES_MAX}", question.text.len());
    Err(Failure::new(axum::http::StatusCode::BAD_REQUEST, "invalid", message))
}

/// A page by words alone: the first, for a reason, or the one after another such.
fn words(
    app: &App,
    principal: &Principal,
    question: &Question,
    page: Option<Resumed>,
    (reason, late): (Reason, &dyn Fn() -> bool),
) -> Result<Answer, Failure> {
    let begun = Instant::now();
    let (pinned, key, ended) = match page {
        Some(Resumed::Words { pinned, key, top, vector }) => (pinned, Some(key), Some((top, vector))),
        _ => (pin(app, principal)?, None, None),
    };
    // A view from after the index was pinned knows every label in it, and all that its hits say now.
    let view = &app.view()?;
    let prepared = prepare(app, view, principal, question)?;
    let query = Query { after: key, ..prepared.query.clone() };
    let found = pinned.search(&query, &prepared.labels, late)?;
    let first = found.hits.first().map(|hit| hit.score).unwrap_or_default();
    let (top, vector) = ended.unwrap_or((first, Outcome::without(reason)));
    let page = WordsPage { begun, pinned, found, top, vector };
    page.answer(app, principal, view, question, &prepared)
}

fn prepare(app: &App, view: &View, principal: &Principal, question: &Question) -> Result<Prepared, Failure> {
    let allowed = app.allowed(view, principal, Action::EntitySearch)?;
    let query = Query {
        text: question.text.clone(),
        types: question.types.clone(),
        not_types: question.not_types.clone(),
        sources: question.sources.clone(),
        not_sources: question.not_sources.clone(),
        groups: groups(app, view, principal, question)?,
        include_revoked: question.include_revoked,
        limit: question.limit,
        after: None,
        order: if question.newest { Order::Time } else { Order::Relevance },
        prefix: question.typing,
        form: question.form,
        time: question.time,
        facets: question.facets,
        chart: question.facets && question.chart,
        explain: question.explain,
    };
    let labels = labels(app, view, principal, &allowed)?;
    Ok(Prepared { allowed, labels, query })
}

/// Hits that words found, and what the pages after them need.
struct WordsPage {
    begun: Instant,
    pinned: Pinned,
    found: Hits,
    /// The best score of the first page.
    top: f32,
    vector: Outcome,
}

impl WordsPage {
    fn answer(
        self,
        app: &App,
        principal: &Principal,
        view: &View,
        question: &Question,
        prepared: &Prepared,
    ) -> Result<Answer, Failure> {
        let WordsPage { begun, pinned, found, top, vector } = self;
        let describe = Describe::new(app, principal, view, &found.highlighter)?;
        let cursors = (found.next.is_some() || (question.places && !found.hits.is_empty())).then(|| {
            let keys = found.hits.iter().map(|hit| hit.key).collect();
            let page = Page::Words(Ended { pinned, keys, top, vector });
            app.cursors.keep(&principal.token_id, digest(principal, question), page)
        });
        describe.filtered(&prepared.allowed);
        let mut hits = Vec::with_capacity(found.hits.len());
        for (number, hit) in found.hits.iter().enumerate() {
            let place = describe::Place { thing: hit.thing, label: hit.label, passage: None };
            let Some(described) = describe.hit(&prepared.allowed, &place, by_words(hit, top))? else {
                continue;
            };
            let cursor = cursors.as_ref().map(|cursors| cursors.at(number));
            hits.push(Hit { cursor, why: hit.why.clone(), ..described });
        }
        app.metrics.searched(hits.is_empty() && question.after.is_none());
        let next = found.next.and(cursors).map(|cursors| cursors.last());
        Ok(Answer {
            hits,
            next,
            facets: found.facets,
            lsn: found.lsn,
            took: begun.elapsed(),
            complete: found.complete,
            vector,
            window_exhausted: false,
        })
    }
}

/// What the score of a hit is made of, if only words are.
fn by_words(hit: &index::text::Hit, top: f32) -> (f64, Legs) {
    let (raw, top) = (f64::from(hit.score), f64::from(top));
    let keyword = if top > 0.0 { raw / top } else { 0.0 };
    let rank = Some(hit.key.number);
    let legs = Legs {
        keyword_raw: raw,
        keyword,
        vector_raw: None,
        vector: None,
        weight: 1.0,
        keyword_rank: rank,
        vector_rank: None,
    };
    (keyword, legs)
}

/// Things whose titles begin with a prefix: id, type and title.
pub(crate) fn suggest(
    app: &App,
    principal: &Principal,
    view: &View,
    prefix: &str,
    limit: usize,
) -> Result<Vec<(String, String, String)>, Failure> {
    let allowed = app.allowed(view, principal, Action::EntitySearch)?;
    let pinned = pin(app, principal)?;
    let found = pinned.suggest(prefix, limit, &labels(app, view, principal, &allowed)?)?;
    let reader = app.reader(view, principal)?;
    reader.uses().filtered(Action::EntitySearch, &allowed);
    let mut suggestions = Vec::new();
    for suggestion in found {
        let row = view.thing(principal.tenant, suggestion.thing)?;
        if row.said.is_empty() {
            continue;
        }
        let title = reader.title(suggestion.thing, &row)?;
        suggestions.push((row.id.clone(), view.word(principal.tenant, row.symbol())?, title));
    }
    Ok(suggestions)
}

/// The things that are about some words, best first; `None` if there are more than an index hands out.
pub(crate) fn things(app: &App, principal: &Principal, text: &str) -> Result<Option<Vec<ThingId>>, Failure> {
    let pinned = pin(app, principal)?;
    let view = &app.view()?;
    let allowed = app.allowed(view, principal, Action::EntitySearch)?;
    let begun = Instant::now();
    let query = Query { text: text.to_owned(), limit: HITS_MAX, ..Query::default() };
    let labels = labels(app, view, principal, &allowed)?;
    let found = pinned.search(&query, &labels, &|| begun.elapsed() > EVERYTHING_TIME_MAX)?;
    if !found.complete {
        let message = "the query took too long; narrow it, or export a source";
        return Err(Failure::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, "timeout", message));
    }
    let hits = found.hits.iter().filter(|hit| allowed.contains(hit.label));
    Ok(found.next.is_none().then(|| hits.map(|hit| hit.thing).collect()))
}

/// Who asks what, but for the page.
fn digest(principal: &Principal, question: &Question) -> [u8; 32] {
    let whole = Question { after: None, limit: 0, places: false, at_least: None, ..question.clone() };
    let purposes = principal.purposes_in_use.bits();
    Sha256::digest(format!("{}\n{}\n{purposes}\n{whole:?}", principal.tenant, principal.token_id)).into()
}

/// The index of the principal's tenant, as it is now.
fn pin(app: &App, principal: &Principal) -> Result<Pinned, Failure> {
    let reader = app.follow.text_soon(principal.tenant, OPEN_TIMEOUT).ok_or_else(|| {
        let status = axum::http::StatusCode::SERVICE_UNAVAILABLE;
        Failure::new(
            status,
            "index_building",
            "the search index is being made and holds nothing yet; try again in a moment",
        )
    })?;
    Ok(reader.pin())
}

/// Labels by their classification, where that is counted or chosen by.
fn groups(app: &App, view: &View, principal: &Principal, question: &Question) -> Result<Groups, Failure> {
    if !question.facets && question.classifications.is_empty() {
        return Ok(Groups::default());
    }
    let labels = app.labels(view, principal.tenant)?;
    let end = labels.last().map_or(0, |(last, _)| last.0 as usize + 1);
    let mut by_label = vec![NO_GROUP; end];
    for (id, label) in labels.iter() {
        by_label[id.0 as usize] = label.classification.code();
    }
    let wanted = question.classifications.iter().map(|classification| classification.code()).collect();
    Ok(Groups { by_label: Arc::new(by_label), wanted })
}

fn labels(
    app: &App,
    view: &View,
    principal: &Principal,
    allowed: &Allowed,
) -> Result<index::text::Allowed, Failure> {
    // Without a filter the index need not look at labels at all.
    let known = app.labels_known(view, principal.tenant)?;
    Ok(if allowed.all(known) && known > 0 {
        index::text::Allowed::Every
    } else {
        index::text::Allowed::Labels(Arc::new(allowed.labels().clone()))
    })
}

fn wait_for(app: &App, principal: &Principal, view: &View, at_least: Option<Lsn>) -> Result<(), Failure> {
    let Some(lsn) = at_least else { return Ok(()) };
    let head = view.head(principal.tenant)?.head();
    if lsn > head {
        let message = format!("record {lsn} is beyond the log, which ends at {head}");
        return Err(Failure::new(axum::http::StatusCode::CONFLICT, "LSN_AHEAD", message));
    }
    if app.follow.wait(principal.tenant, lsn, AT_LEAST_TIMEOUT) {
        return Ok(());
    }
    let status = axum::http::StatusCode::SERVICE_UNAVAILABLE;
    Err(Failure::new(status, "not_searchable_yet", format!("record {lsn} is durable but not searchable yet")))
}
