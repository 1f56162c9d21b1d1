//! Whether the node lives, whether it can serve, and its metrics.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::json;

use crate::app::Shared;
use crate::gateway::errors::Failure;

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

/// Prometheus metrics. They name no tenant and no thing.
pub(crate) async fn metrics(State(app): State<Shared>) -> Result<impl IntoResponse, Failure> {
    let text = app.metrics.text(&app)?;
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text))
}
