//! Search and suggestions.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use index::text::{Facets, Share, Span, TimeRange, Where, Why};
use storage::ids::Lsn;
use storage::model::{Classification, Form};

use super::connection::{PageInfo, connection};
use super::declared::{auth, public};
use super::relations::RelationEnd;
use super::{DateTime, read, stop};
use crate::gateway::errors::Failure;
use crate::search::{self, Question};

const LIMIT: usize = 10;
const LIMIT_MAX: usize = 200;
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

/// A thing that was found, and why.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct SearchHit {
    id: ID,
    r#type: String,
    title: String,
    /// From 0 to 1, the first hit of the first page having 1.
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
    /// BM25 divided by the best hit's.
    keyword: f64,
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
            };
            Ok(search::search(app, principal, view, &question, &late)?.into())
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
            keyword_raw: hit.keyword_raw,
            keyword: hit.score,
            why: hit.why.map(Into::into),
        }
    }
}
