//! The `Idempotency-Key` of a mutation: whose it is, and for which request.

use async_graphql::Context;
use axum::http::HeaderMap;
use sha2::{Digest, Sha256};
use storage::commands::RequestKey;

use super::request::Asked;
use crate::app::Shared;
use crate::gateway::errors::Failure;
use crate::idempotency::Writer;
use crate::policy::Principal;

const HEADER: &str = "idempotency-key";
const KEY_BYTES_MAX: usize = 255;

/// The key that a request carries.
pub(super) fn header(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let Some(value) = headers.get(HEADER) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if text.is_empty() || text.len() > KEY_BYTES_MAX || !printable {
        let message = format!("header `{HEADER}`: from 1 to {KEY_BYTES_MAX} printable ASCII characters");
        return Err(Failure::bad_request(message));
    }
    Ok(Some(text.to_owned()))
}

/// The key of a mutation, among those of its caller and for exactly this request. A query changes nothing and needs none.
pub(super) fn key(
    principal: &Principal,
    mutation: bool,
    given: Option<String>,
    document: &str,
    asked: &Asked,
) -> Result<Option<RequestKey>, Failure> {
    let Some(given) = given.filter(|_| mutation) else { return Ok(None) };
    let name = Sha256::digest(format!("{}\n{given}", principal.actor));
    let variables = serde_json::to_string(&asked.variables)
        .map_err(|error| Failure::bad_request(format!("variables: {error}")))?;
    let request = Sha256::new()
        .chain_update(Sha256::digest(document))
        .chain_update(Sha256::digest(asked.operation_name.as_deref().unwrap_or_default()))
        .chain_update(variables)
        .finalize();
    Ok(Some(RequestKey { tenant: principal.tenant, name: name.into(), request: request.into() }))
}

/// Refuses a key that was given to another request.
pub(super) async fn check(app: &Shared, key: &RequestKey) -> Result<(), Failure> {
    let (app, key) = (app.clone(), key.clone());
    let checked =
        tokio::task::spawn_blocking(move || Ok(app.store.view()?.check_key(&key, app.clock.settled_us())?));
    checked.await.map_err(|_| Failure::internal("the request"))?
}

/// How the resolver of a field writes: once for each key.
pub(super) fn writer<'c>(context: &'c Context<'_>) -> async_graphql::Result<Writer<'c>> {
    let app = context.data::<Shared>()?;
    let field = &context.item.node;
    let once =
        context.data::<Option<RequestKey>>()?.clone().map(|key| (key, field.response_key().node.as_str()));
    Ok(Writer { app, once })
}
