//! GraphQL over HTTP: one file for each noun, and the handler that runs operations. They are found by id or digest
//! ([`super::operations`]); a document that a client brings is run for few, and looked at first ([`scan`]).

mod adhoc;
mod connection;
mod decisions;
mod declared;
mod denials;
mod doctor;
mod drawing;
mod embeddings;
mod entity;
mod erasure;
mod flags;
mod gate;
mod graphs;
mod idempotency;
mod ledger;
mod node;
mod paths;
mod policy;
mod relations;
mod request;
mod response;
mod runs;
mod scan;
mod search;
mod shape;
mod sources;
mod tokens;
mod walk;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition};
use async_graphql::{
    EmptySubscription, ErrorExtensions, MergedObject, Pos, Request, Schema, ServerError, Variables,
};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use storage::View;
use storage::commands::RequestKey;

use super::auth::Caller;
use super::errors::Failure;
use super::operations::{self, Persisted};
use super::requests;
use crate::app::{App, Shared};
use crate::node::{parse_time, rfc3339};
use crate::policy::{Principal, asked};
use gate::{Gate, Progress};
use request::{Asked, Document};
use response::{Done, MediaType};

pub(crate) use adhoc::ADHOC_MAX;
pub(super) use declared::DECLARED;
pub(super) use runs::state_name;
pub(super) use walk::Asks;

/// Every question.
#[derive(MergedObject, Default)]
pub(crate) struct Query(
    decisions::DecisionsQuery,
    denials::DenialsQuery,
    doctor::DoctorQuery,
    drawing::DrawingQuery,
    embeddings::EmbeddingQuery,
    entity::EntityQuery,
    erasure::ErasureQuery,
    flags::FlagsQuery,
    graphs::GraphsQuery,
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
pub(crate) struct Mutation(
    entity::EntityMutation,
    erasure::ErasureMutation,
    flags::FlagsMutation,
    graphs::GraphsMutation,
    policy::PolicyMutation,
    tokens::TokensMutation,
);

/// The schema; holds no data of a request.
pub(crate) type GraphQl = Schema<Query, Mutation, EmptySubscription>;

/// Directives on one field.
const DIRECTIVES_MAX: usize = 4;

/// Builds the schema. Whose documents are run, and which, is decided before; the limits here are the second line.
pub(crate) fn schema() -> GraphQl {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .limit_depth(walk::DEPTH_MAX)
        .limit_directives(DIRECTIVES_MAX)
        .disable_suggestions()
        .extension(Gate)
        .finish()
}

/// The schema as text: the contract of every client.
#[must_use]
pub fn sdl() -> String {
    schema().sdl()
}

/// Answers a request: finds the operation, runs it for the caller, and tells how it went.
pub(crate) async fn handle(
    State(app): State<Shared>,
    caller: Result<Caller, Failure>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let media_type = match MediaType::wanted(&headers) {
        Ok(media_type) => media_type,
        Err(failure) => return response::refusal(&failure, MediaType::Json),
    };
    let asked = caller.and_then(|Caller(principal)| {
        let asked = Asked::read(&method, &uri, &headers, body, app.config.body_bytes_max)?;
        Ok((principal, asked, idempotency::header(&headers)?))
    });
    let done = match asked {
        Ok((principal, asked, key)) => answer(&app, principal, asked, key).await,
        Err(failure) => Err(failure),
    };
    match done {
        Ok(done) => done.into_response(media_type),
        Err(failure) => response::refusal(&failure, media_type),
    }
}

async fn answer(
    app: &Shared,
    principal: Principal,
    mut asked: Asked,
    key: Option<String>,
) -> Result<Done, Failure> {
    let name = match &mut asked.document {
        Document::AdHoc(text) => {
            requests::runs("adhoc");
            adhoc::permitted(app, &principal)?;
            let text = std::mem::take(text);
            return adhoc::answer(app, principal, text, asked, key).await;
        }
        Document::Persisted(name) => name,
    };
    let persisted = operations::find(name).ok_or_else(|| unknown(name))?;
    if persisted.mutation && asked.read_only {
        return Err(Failure::not_by_get());
    }
    answer_persisted(app, principal, persisted, asked, key).await
}

async fn answer_persisted(
    app: &Shared,
    principal: Principal,
    persisted: &Persisted,
    asked: Asked,
    key: Option<String>,
) -> Result<Done, Failure> {
    let operation = persisted.operation;
    requests::runs(operation.id);
    let key = idempotency::key(&principal, persisted.mutation, key, operation.document, &asked)?;
    let variables = Variables::from_json(serde_json::Value::Object(asked.variables));
    if let Some(missing) = missing_variable(persisted.definition(), &variables) {
        return Ok(Done::refused(vec![missing]));
    }
    let mut request = Request::new("").variables(variables).disable_introspection();
    request.operation_name = asked.operation_name;
    request.set_parsed_query(persisted.document.clone());
    let deprecated = persisted.deprecated.clone();
    let (document, definition) = (&persisted.document, persisted.definition());
    run(
        app,
        principal,
        Run { request, document, operation: definition, timeout: operation.timeout, deprecated, key },
    )
    .await
}

fn unknown(name: &str) -> Failure {
    let message = format!("no persisted operation `{}`", name.chars().take(100).collect::<String>());
    Failure::new(StatusCode::NOT_FOUND, "PERSISTED_OPERATION_NOT_FOUND", message)
}

/// An operation that is ready to be run.
struct Run<'d> {
    request: Request,
    document: &'d ExecutableDocument,
    operation: &'d OperationDefinition,
    timeout: Duration,
    deprecated: Vec<String>,
    key: Option<RequestKey>,
}

/// What is read for a request stops by then.
#[derive(Clone, Copy)]
struct Deadline(Instant);

/// Runs an operation for a caller.
async fn run(app: &Shared, principal: Principal, run: Run<'_>) -> Result<Done, Failure> {
    let Run { request, document, operation, timeout, deprecated, key } = run;
    if let Some(key) = &key {
        idempotency::check(app, key).await?;
    }
    let progress = Arc::new(Progress::default());
    let request = request
        .data(principal)
        .data(app.clone())
        .data(Arc::clone(&progress))
        .data(Deadline(Instant::now() + timeout))
        .data(key);
    let response = tokio::time::timeout(timeout, app.graphql.execute(request)).await;
    let response = response.map_err(|_| Failure::timeout(timeout))?;
    let began = progress.has_begun();
    let errors = match began {
        true => response.errors,
        false => response.errors.into_iter().map(|error| coded(error, "GRAPHQL_VALIDATION_FAILED")).collect(),
    };
    let data = began.then(|| shape::shaped(&DECLARED, document, operation, response.data, &errors));
    Ok(Done { data, errors, elided: progress.elided(), deprecated })
}

/// An error with a code, unless it has one.
fn coded(mut error: ServerError, code: &str) -> ServerError {
    let extensions = error.extensions.get_or_insert_default();
    if extensions.get("code").is_none() {
        extensions.set("code", code);
    }
    error
}

/// A variable that has to be given and is not: the validator sees only those of a wrong type.
fn missing_variable(operation: &OperationDefinition, variables: &Variables) -> Option<ServerError> {
    let missing =
        operation.variable_definitions.iter().map(|definition| &definition.node).find(|definition| {
            let given = variables
                .get(&definition.name.node)
                .is_some_and(|value| *value != async_graphql::Value::Null);
            !given && !definition.var_type.node.nullable && definition.default_value.is_none()
        })?;
    let message = format!("variable `${}` is missing; give a `{}`", missing.name.node, missing.var_type.node);
    Some(coded(ServerError::new(message, None::<Pos>), "BAD_USER_INPUT"))
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
#[graphql(directive = declared::public::apply())]
struct Changed {
    /// The record; searches that reflect it show the change.
    lsn: u64,
    /// False if it was so before.
    changed: bool,
}

/// Runs a reading on a thread where waiting for the disk holds up nobody, on a view of its own. Notes which actions it
/// asked policy for.
async fn read<T, F>(context: &async_graphql::Context<'_>, reading: F) -> async_graphql::Result<T>
where
    T: Send + 'static,
    F: FnOnce(&App, &Principal, &View) -> Result<T, Failure> + Send + 'static,
{
    let (app, principal) = (context.data::<Shared>()?.clone(), context.data::<Principal>()?.clone());
    let progress = context.data::<Arc<Progress>>()?;
    let _mine = progress.readings.acquire().await?;
    let (place, waited) = app.readers.enter(principal.tenant).await.map_err(|busy| {
        app.metrics.request_refused("readers");
        Failure::from(busy).extend()
    })?;
    requests::waited(waited);
    let span = tracing::Span::current();
    let task = tokio::task::spawn_blocking(move || {
        let _place = place;
        let reading = || {
            let view = app.view()?;
            reading(&app, &principal, &view)
        };
        span.in_scope(|| asked::during(reading))
    });
    let (found, actions) = task.await?;
    progress.note_asked(&context.item.node.response_key().node, actions);
    found.map_err(|failure| failure.extend())
}

/// Whether there is no time left: what walks and searches asks now and then.
fn stop(context: &async_graphql::Context<'_>) -> impl Fn() -> bool + Send + 'static {
    let deadline = context.data_opt::<Deadline>().copied();
    move || deadline.is_some_and(|Deadline(at)| Instant::now() > at)
}

/// The same so long before: what is read has to be made an answer of.
fn stop_before(context: &async_graphql::Context<'_>, left: Duration) -> impl Fn() -> bool + Send + 'static {
    let deadline = context.data_opt::<Deadline>().copied();
    move || deadline.is_some_and(|Deadline(at)| Instant::now() + left > at)
}

/// A page size or depth: what is asked for, between 1 and a maximum.
fn first(asked: Option<i32>, default: usize, max: usize) -> Result<usize, Failure> {
    match asked {
        None => Ok(default),
        Some(asked) => usize::try_from(asked)
            .ok()
            .filter(|asked| (1..=max).contains(asked))
            .ok_or_else(|| Failure::bad_request(format!("page size or depth `{asked}`: from 1 to {max}"))),
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
