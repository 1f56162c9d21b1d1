//! What a client is told when something fails: one mapping, used by every route.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use storage::ErrorKind;

use super::{http, requests};
use crate::policy::NoPolicy;

/// Seconds after which a client may try again.
pub(super) const RETRY_AFTER_S: u32 = 1;

/// A failure as a client sees it: a status, a stable code, and words that help.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The HTTP status.
    pub status: StatusCode,
    /// A stable name for scripts.
    pub code: &'static str,
    /// What went wrong and what to do.
    pub message: String,
    /// More for programs.
    pub details: Value,
    /// When to try again, in seconds, if that may help.
    pub retry_after_s: Option<u32>,
}

impl Failure {
    /// A failure without details.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Failure {
        let passes = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&status);
        let retry_after_s = passes.then_some(RETRY_AFTER_S);
        Failure { status, code, message: message.into(), details: Value::Null, retry_after_s }
    }

    /// The same failure, which passes after that time.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Failure {
        let seconds = (wait.as_secs_f64().ceil() as u32).max(RETRY_AFTER_S);
        Failure { retry_after_s: Some(seconds), ..self }
    }

    /// The same failure with more for programs.
    #[must_use]
    pub fn with_details(self, details: Value) -> Failure {
        Failure { details, ..self }
    }

    /// The request itself is wrong.
    pub fn bad_request(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    /// There is no such thing, or the principal may not know of it: the two look alike.
    pub fn not_found(what: &str, name: &str) -> Failure {
        Failure::new(StatusCode::NOT_FOUND, "not_found", format!("no {what} `{name}`"))
    }

    /// The principal may not do this at all.
    pub fn denied(action: &str) -> Failure {
        Failure::new(
            StatusCode::FORBIDDEN,
            "denied",
            format!("not permitted: `{action}`; ask an admin of the tenant"),
        )
    }

    /// Something that must not happen.
    pub fn internal(what: &str) -> Failure {
        let message = format!("{what} stopped unexpectedly; see the node's log");
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    /// What changes something came as what must not.
    pub fn not_by_get() -> Failure {
        let message = "a mutation is not run by GET; send it with POST";
        Failure::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
    }

    /// No answer in time; what was to be changed may be changed all the same.
    pub fn timeout(limit: Duration) -> Failure {
        let message =
            format!("no answer within {} ms; ask for less, or again in a moment", limit.as_millis());
        Failure::new(StatusCode::GATEWAY_TIMEOUT, "timeout", message)
    }

    /// The headers that tell what to do.
    pub fn add_headers(&self, headers: &mut HeaderMap) {
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
    }

    /// The body of an error answer.
    pub fn body(&self) -> Value {
        let (code, message, details) = (self.code, &self.message, &self.details);
        json!({"error": {"code": code, "message": message, "details": details, "request_id": requests::id()}})
    }
}

impl From<storage::Error> for Failure {
    fn from(error: storage::Error) -> Failure {
        if let storage::Error::EventsRejected { rejects, of } = &error {
            return http::events::rejected_by_store(rejects, *of);
        }
        let status = match error.kind() {
            ErrorKind::Invalid => StatusCode::BAD_REQUEST,
            ErrorKind::Conflict => StatusCode::CONFLICT,
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Unavailable | ErrorKind::Locked => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Corrupt => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if error.kind() == ErrorKind::Corrupt {
            tracing::error!(%error, "damaged data");
        }
        Failure::new(status, error.code(), error.to_string())
    }
}

impl From<NoPolicy> for Failure {
    fn from(none: NoPolicy) -> Failure {
        match none {
            NoPolicy::Store(error) => error.into(),
            NoPolicy::Unusable { .. } => {
                Failure::new(StatusCode::SERVICE_UNAVAILABLE, "policy_unusable", none.to_string())
            }
        }
    }
}

impl From<index::Error> for Failure {
    fn from(error: index::Error) -> Failure {
        if matches!(error.kind(), index::ErrorKind::Invalid | index::ErrorKind::Model) {
            return Failure::new(StatusCode::BAD_REQUEST, error.code(), error.to_string());
        }
        tracing::error!(%error, "index failed");
        Failure::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "index_unavailable",
            "search is being rebuilt; try again in a moment",
        )
    }
}

impl From<QueryRejection> for Failure {
    fn from(rejection: QueryRejection) -> Failure {
        Failure::bad_request(rejection.body_text())
    }
}

impl From<PathRejection> for Failure {
    fn from(rejection: PathRejection) -> Failure {
        Failure::bad_request(rejection.body_text())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        self.add_headers(response.headers_mut());
        response
    }
}
