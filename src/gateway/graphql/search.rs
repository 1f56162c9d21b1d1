//! Search and suggestions.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use index::text::{Facets, Share, Span, TimeRange, Where, Why};
use storage::ids::Lsn;
use storage::model::{Classification, Form};

use super::connection::{PageInfo, connection};
use super::declared::{auth, flag, public};
use super::relations::RelationEnd;
use super::{DateTime, read, stop, stop_before};
use crate::gateway::errors::Failure;
use crate::search::fuse::Method;
use crate::search::plan::{Mode, Outcome};
use crate::search::{self, Question};

const LIMIT: usize = 10;
const LIMIT_MAX: usize = 200;
/// Looking for words ends so long before a search by meaning must be answered, and has what it has by then: the vector stage
/// and the making of an answer have the rest.
const BEFORE_THE_END: std::time::Duration = std::time::Duration::from_millis(250);
const SUGGESTIONS: usize = 8;
const SUGGESTIONS_MAX: usize = 50;

#[derive(Default)]
pub(super) struct SearchQuery;

/// What kind of thing is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum ThingForm {
    Entity,
    Relation,
}

/// How a question is asked.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum SearchMode {
    /// By its words.
    Keyword,
    /// By its meaning.
    Vector,
    /// By both.
    Hybrid,
}

/// How words and meaning become one order.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum SearchFusion {
    /// By what each is worth against the best of its leg.
    Scores,
    /// By their ranks alone, for comparison.
    Ranks,
}

/// How it went with looking for meaning.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct VectorStage {
    /// Whether the answer is by meaning as well.
    used: bool,
    /// Why not: `not_asked`, `flag_off`, `query_empty`, `filter_exact`, `no_model`, `index_missing`, `index_building`,
    /// `index_damaged`, `encoder_failed`, `deadline` or `busy`; null if it was used.
    reason: Option<&'static str>,
    took_ms: f64,
    /// The record up to which what it looked through reflects the log.
    lsn: Option<u64>,
}

/// A thing that was found, and why.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct SearchHit {
    id: ID,
    r#type: String,
    title: String,
    /// From 0 to 1. By words alone the first hit of the first page has 1; with meaning, what is best by both has.
    score: f64,
    /// Where it leaves, if it is a relation.
    from: Option<RelationEnd>,
    /// Where it leads, if it is a relation.
    to: Option<RelationEnd>,
    /// Who says what was found.
    source: String,
    /// When the source saw it, or else when it was recorded.
    observed_at: DateTime,
    /// How far it may travel.
    classification: String,
    /// `active`, `revoked` or `deprecated`.
    status: String,
    snippet: String,
    /// Where the words are in the snippet, in bytes of UTF-8.
    highlights: Vec<Highlight>,
    /// BM25.
    keyword_raw: f64,
    /// BM25 divided by the best hit's; less if that has little of the question.
    keyword: f64,
    /// The cosine of the nearest passage and the question; null if meaning was not looked for, or there is none.
    vector_raw: Option<f64>,
    /// The cosine divided by the best hit's.
    vector: Option<f64>,
    /// What words count, from 0 to 1; meaning has the rest: score = weight x keyword + (1 - weight) x vector.
    weight: f64,
    /// Where words alone have it, from 1; null if they did not find it.
    keyword_rank: Option<u32>,
    /// Where meaning alone has it, from 1; null if it did not find it.
    vector_rank: Option<u32>,
    /// What BM25 is made of; only if asked for.
    why: Option<SearchWhy>,
}

/// What a score is made of: the sum of its shares, times a factor.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct SearchWhy {
    /// The most first.
    shares: Vec<SearchShare>,
    /// Less than 1 if words of a short question are missing.
    factor: f64,
}

/// What one word adds by being in one place.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct SearchShare {
    /// The word as it was asked for; null for an id.
    word: Option<String>,
    /// What is there: the word's stem, or that of what it may have been meant to be.
    found: String,
    /// `title`, `body` or `id`.
    place: &'static str,
    score: f64,
}

/// A range of bytes.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Highlight {
    start: usize,
    end: usize,
}

/// How many hits have a value.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Facet {
    /// `type`, `source` or `classification`.
    field: &'static str,
    value: String,
    count: u64,
}

/// How many hits were observed within a time.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct SearchSpan {
    since: DateTime,
    before: DateTime,
    count: u64,
}

/// A thing whose title begins as asked.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Suggestion {
    id: ID,
    r#type: String,
    title: String,
}

connection! {
    /// A page of hits.
    SearchConnection of SearchEdge of SearchHit {
        /// The same without their places.
        #[graphql(deprecation = "use `edges`")]
        hits: Vec<SearchHit>,
        /// Counts over all hits, by type and by source; only if asked for.
        facets: Option<Vec<Facet>>,
        /// Counts over all hits by how they are classified, the least first; only with `facets`.
        classifications: Option<Vec<Facet>>,
        /// Counts over all hits by when they were observed, or else recorded: spans of one length, oldest first, empty ones
        /// left out; only with `facets`.
        spans: Option<Vec<SearchSpan>>,
        /// To be sent as `after` for the next page; null on the last. Good for five minutes.
        #[graphql(deprecation = "use `pageInfo`")]
        next_cursor: Option<String>,
        /// The record up to which the answer reflects the log.
        lsn: u64,
        took_ms: f64,
        /// False if time ran out before everything was looked at.
        complete: bool,
        /// How it went with looking for meaning.
        vector: VectorStage,
        /// Whether pages end here although there is more: by words and meaning they lead through one window.
        window_exhausted: bool,
    }
}

#[Object]
impl SearchQuery {
    /// Things that are about some words: observed `since` a time and `before` another, if those are given, of some types,
    /// sources and classifications or not of some, the best first or the `newest`. While somebody is `typing`, the last word may be the beginning of a longer one.
    #[graphql(directive = auth::apply("entity.search".to_owned(), None))]
    #[allow(clippy::too_many_arguments, reason = "the arguments are the contract's")]
    async fn search(
        &self,
        context: &Context<'_>,
        q: String,
        first: Option<i32>,
        after: Option<String>,
        types: Option<Vec<String>>,
        not_types: Option<Vec<String>>,
        sources: Option<Vec<String>>,
        not_sources: Option<Vec<String>>,
        classifications: Option<Vec<String>>,
        include_revoked: Option<bool>,
        facets: Option<bool>,
        at_least: Option<u64>,
        form: Option<ThingForm>,
        since: Option<DateTime>,
        before: Option<DateTime>,
        newest: Option<bool>,
        typing: Option<bool>,
        explain: Option<bool>,
    ) -> Result<SearchConnection> {
        let places = context.look_ahead().field("edges").field("cursor").exists();
        let chart = context.look_ahead().field("spans").exists();
        let late = stop(context);
        read(context, move |app, principal, view| {
            let classifications = classifications.unwrap_or_default();
            let classifications = classifications.iter().map(|name| name.parse::<Classification>());
            let question = Question {
                text: q,
                limit: super::first(first, LIMIT, LIMIT_MAX)?,
                after,
                places,
                types: types.unwrap_or_default(),
                not_types: not_types.unwrap_or_default(),
                sources: sources.unwrap_or_default(),
                not_sources: not_sources.unwrap_or_default(),
                classifications: classifications.collect::<storage::Result<_>>()?,
                form: form.map(Into::into),
                time: range(since, before)?,
                include_revoked: include_revoked.unwrap_or_default(),
                newest: newest.unwrap_or_default(),
                typing: typing.unwrap_or_default(),
                facets: facets.unwrap_or_default(),
                chart,
                explain: explain.unwrap_or_default(),
                at_least: at_least.map(Lsn),
                ..Question::default()
            };
            Ok(search::search(app, principal, view, &question, &late)?.into())
        })
        .await
    }

    /// Things that are about a question: by its words, its meaning or both. Whatever keeps meaning from being looked for, the
    /// answer is that of the words, and `vector` says why. `keywordWeight` (or `alpha`) is what words count, from 0 to 1; unless
    /// it is given, the tenant's. Counts are of what the words match.
    #[graphql(
        directive = auth::apply("entity.search".to_owned(), None),
        directive = flag::apply("vector-preview".to_owned())
    )]
    #[allow(clippy::too_many_arguments, reason = "the arguments are the contract's")]
    async fn search_hybrid(
        &self,
        context: &Context<'_>,
        q: String,
        mode: Option<SearchMode>,
        keyword_weight: Option<f64>,
        alpha: Option<f64>,
        fusion: Option<SearchFusion>,
        first: Option<i32>,
        after: Option<String>,
        types: Option<Vec<String>>,
        not_types: Option<Vec<String>>,
        sources: Option<Vec<String>>,
        not_sources: Option<Vec<String>>,
        classifications: Option<Vec<String>>,
        include_revoked: Option<bool>,
        facets: Option<bool>,
        form: Option<ThingForm>,
        since: Option<DateTime>,
        before: Option<DateTime>,
        explain: Option<bool>,
    ) -> Result<SearchConnection> {
        let places = context.look_ahead().field("edges").field("cursor").exists();
        let chart = context.look_ahead().field("spans").exists();
        let late = stop_before(context, BEFORE_THE_END);
        read(context, move |app, principal, view| {
            let classifications = classifications.unwrap_or_default();
            let classifications = classifications.iter().map(|name| name.parse::<Classification>());
            let question = Question {
                text: q,
                mode: mode.map_or(Mode::Hybrid, Into::into),
                keyword_weight: weight(keyword_weight, alpha)?,
                method: fusion.map_or(Method::Scores, Into::into),
                limit: super::first(first, LIMIT, LIMIT_MAX)?,
                after,
                places,
                types: types.unwrap_or_default(),
                not_types: not_types.unwrap_or_default(),
                sources: sources.unwrap_or_default(),
                not_sources: not_sources.unwrap_or_default(),
                classifications: classifications.collect::<storage::Result<_>>()?,
                form: form.map(Into::into),
                time: range(since, before)?,
                include_revoked: include_revoked.unwrap_or_default(),
                facets: facets.unwrap_or_default(),
                chart,
                explain: explain.unwrap_or_default(),
                ..Question::default()
            };
            Ok(search::hybrid(app, principal, view, &question, &late)?.into())
        })
        .await
    }

    /// Things that are like one, the most first: near to what is said of it, as far as the caller may see that. Null if there is
    /// no such thing.
    #[graphql(
        directive = auth::apply("entity.search".to_owned(), None),
        directive = flag::apply("vector-preview".to_owned())
    )]
    async fn similar(
        &self,
        context: &Context<'_>,
        id: ID,
        first: Option<i32>,
    ) -> Result<Option<SearchConnection>> {
        let late = stop_before(context, BEFORE_THE_END);
        read(context, move |app, principal, view| {
            let limit = super::first(first, LIMIT, LIMIT_MAX)?;
            Ok(search::similar(app, principal, view, (id.as_str(), limit), &late)?.map(Into::into))
        })
        .await
    }

    /// Things whose titles begin with a prefix.
    #[graphql(directive = auth::apply("entity.search".to_owned(), None))]
    async fn suggest(
        &self,
        context: &Context<'_>,
        prefix: String,
        first: Option<i32>,
    ) -> Result<Vec<Suggestion>> {
        read(context, move |app, principal, view| {
            let limit = super::first(first, SUGGESTIONS, SUGGESTIONS_MAX)?;
            let found = search::suggest(app, principal, view, &prefix, limit)?;
            let suggestion =
                |(id, r#type, title): (String, String, String)| Suggestion { id: id.into(), r#type, title };
            Ok(found.into_iter().map(suggestion).collect())
        })
        .await
    }
}

/// What words count, under either name.
fn weight(keyword_weight: Option<f64>, alpha: Option<f64>) -> Result<Option<f64>, Failure> {
    let weight = match (keyword_weight, alpha) {
        (Some(weight), Some(alpha)) if weight != alpha => {
            let message = "`keywordWeight` and `alpha` are two names for one number; give one of them";
            return Err(Failure::bad_request(message));
        }
        (weight, alpha) => weight.or(alpha),
    };
    match weight.filter(|weight| !(0.0..=1.0).contains(weight)) {
        Some(weight) => Err(Failure::bad_request(format!("keyword weight `{weight:?}`: from 0 to 1"))),
        None => Ok(weight),
    }
}

/// The time from one end to the other; an end that is not given is open.
fn range(since: Option<DateTime>, before: Option<DateTime>) -> Result<Option<TimeRange>, Failure> {
    if since.is_none() && before.is_none() {
        return Ok(None);
    }
    let from_us = since.map_or(i64::MIN, |time| time.0);
    let to_us = before.map_or(i64::MAX, |time| time.0);
    if from_us >= to_us {
        return Err(Failure::bad_request("`since` must be before `before`"));
    }
    Ok(Some(TimeRange { from_us, to_us }))
}

impl From<ThingForm> for Form {
    fn from(form: ThingForm) -> Form {
        match form {
            ThingForm::Entity => Form::Entity,
            ThingForm::Relation => Form::Relation,
        }
    }
}

impl From<SearchMode> for Mode {
    fn from(mode: SearchMode) -> Mode {
        match mode {
            SearchMode::Keyword => Mode::Keyword,
            SearchMode::Vector => Mode::Vector,
            SearchMode::Hybrid => Mode::Hybrid,
        }
    }
}

impl From<SearchFusion> for Method {
    fn from(fusion: SearchFusion) -> Method {
        match fusion {
            SearchFusion::Scores => Method::Scores,
            SearchFusion::Ranks => Method::Ranks,
        }
    }
}

impl From<Outcome> for VectorStage {
    fn from(outcome: Outcome) -> VectorStage {
        VectorStage {
            used: outcome.reason.is_none(),
            reason: outcome.reason.map(|reason| reason.as_str()),
            took_ms: outcome.took.as_secs_f64() * 1000.0,
            lsn: outcome.lsn.map(|lsn| lsn.0),
        }
    }
}

impl From<search::Answer> for SearchConnection {
    fn from(answer: search::Answer) -> SearchConnection {
        let edges = answer.hits.iter().map(|hit| SearchEdge {
            cursor: hit.cursor.clone().unwrap_or_default(),
            node: hit.clone().into(),
        });
        let (classifications, spans) =
            answer.facets.as_ref().map(|facets| (classified(facets), spans(facets))).unzip();
        SearchConnection {
            edges: edges.collect(),
            page_info: PageInfo { has_next_page: answer.next.is_some(), end_cursor: answer.next.clone() },
            hits: answer.hits.into_iter().map(Into::into).collect(),
            facets: answer.facets.map(|facets| {
                let of = |field, counts: Vec<(String, u64)>| {
                    counts.into_iter().map(move |(value, count)| Facet { field, value, count })
                };
                of("type", facets.types).chain(of("source", facets.sources)).collect()
            }),
            classifications,
            spans,
            next_cursor: answer.next,
            lsn: answer.lsn.0,
            took_ms: answer.took.as_secs_f64() * 1000.0,
            complete: answer.complete,
            vector: answer.vector.into(),
            window_exhausted: answer.window_exhausted,
        }
    }
}

fn classified(facets: &Facets) -> Vec<Facet> {
    let of = |(code, count): &(u8, u64)| {
        let classification = Classification::from_code(u32::from(*code)).ok()?;
        Some(Facet { field: "classification", value: classification.to_string(), count: *count })
    };
    facets.groups.iter().filter_map(of).collect()
}

fn spans(facets: &Facets) -> Vec<SearchSpan> {
    let of = |span: &Span| SearchSpan {
        since: DateTime(span.from_us),
        before: DateTime(span.to_us),
        count: span.count,
    };
    facets.spans.iter().map(of).collect()
}

impl From<Why> for SearchWhy {
    fn from(why: Why) -> SearchWhy {
        let share = |share: Share| SearchShare {
            word: share.word,
            found: share.found,
            place: match share.place {
                Where::Title => "title",
                Where::Body => "body",
                Where::Id => "id",
            },
            score: f64::from(share.score),
        };
        SearchWhy { shares: why.shares.into_iter().map(share).collect(), factor: why.factor }
    }
}

impl From<search::Hit> for SearchHit {
    fn from(hit: search::Hit) -> SearchHit {
        let (from, to) = RelationEnd::both(hit.joins);
        SearchHit {
            id: hit.id.into(),
            r#type: hit.thing_type,
            title: hit.title,
            score: hit.score,
            from,
            to,
            source: hit.source,
            observed_at: DateTime(hit.observed_us),
            classification: hit.classification.to_string(),
            status: hit.status.to_string(),
            snippet: hit.snippet,
            highlights: hit
                .marks
                .into_iter()
                .map(|mark| Highlight { start: mark.start, end: mark.end })
                .collect(),
            keyword_raw: hit.legs.keyword_raw,
            keyword: hit.legs.keyword,
            vector_raw: hit.legs.vector_raw,
            vector: hit.legs.vector,
            weight: hit.legs.weight,
            keyword_rank: hit.legs.keyword_rank,
            vector_rank: hit.legs.vector_rank,
            why: hit.why.map(Into::into),
        }
    }
}
