//! What goes back: in which media type, under which status. GraphQL over HTTP.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use crate::gateway::errors::{Failure, RETRY_AFTER_S};
use crate::gateway::requests;

const GRAPHQL: &str = "application/graphql-response+json";
const JSON: &str = "application/json";
/// An error's message is cut to so many characters: what a client sent is not sent back.
const MESSAGE_CHARS_MAX: usize = 300;
/// So many errors of a request are told.
const ERRORS_MAX: usize = 10;
/// What the request used that is on its way out.
const DEPRECATIONS: &str = "x-ig-deprecations";

/// How the client wants its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    /// Statuses say how it went.
    GraphQl,
    /// JSON, for who named no type in particular; statuses say how it went.
    Json,
    /// JSON, for who asked for it by name: such clients take any status but 200 for a broken server, so a document
    /// that does not parse, validate or get its variables is told with 200.
    LegacyJson,
}

/// An operation that was run, or refused as a whole.
#[derive(Debug)]
pub(super) struct Done {
    /// `None` if nothing was begun: the request itself is at fault.
    pub(super) data: Option<async_graphql::Value>,
    pub(super) errors: Vec<async_graphql::ServerError>,
    /// Fields that are null because the caller may not see them.
    pub(super) elided: Vec<String>,
    /// What was used that is on its way out.
    pub(super) deprecated: Vec<String>,
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [async_graphql::ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a async_graphql::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<Extensions<'a>>,
}

#[derive(Serialize)]
struct Extensions<'a> {
    elided: &'a [String],
}

impl MediaType {
    /// The best of what the client takes.
    pub(super) fn wanted(headers: &HeaderMap) -> Result<MediaType, Failure> {
        let accept: Vec<_> =
            headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
        let ranges: Vec<Range<'_>> = accept.iter().flat_map(|line| line.split(',')).map(Range::of).collect();
        if ranges.is_empty() {
            return Ok(MediaType::Json);
        }
        let (graphql, json) = (quality(&ranges, GRAPHQL), quality(&ranges, JSON));
        match (graphql, json) {
            _ if graphql.q == 0 && json.q == 0 => Err(Failure::new(
                StatusCode::NOT_ACCEPTABLE,
                "not_acceptable",
                format!("answers are {GRAPHQL} or {JSON}; accept one of them"),
            )),
            // Of two that are as welcome, the one that was named.
            _ if graphql.q > json.q || (graphql.q == json.q && graphql.named) => Ok(MediaType::GraphQl),
            _ if json.named => Ok(MediaType::LegacyJson),
            _ => Ok(MediaType::Json),
        }
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            MediaType::GraphQl => "application/graphql-response+json; charset=utf-8",
            MediaType::Json | MediaType::LegacyJson => "application/json; charset=utf-8",
        })
    }
}

/// A media range of an `Accept` header.
struct Range<'a> {
    kind: &'a str,
    /// Thousandths.
    q: u32,
}

/// How welcome a media type is, and whether it was named itself.
#[derive(Clone, Copy)]
struct Quality {
    q: u32,
    named: bool,
}

impl Range<'_> {
    fn of(text: &str) -> Range<'_> {
        let mut parts = text.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let mut q = 1000;
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            if name.trim().eq_ignore_ascii_case("q") {
                // What is no number is not asked for.
                let given = value.trim().parse::<f32>().unwrap_or_default();
                q = (given.clamp(0.0, 1.0) * 1000.0) as u32;
            }
        }
        Range { kind, q }
    }

    /// How closely the range names a type; `None` if it does not cover it.
    fn closeness(&self, kind: &str) -> Option<u8> {
        match self.kind {
            named if named.eq_ignore_ascii_case(kind) => Some(2),
            "application/*" => Some(1),
            "*/*" | "*" => Some(0),
            _ => None,
        }
    }
}

/// The closest range decides, whatever the others say.
fn quality(ranges: &[Range<'_>], kind: &str) -> Quality {
    let covering = ranges.iter().filter_map(|range| Some((range.closeness(kind)?, range.q)));
    let (closeness, q) = covering.max().unwrap_or_default();
    Quality { q, named: closeness == 2 }
}

impl Done {
    /// A request that nothing was begun for.
    pub(super) fn refused(errors: Vec<async_graphql::ServerError>) -> Done {
        Done { data: None, errors, elided: Vec::new(), deprecated: Vec::new() }
    }

    /// The answer as the client wants it.
    pub(super) fn into_response(mut self, media_type: MediaType) -> Response {
        self.errors.truncate(ERRORS_MAX);
        for error in &mut self.errors {
            shorten(&mut error.message);
        }
        let extensions = (!self.elided.is_empty()).then_some(Extensions { elided: &self.elided });
        let answer = Answer { errors: &self.errors, data: self.data.as_ref(), extensions };
        let status = self.status(media_type);
        let mut response = respond(status, media_type, &answer);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
        }
        if !self.deprecated.is_empty()
            && let Ok(value) = HeaderValue::from_str(&self.deprecated.join(", "))
        {
            response.headers_mut().insert(DEPRECATIONS, value);
        }
        response
    }

    fn status(&self, media_type: MediaType) -> StatusCode {
        match (&self.data, media_type) {
            (None, MediaType::GraphQl | MediaType::Json) => StatusCode::BAD_REQUEST,
            _ => self.told_by_status().unwrap_or(StatusCode::OK),
        }
    }

    /// What clients look for in the status, of an operation that gave nothing: that its key was used for another
    /// request, and that it may be sent again.
    fn told_by_status(&self) -> Option<StatusCode> {
        let nothing = matches!(self.data, None | Some(async_graphql::Value::Null));
        let extensions = self.errors.first()?.extensions.as_ref().filter(|_| nothing)?;
        let is = |name: &str, value: async_graphql::Value| extensions.get(name) == Some(&value);
        if is("code", storage::Error::KEY_REUSED.into()) {
            return Some(StatusCode::CONFLICT);
        }
        let later = StatusCode::SERVICE_UNAVAILABLE;
        is("status", later.as_u16().into()).then_some(later)
    }
}

/// A failure of the request as a whole, in the form of GraphQL.
pub(super) fn refusal(failure: &Failure, media_type: MediaType) -> Response {
    let mut message = failure.message.clone();
    shorten(&mut message);
    let mut extensions = json!({
        "code": failure.code, "status": failure.status.as_u16(), "request_id": requests::id(),
    });
    if !failure.details.is_null() {
        extensions["details"] = failure.details.clone();
    }
    let body = json!({"errors": [{"message": message, "extensions": extensions}]});
    let mut response = respond(failure.status, media_type, &body);
    failure.add_headers(response.headers_mut());
    if failure.status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

fn respond(status: StatusCode, media_type: MediaType, body: &impl Serialize) -> Response {
    // Values that came from JSON go back into it.
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut response = (status, Body::from(body)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, media_type.content_type());
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    response
}

fn shorten(message: &mut String) {
    if let Some((end, _)) = message.char_indices().nth(MESSAGE_CHARS_MAX) {
        message.truncate(end);
        message.push('…');
    }
}

#[cfg(test)]
mod tests;
