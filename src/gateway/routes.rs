//! The whole HTTP surface on one screen.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};

use super::errors::Failure;
use super::{graphql, http, requests};
use crate::app::Shared;

/// The version of the API, in a header of every answer.
pub(super) const API_VERSION: &str = "v1";
/// Bodies and answers of any length, that take as long as they take.
pub(super) const STREAMED: [&str; 4] =
    ["/api/v1/import", "/api/v1/export", "/api/v1/backup", "/api/v1/models"];
/// Answers that last as long as somebody watches.
pub(super) const WATCHED: &str = "/api/v1/progress";
/// Answered when there is no place left for another connection.
pub(super) const ANSWERED_WHEN_FULL: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// Every route of the node.
pub(crate) fn routes(app: Shared) -> Router {
    let body_bytes_max = app.config.body_bytes_max;
    Router::new()
        .route("/graphql", get(graphql::handle).post(graphql::handle))
        .layer(DefaultBodyLimit::max(body_bytes_max))
        .route("/api/v1/events", post(http::events::take))
        // Imports are streamed: their limit is what one object may hold, not the body.
        .route("/api/v1/import", post(http::import::run).layer(DefaultBodyLimit::disable()))
        .route("/api/v1/import/preview", post(http::preview::look).layer(DefaultBodyLimit::disable()))
        .route("/api/v1/export", get(http::export::run))
        .route("/api/v1/backup", post(http::backup::give))
        .route("/api/v1/scrub", post(http::scrub::begin).get(http::scrub::ask))
        // So are models: theirs is the memory that there is for one.
        .route(
            "/api/v1/models",
            get(http::models::list).post(http::models::install).layer(DefaultBodyLimit::disable()),
        )
        .route("/api/v1/models/{name}", delete(http::models::remove))
        .route("/api/v1/models/{name}/verify", post(http::models::verify))
        .route("/api/v1/search/tune", post(http::tuning::run))
        .route("/api/v1/index/vectors", post(http::vectors::build).get(http::vectors::ask))
        .route("/api/v1/imports/{run}/rejects", get(http::import::rejects))
        .route("/api/v1/progress", get(http::progress::watch))
        .route("/api/v1/ledger/entries", get(http::ledger::entries))
        .route(
            "/api/v1/session",
            post(http::session::sign_in).get(http::session::ask).delete(http::session::sign_out),
        )
        .route("/", get(http::explorer::page))
        .route("/-/{*page}", get(http::explorer::page))
        .route("/t/{*page}", get(http::explorer::page))
        .route("/assets/{file}", get(http::explorer::asset))
        .route("/healthz", get(http::health::healthz))
        .route("/readyz", get(http::health::readyz))
        .route("/metrics", get(http::health::metrics))
        .fallback(async || Failure::new(StatusCode::NOT_FOUND, "not_found", "no such path"))
        .method_not_allowed_fallback(other_method)
        .layer(from_fn_with_state(app.clone(), requests::answer))
        .with_state(app)
}

/// A path asked in a way that it does not know; `Allow` says which it does.
async fn other_method(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let message = format!(
        "`{}` is not for this path; see the header `allow`",
        method.as_str().chars().take(20).collect::<String>()
    );
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message).into_response()
}
