//! GraphQL: one file for each noun, and the one handler that runs persisted operations.

mod decisions;
mod entity;
mod ledger;
mod node;
mod paths;
mod policy;
mod relations;
mod runs;
mod search;
mod sources;
mod tokens;

use async_graphql::{EmptySubscription, ErrorExtensions, MergedObject, Request, Schema, Variables};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use storage::View;

use super::auth::Caller;
use super::errors::Failure;
use super::{operations, requests};
use crate::app::{App, Shared};
use crate::node::{parse_time, rfc3339};
use crate::policy::Principal;

/// Every question.
#[derive(MergedObject, Default)]
pub(crate) struct Query(
    decisions::DecisionsQuery,
    entity::EntityQuery,
    ledger::LedgerQuery,
    node::NodeQuery,
    paths::PathsQuery,
    policy::PolicyQuery,
    relations::RelationsQuery,
    runs::RunsQuery,
    search::SearchQuery,
    sources::SourcesQuery,
    tokens::TokensQuery,
);

/// Every change.
#[derive(MergedObject, Default)]
pub(crate) struct Mutation(entity::EntityMutation, policy::PolicyMutation, tokens::TokensMutation);

/// The schema; holds no data of a request.
pub(crate) type GraphQl = Schema<Query, Mutation, EmptySubscription>;

/// Builds the schema. Limits guard the node against its own operations; nobody else's are run.
pub(crate) fn schema() -> GraphQl {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .limit_depth(10)
        .limit_complexity(500)
        .disable_introspection()
        .disable_suggestions()
        .finish()
}

/// The schema as text: the contract of every client.
#[must_use]
pub fn sdl() -> String {
    schema().sdl()
}

/// What a client sends: an id (or the digest of a document), and variables by either name.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    id: Option<String>,
    document_id: Option<String>,
    query: Option<String>,
    #[serde(alias = "vars")]
    variables: Option<Value>,
}

/// Runs a persisted operation for a caller.
pub(crate) async fn handle(
    State(app): State<Shared>,
    Caller(principal): Caller,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let body: Body = serde_json::from_slice(&body.map_err(|rejection| unread(&app, &rejection))?)
        .map_err(|error| Failure::bad_request(format!("body is no GraphQL request: {error}")))?;
    let request = find(&body)?;
    if let Some(operation) = body.id.as_deref().or(body.document_id.as_deref()).and_then(operations::id) {
        requests::runs(operation);
    }
    let variables = Variables::from_json(body.variables.unwrap_or_default());
    let request = request.variables(variables).data(principal).data(app.clone());
    let response = app.graphql.execute(request).await;
    Ok(answer(&headers, &response))
}

/// Why the body could not be read: most likely it is too large.
fn unread(app: &App, rejection: &BytesRejection) -> Failure {
    if rejection.status() != StatusCode::PAYLOAD_TOO_LARGE {
        return Failure::bad_request(rejection.body_text());
    }
    let message = format!(
        "the body has more than {} bytes; send less, or set body_bytes_max",
        app.config.body_bytes_max
    );
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
}

fn find(body: &Body) -> Result<Request, Failure> {
    let Some(name) = body.id.as_deref().or(body.document_id.as_deref()) else {
        return Err(match body.query {
            Some(_) => Failure::new(
                StatusCode::FORBIDDEN,
                "PERSISTED_ONLY",
                "only persisted operations are run; send `id` instead of `query`",
            ),
            None => {
                Failure::bad_request("no `id`; send the id of a persisted operation, such as `search:v1`")
            }
        });
    };
    operations::request(name).ok_or_else(|| {
        let message = format!("no persisted operation `{}`", name.chars().take(100).collect::<String>());
        Failure::new(StatusCode::NOT_FOUND, "PERSISTED_OPERATION_NOT_FOUND", message)
    })
}

fn answer(headers: &HeaderMap, response: &async_graphql::Response) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let media_type = if accept.contains("application/graphql-response+json") {
        "application/graphql-response+json; charset=utf-8"
    } else {
        "application/json; charset=utf-8"
    };
    let mut answer = Json(response).into_response();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer
}

/// A point in time, RFC 3339.
struct DateTime(i64);

#[async_graphql::Scalar]
impl async_graphql::ScalarType for DateTime {
    fn parse(value: async_graphql::Value) -> async_graphql::InputValueResult<DateTime> {
        match value {
            async_graphql::Value::String(text) => Ok(DateTime(parse_time(&text)?)),
            other => Err(async_graphql::InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> async_graphql::Value {
        async_graphql::Value::String(rfc3339(self.0))
    }
}

/// What changed, and the record that says so.
#[derive(async_graphql::SimpleObject)]
struct Changed {
    /// The record; searches that reflect it show the change.
    lsn: u64,
    /// False if it was so before.
    changed: bool,
}

/// Runs a reading on a thread where waiting for the disk holds up nobody, on a view of its own.
async fn read<T, F>(context: &async_graphql::Context<'_>, reading: F) -> async_graphql::Result<T>
where
    T: Send + 'static,
    F: FnOnce(&App, &Principal, &View) -> Result<T, Failure> + Send + 'static,
{
    let (app, principal) = (context.data::<Shared>()?.clone(), context.data::<Principal>()?.clone());
    let (place, waited) = app.readers.enter().await.map_err(|busy| {
        app.metrics.request_refused("readers");
        Failure::from(busy).extend()
    })?;
    requests::waited(waited);
    let span = tracing::Span::current();
    let task = tokio::task::spawn_blocking(move || {
        let _place = place;
        let view = app.store.view()?;
        span.in_scope(|| reading(&app, &principal, &view))
    });
    task.await?.map_err(|failure| failure.extend())
}

/// A page size or depth: what is asked for, between 1 and a maximum.
fn limit(asked: Option<i32>, default: usize, max: usize) -> Result<usize, Failure> {
    match asked {
        None => Ok(default),
        Some(asked) => usize::try_from(asked)
            .ok()
            .filter(|asked| (1..=max).contains(asked))
            .ok_or_else(|| Failure::bad_request(format!("limit or depth `{asked}`: from 1 to {max}"))),
    }
}

impl From<Failure> for async_graphql::Error {
    fn from(failure: Failure) -> async_graphql::Error {
        failure.extend()
    }
}

impl ErrorExtensions for Failure {
    fn extend(&self) -> async_graphql::Error {
        async_graphql::Error::new(&self.message).extend_with(|_, extensions| {
            extensions.set("code", self.code);
            extensions.set("status", self.status.as_u16());
            if let (false, Ok(details)) =
                (self.details.is_null(), async_graphql::Value::from_json(self.details.clone()))
            {
                extensions.set("details", details);
            }
        })
    }
}
