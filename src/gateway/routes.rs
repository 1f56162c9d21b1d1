//! The whole HTTP surface on one screen.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};

use super::errors::Failure;
use super::{graphql, http};
use crate::app::Shared;

/// The version of the API, in a header of every answer.
const API_VERSION: &str = "v1";

/// Every route of the node.
pub(crate) fn routes(app: Shared) -> Router {
    let body_bytes_max = app.config.body_bytes_max;
    Router::new()
        .route("/graphql", post(graphql::handle))
        .layer(DefaultBodyLimit::max(body_bytes_max))
        // Imports are streamed: their limit is what one object may hold, not the body.
        .route("/api/v1/import", post(http::import::run).layer(DefaultBodyLimit::disable()))
        .route("/api/v1/imports/{run}/rejects", get(http::import::rejects))
        .route("/api/v1/ledger/entries", get(http::ledger::entries))
        .route(
            "/api/v1/session",
            post(http::session::sign_in).get(http::session::ask).delete(http::session::sign_out),
        )
        .route("/", get(http::page::index))
        .route("/sign-in.js", get(http::page::script))
        .route("/sign-in.css", get(http::page::style))
        .route("/healthz", get(http::health::healthz))
        .route("/readyz", get(http::health::readyz))
        .route("/metrics", get(http::health::metrics))
        .fallback(async || Failure::new(StatusCode::NOT_FOUND, "not_found", "no such path"))
        .with_state(app)
        .layer(map_response(versioned))
}

/// Every answer names the version of the API, refusals too.
async fn versioned(mut response: Response) -> Response {
    response.headers_mut().insert("x-ig-api-version", HeaderValue::from_static(API_VERSION));
    response
}
