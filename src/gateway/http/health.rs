//! Whether the node lives, whether it can serve, and its metrics.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::json;

use crate::app::Shared;
use crate::gateway::auth::Caller;
use crate::gateway::errors::Failure;
use crate::gateway::requests;
use crate::metrics::Format;

/// The process answers.
pub(crate) async fn healthz() -> impl IntoResponse {
    Json(json!({"ok": true}))
}

/// The store takes writes and gives answers.
pub(crate) async fn readyz(State(app): State<Shared>) -> Result<impl IntoResponse, Failure> {
    match app.store.failure() {
        None => Ok(Json(json!({"ready": true, "version": crate::app::VERSION}))),
        Some(cause) => Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "store_stopped", cause)),
    }
}

/// Prometheus metrics, in the format that is asked for. They name no tenant and no thing; from this machine they are
/// for everybody, from elsewhere for who has a token.
pub(crate) async fn metrics(
    State(app): State<Shared>,
    headers: HeaderMap,
    caller: Result<Caller, Failure>,
) -> Result<impl IntoResponse, Failure> {
    if !requests::peer().is_some_and(|peer| peer.to_canonical().is_loopback()) {
        caller?;
    }
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let (format, media_type) = if accept.contains("application/openmetrics-text") {
        (Format::Open, "application/openmetrics-text; version=1.0.0; charset=utf-8")
    } else {
        (Format::Classic, "text/plain; version=0.0.4; charset=utf-8")
    };
    Ok(([(header::CONTENT_TYPE, media_type)], app.metrics.text(&app, format)))
}
