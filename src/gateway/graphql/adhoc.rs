//! Documents that a client brings: for who has the scope, or on a node that says that it is for development.
//!
//! Whatever the scan let through is parsed, validated and run on a thread of its own with a large stack, few at a time,
//! and given up after a while: the threads that serve everybody never parse.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::parser::{self, parse_query};
use async_graphql::{Request, ServerError, Variables};
use axum::http::StatusCode;
use tokio::runtime::Handle;
use tracing::Instrument;

use super::declared::DECLARED;
use super::request::Asked;
use super::response::Done;
use super::walk::Asks;
use super::{Run, run, scan};
use crate::app::{App, Shared};
use crate::gateway::errors::Failure;
use crate::policy::Principal;

/// The scope of a token whose holder may bring documents.
const SCOPE: &str = "graphql.adhoc";
/// Documents of clients at a time; one more waits a moment, and is then told to come back.
pub(crate) const ADHOC_MAX: usize = 4;
const PLACE_TIMEOUT: Duration = Duration::from_secs(1);
/// A document is answered by then.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Far more than what is within the limits of the scan was seen to need.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// Whether a caller may bring documents.
pub(super) fn permitted(app: &App, principal: &Principal) -> Result<(), Failure> {
    if app.config.dev || principal.scopes.contains(SCOPE) {
        return Ok(());
    }
    Err(Failure::new(
        StatusCode::FORBIDDEN,
        "PERSISTED_ONLY",
        "only persisted operations are run; send `id` instead of `query`, or use a token with the scope `graphql.adhoc`",
    ))
}

/// Runs a document that the caller brought.
pub(super) async fn answer(
    app: &Shared,
    principal: Principal,
    text: String,
    asked: Asked,
    idempotency_key: Option<String>,
) -> Result<Done, Failure> {
    scan::check(&text)
        .map_err(|refusal| Failure::new(StatusCode::BAD_REQUEST, "DOCUMENT_REFUSED", refusal))?;
    let place = tokio::time::timeout(PLACE_TIMEOUT, Arc::clone(&app.adhoc).acquire_owned()).await;
    let place = place.map_err(|_| busy())?.map_err(|_| Failure::internal("the request"))?;
    let app = app.clone();
    let span = tracing::Span::current();
    let answering = tokio::task::spawn_blocking(move || {
        let _place = place;
        let run = parse_and_run(&app, principal, &text, asked, idempotency_key).instrument(span);
        stacker::grow(STACK_BYTES, || Handle::current().block_on(run))
    });
    // The thread goes on for as long as it must, and keeps its place until then; the client is told now.
    match tokio::time::timeout(2 * TIMEOUT, answering).await {
        Ok(answered) => answered.map_err(|_| Failure::internal("the request"))?,
        Err(_) => Err(Failure::timeout(2 * TIMEOUT)),
    }
}

async fn parse_and_run(
    app: &Shared,
    principal: Principal,
    text: &str,
    asked: Asked,
    idempotency_key: Option<String>,
) -> Result<Done, Failure> {
    let document = match parse_query(text) {
        Ok(document) => document,
        Err(error) => return Ok(Done::refused(vec![syntax(&error)])),
    };
    let variables = Variables::from_json(serde_json::Value::Object(asked.variables.clone()));
    let Some(operation) = chosen(&document, asked.operation_name.as_deref()) else {
        let message = "no operation by that name, or several and no name; name one as `operationName`";
        return Ok(Done::refused(vec![ServerError::new(message, None)]));
    };
    let mutation = operation.ty == OperationType::Mutation;
    if mutation && asked.read_only {
        return Err(Failure::not_by_get());
    }
    let asks = Asks::of(&DECLARED, &document, operation, &variables);
    asks.within_limits()
        .map_err(|refusal| Failure::new(StatusCode::BAD_REQUEST, "DOCUMENT_REFUSED", refusal))?;
    if let Some(missing) = super::missing_variable(operation, &variables) {
        return Ok(Done::refused(vec![missing]));
    }
    let deprecated = asks.deprecated.into_iter().collect();
    let mut request = Request::new("").variables(variables);
    request.operation_name = asked.operation_name.clone();
    request.set_parsed_query(document.clone());
    let key = super::idempotency::key(&principal, mutation, idempotency_key, text, &asked)?;
    run(app, principal, Run { request, document: &document, operation, timeout: TIMEOUT, deprecated, key })
        .await
}

/// The operation that is to be run.
fn chosen<'d>(document: &'d ExecutableDocument, name: Option<&str>) -> Option<&'d OperationDefinition> {
    let mut operations = document.operations.iter();
    let found = match name {
        Some(name) => operations.find(|(found, _)| found.is_some_and(|found| found == name)),
        None if operations.len() == 1 => operations.next(),
        None => None,
    };
    found.map(|(_, operation)| &operation.node)
}

/// Where the document breaks off: the parser's own words would repeat the line.
fn syntax(error: &parser::Error) -> ServerError {
    let place = error.positions().next();
    let message = match error {
        parser::Error::Syntax { .. } => "the document does not parse".to_owned(),
        other => other.to_string(),
    };
    let mut error = super::coded(ServerError::new(message, None), "GRAPHQL_PARSE_FAILED");
    error.locations = place.into_iter().collect();
    error
}

fn busy() -> Failure {
    let message = format!("{ADHOC_MAX} documents are being run already; try again in a moment");
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message)
}
