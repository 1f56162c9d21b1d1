//! Search and suggestions.

mod found;
mod narrowed;

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use storage::ids::Lsn;

use super::declared::{auth, flag, public};
use super::{DateTime, read, stop, stop_before};
use crate::gateway::errors::Failure;
use crate::search::fuse::Method;
use crate::search::plan::Mode;
use crate::search::{self, Question};
use found::SearchConnection;
use narrowed::{Narrowed, ThingForm};

const LIMIT: usize = 10;
const LIMIT_MAX: usize = 200;
/// Looking for words ends so long before a search by meaning must be answered, and has what it has by then: the vector stage
/// and the making of an answer have the rest.
const BEFORE_THE_END: std::time::Duration = std::time::Duration::from_millis(250);
const SUGGESTIONS: usize = 8;
const SUGGESTIONS_MAX: usize = 50;

#[derive(Default)]
pub(super) struct SearchQuery;

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

/// A thing whose title begins as asked.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Suggestion {
    id: ID,
    r#type: String,
    title: String,
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
        let asked = Asked::of(context, (first, after), facets, explain);
        let narrowed = Narrowed {
            types,
            not_types,
            sources,
            not_sources,
            classifications,
            form,
            since,
            before,
            include_revoked,
        };
        let late = stop(context);
        read(context, move |app, principal, view| {
            let question = Question {
                newest: newest.unwrap_or_default(),
                typing: typing.unwrap_or_default(),
                at_least: at_least.map(Lsn),
                ..asked.question(narrowed.question(q)?)?
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
        let asked = Asked::of(context, (first, after), facets, explain);
        let narrowed = Narrowed {
            types,
            not_types,
            sources,
            not_sources,
            classifications,
            form,
            since,
            before,
            include_revoked,
        };
        let late = stop_before(context, BEFORE_THE_END);
        read(context, move |app, principal, view| {
            let question = Question {
                mode: mode.map_or(Mode::Hybrid, Into::into),
                keyword_weight: weight(keyword_weight, alpha)?,
                method: fusion.map_or(Method::Scores, Into::into),
                ..asked.question(narrowed.question(q)?)?
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

/// What is asked of an answer: which page, and what it says beside hits.
struct Asked {
    first: Option<i32>,
    after: Option<String>,
    places: bool,
    facets: bool,
    chart: bool,
    explain: bool,
}

impl Asked {
    fn of(
        context: &Context<'_>,
        (first, after): (Option<i32>, Option<String>),
        facets: Option<bool>,
        explain: Option<bool>,
    ) -> Asked {
        Asked {
            first,
            after,
            places: context.look_ahead().field("edges").field("cursor").exists(),
            facets: facets.unwrap_or_default(),
            chart: context.look_ahead().field("spans").exists(),
            explain: explain.unwrap_or_default(),
        }
    }

    fn question(self, narrowed: Question) -> Result<Question, Failure> {
        let Asked { first, after, places, facets, chart, explain } = self;
        let limit = super::first(first, LIMIT, LIMIT_MAX)?;
        Ok(Question { limit, after, places, facets, chart, explain, ..narrowed })
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
