//! What a search answers: hits, counts, and how it went with looking for meaning.

use async_graphql::{ID, SimpleObject};
use index::text::{Facets, Share, Span, Where, Why};
use storage::model::Classification;

use crate::gateway::graphql::DateTime;
use crate::gateway::graphql::connection::{PageInfo, connection};
use crate::gateway::graphql::declared::public;
use crate::gateway::graphql::relations::RelationEnd;
use crate::search;
use crate::search::plan::Outcome;

connection! {
    /// A page of hits.
    pub(super) SearchConnection of SearchEdge of SearchHit {
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

/// How it went with looking for meaning.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
pub(super) struct VectorStage {
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
pub(super) struct SearchHit {
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
pub(super) struct SearchWhy {
    /// The most first.
    shares: Vec<SearchShare>,
    /// Less than 1 if words of a short question are missing.
    factor: f64,
}

/// What one word adds by being in one place.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
pub(super) struct SearchShare {
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
pub(super) struct Highlight {
    start: usize,
    end: usize,
}

/// How many hits have a value.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
pub(super) struct Facet {
    /// `type`, `source` or `classification`.
    field: &'static str,
    value: String,
    count: u64,
}

/// How many hits were observed within a time.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
pub(super) struct SearchSpan {
    since: DateTime,
    before: DateTime,
    count: u64,
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
