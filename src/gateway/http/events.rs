//! Events over HTTP: CloudEvents 1.0 in each of their three modes. A request is taken as a whole, durably, or not at all.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use storage::EventRejected;
use storage::commands::{Applied, Command, Effect, Event, TakeEvents};
use storage::ids::SourceId;
use storage::model::SourceSpec;
use tokio::sync::OwnedSemaphorePermit;

use super::body::{swallow, whole};
use super::import::check_ceiling;
use crate::app::{App, Shared};
use crate::gateway::auth::Caller;
use crate::gateway::errors::Failure;
use crate::ingest::events::{self, EVENTS_MAX, Envelope, Mode, Rejected, Unreadable};
use crate::ingest::files::Reject;
use crate::ingest::import::refusal;
use crate::ingest::supplied::Supplied;
use crate::policy::{Action, Principal};

/// Largest body, in bytes.
pub(crate) const BODY_BYTES_MAX: usize = 4 << 20;
/// To read more JSON than this is work for a thread of its own; less is not worth changing threads for.
const READ_AT_ONCE_BYTES_MAX: usize = 16 << 10;
/// Requests at a time; each holds its body.
pub(crate) const TAKERS_MAX: usize = 32;
/// Rejects told of one request; the rest are counted.
const REJECTS_MAX: usize = 100;
const SPEC_VERSION: HeaderName = HeaderName::from_static("ce-specversion");
/// The source, for senders that cannot change the address.
const SOURCE: HeaderName = HeaderName::from_static("x-ig-source");

/// Whose words the events are.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    source: Option<String>,
}

/// Takes in the request's events; answers when they are durable.
pub(crate) async fn take(
    State(app): State<Shared>,
    Caller(principal): Caller,
    params: Result<Query<Params>, QueryRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let asked = params
        .map_err(Failure::from)
        .and_then(|Query(params)| Asked::of(&app, &principal, params, request.headers()));
    let Asked { source, spec, mode, headers, place: _place } = match asked {
        Ok(asked) => asked,
        Err(refused) => {
            swallow(request);
            return Err(refused);
        }
    };
    let advice = format!("send fewer events at a time (at most {EVENTS_MAX})");
    let body = whole(request, BODY_BYTES_MAX, &advice).await?;
    let events = if body.len() <= READ_AT_ONCE_BYTES_MAX {
        said(mode, &headers, &body, &spec)?
    } else {
        let read = tokio::task::spawn_blocking(move || said(mode, &headers, &body, &spec));
        read.await.map_err(|_| Failure::internal("reading the events"))??
    };
    let mut supplied = Supplied::default();
    events.iter().flat_map(|event| &event.said).for_each(|said| supplied.count(&app, said));
    let purpose = principal.recorded_purpose().code();
    let (tenant, actor) = (principal.tenant, principal.actor);
    let command = TakeEvents { tenant, source, actor, purpose, events };
    Ok(taken(&app, app.write_one(Command::TakeEvents(command)).await?))
}

/// What is settled before the body is read.
struct Asked {
    source: SourceId,
    spec: SourceSpec,
    mode: Mode,
    headers: Vec<(String, String)>,
    place: OwnedSemaphorePermit,
}

impl Asked {
    fn of(
        app: &Shared,
        principal: &Principal,
        params: Params,
        headers: &HeaderMap,
    ) -> Result<Asked, Failure> {
        app.check(principal, Action::ImportRun)?;
        let (source, spec) = declared(app, principal, &source_name(params, headers)?)?;
        let mode = mode(headers)?;
        let place = app.takers.clone().try_acquire_owned().map_err(|_| {
            app.metrics.request_refused("takers");
            storage::Error::Busy { what: "requests with events are being taken", limit: TAKERS_MAX }
        })?;
        Ok(Asked { source, spec, mode, headers: texts(headers), place })
    }
}

fn taken(app: &App, applied: Applied) -> Response {
    let (accepted, duplicates) = match applied.effect {
        Effect::Events { accepted, duplicates } => (accepted, duplicates),
        _ => (0, 0),
    };
    app.metrics.events_accepted.inc_by(accepted.into());
    app.metrics.events_duplicate.inc_by(duplicates.into());
    Json(json!({"accepted": accepted, "duplicates": duplicates, "lsn": applied.lsn.0})).into_response()
}

fn source_name(params: Params, headers: &HeaderMap) -> Result<String, Failure> {
    let header = headers.get(SOURCE).map(|value| value.to_str().map(str::to_owned));
    let header = header.transpose().map_err(|_| Failure::bad_request("header `x-ig-source` is not text"))?;
    if params.source.is_some() && header.is_some() && params.source != header {
        return Err(Failure::bad_request("`?source` and header `x-ig-source` name two sources; name one"));
    }
    params.source.or(header).ok_or_else(|| {
        Failure::bad_request("no source; name the declared source of these events: `?source=NAME`")
    })
}

/// A source that is there, for somebody who may write what it says.
fn declared(app: &Shared, principal: &Principal, name: &str) -> Result<(SourceId, SourceSpec), Failure> {
    let view = app.store.view()?;
    let known = view.sources(principal.tenant)?.into_iter().find(|(_, spec)| spec.name == name);
    let (id, spec) = known.ok_or_else(|| {
        let message = format!(
            "no source `{name}`; declare it with its terms first, such as: \
             printf '' | intelgraph import - --format jsonl --source '{name}' --purpose threat-intel --licence Open-Data-OK"
        );
        Failure::new(StatusCode::NOT_FOUND, "source_not_declared", message)
    })?;
    check_ceiling(app, &view, principal, &spec)?;
    Ok((id, spec))
}

fn mode(headers: &HeaderMap) -> Result<Mode, Failure> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    Mode::of(content_type.unwrap_or_default(), headers.contains_key(SPEC_VERSION)).ok_or_else(|| {
        let message = "no event; send `content-type: application/cloudevents+json`, \
                       `application/cloudevents-batch+json`, or headers `ce-...` with JSON";
        Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
    })
}

/// The headers that are text.
fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&HeaderName, &header::HeaderValue)| {
        Some((name.to_string(), value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}

fn said(
    mode: Mode,
    headers: &[(String, String)],
    body: &[u8],
    source: &SourceSpec,
) -> Result<Vec<Event>, Failure> {
    let envelopes: Vec<Envelope<'_>> = events::read(mode, headers, body).map_err(unreadable)?;
    events::said(&envelopes, source).map_err(|rejects| rejected(&rejects, envelopes.len()))
}

fn unreadable(error: Unreadable) -> Failure {
    match &error {
        Unreadable::Body(_) => Failure::bad_request(error.to_string()),
        Unreadable::TooMany { .. } => {
            Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many_events", error.to_string())
        }
        Unreadable::Rejected(rejects) => rejected(rejects, rejects.len()),
    }
}

/// None was taken; which cannot be, and why.
fn rejected(rejects: &[Rejected], of: usize) -> Failure {
    let list: Vec<Value> = rejects.iter().take(REJECTS_MAX).map(told).collect();
    let message =
        format!("{} objects cannot be taken, so none of {of} events was; see `rejects`", rejects.len());
    Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "events_rejected", message)
        .with_details(json!({"rejected": rejects.len(), "rejects": list}))
}

fn told(Rejected { index, reject }: &Rejected) -> Value {
    let Reject { line, code, reason, value, .. } = reject;
    json!({"index": index, "object": line, "code": code, "reason": reason, "value": value})
}

/// The same for what only the store could find.
pub(crate) fn rejected_by_store(rejects: &[EventRejected], of: usize) -> Failure {
    let reject = |EventRejected { index, id, error }: &EventRejected| Rejected {
        index: *index,
        reject: refusal(error, id),
    };
    rejected(&rejects.iter().map(reject).collect::<Vec<_>>(), of)
}
