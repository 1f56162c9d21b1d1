//! What happens to every request, whatever it asks for: it gets an id, is looked over, timed and logged, and its
//! answer gets the headers that every answer has.

mod body;
mod framing;
mod id;

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use storage::ids::ActorId;
use tracing::Instrument;

use self::body::{Answer, Pace, Paced};
use super::errors::Failure;
use super::routes::{ANSWERED_WHEN_FULL, API_VERSION, STREAMED, WATCHED};
use super::serve::{Activity, Working};
use crate::app::{App, Shared};

/// Requests of one connection: then it is opened anew, so that none is kept for ever.
const CONNECTION_REQUESTS_MAX: u64 = 10_000;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How a request came.
#[derive(Clone)]
pub(super) struct Arrival {
    pub(super) peer: IpAddr,
    /// Over TLS.
    pub(super) is_secure: bool,
    /// On a connection for which there was no place left.
    pub(super) is_reserve: bool,
    pub(super) activity: Arc<Activity>,
}

/// What is learnt of a request while it is answered.
pub(super) struct Current {
    id: String,
    peer: IpAddr,
    actor: OnceLock<ActorId>,
    operation: OnceLock<&'static str>,
    waited_us: AtomicU64,
}

tokio::task_local! {
    static CURRENT: Arc<Current>;
}

/// The id of the request that this task answers.
pub(super) fn id() -> Option<String> {
    CURRENT.try_with(|current| current.id.clone()).ok()
}

/// Where the request that this task answers came from.
pub(super) fn peer() -> Option<IpAddr> {
    CURRENT.try_with(|current| current.peer).ok()
}

/// Notes who asks.
pub(super) fn is_of(actor: ActorId) {
    let _ = CURRENT.try_with(|current| current.actor.set(actor));
}

/// Notes which operation is run.
pub(super) fn runs(operation: &'static str) {
    let _ = CURRENT.try_with(|current| current.operation.set(operation));
}

/// Notes how long the request waited for a place.
pub(super) fn waited(time: Duration) {
    let us = time.as_micros() as u64;
    let _ = CURRENT.try_with(|current| current.waited_us.fetch_add(us, Ordering::Relaxed));
}

/// Answers a request; what is common to all of them is here, the rest in `next`.
pub(super) async fn answer(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let arrival = request.extensions().get::<Arrival>().expect("every connection says how it came").clone();
    let (working, number) = arrival.activity.begin();
    if number >= CONNECTION_REQUESTS_MAX {
        arrival.activity.retire();
    }
    let current = Arc::new(Current {
        id: id::of(request.headers()),
        peer: arrival.peer,
        actor: OnceLock::new(),
        operation: OnceLock::new(),
        waited_us: AtomicU64::new(0),
    });
    let asked = Asked::of(&request);
    let span = tracing::error_span!("request", id = current.id);
    app.metrics.requests_in_progress.inc();
    let answering = CURRENT.scope(Arc::clone(&current), respond(&app, &arrival, request, next));
    let mut response = answering.instrument(span.clone()).await;
    dress(&mut response, &arrival, &current.id);
    let status = response.status();
    let end = End { app, asked, current, began, handled: began.elapsed(), status, span, _working: working };
    response.map(|body| Body::new(Answer::new(body, end)))
}

async fn respond(app: &App, arrival: &Arrival, request: Request, next: Next) -> Response {
    if let Err(refused) = look_over(arrival, &request) {
        arrival.activity.retire();
        return refused.into_response();
    }
    let pace = Pace::of(&app.config, !STREAMED.contains(&request.uri().path()));
    let (paced, verdict) = Paced::new(pace, Arc::clone(&arrival.activity));
    let mut response = next.run(request.map(|body| paced.of(body))).await;
    if verdict.is_too_slow() && response.status() == StatusCode::BAD_REQUEST {
        arrival.activity.retire();
        response = too_slow(app).into_response();
    }
    if response.status() == StatusCode::UNAUTHORIZED
        && let Err(limited) = app.limits.sign_in_failed(arrival.peer)
    {
        app.metrics.request_refused("sign_in_limit");
        response = limited.into_response();
    }
    response
}

/// What is refused before anybody looks at what is asked.
fn look_over(arrival: &Arrival, request: &Request) -> Result<(), Failure> {
    framing::check(request, arrival.activity.take_framing())?;
    if arrival.is_reserve && !ANSWERED_WHEN_FULL.contains(&request.uri().path()) {
        let message = "every connection is in use; try again in a moment, or raise connections_max";
        return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message));
    }
    Ok(())
}

fn too_slow(app: &App) -> Failure {
    app.metrics.request_refused("slow_body");
    let message = format!(
        "the body came too slowly; at most {} s, and at least {} bytes/s",
        app.config.body_timeout_s, app.config.bytes_per_second_min
    );
    Failure::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", message)
}

/// The headers of every answer. What a route has set stays.
fn dress(response: &mut Response, arrival: &Arrival, id: &str) {
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(HeaderName::from_static("x-ig-api-version"), API_VERSION);
    set(header::CACHE_CONTROL, "no-store");
    set(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "no-referrer");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if arrival.is_secure {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if arrival.activity.says_close() {
        set(header::CONNECTION, "close");
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// What was asked, as far as a log may tell: no id of a thing, no word of a question.
struct Asked {
    method: &'static str,
    route: String,
}

impl Asked {
    fn of(request: &Request) -> Asked {
        let matched = request.extensions().get::<MatchedPath>();
        let route = matched.map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
        Asked { method: method(request.method()), route }
    }
}

/// One of few words, since a client may invent methods.
fn method(method: &Method) -> &'static str {
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::OPTIONS,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ];
    let names = ["GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"];
    known.iter().position(|known| known == method).map_or("other", |place| names[place])
}

/// The end of a request: it comes when its answer has been taken, or given up.
pub(super) struct End {
    app: Shared,
    asked: Asked,
    current: Arc<Current>,
    began: Instant,
    handled: Duration,
    status: StatusCode,
    span: tracing::Span,
    _working: Working,
}

impl End {
    /// Counts and logs the request: so many bytes of its answer went out, all of them or not.
    fn told(&self, bytes: u64, is_whole: bool) {
        let _entered = self.span.enter();
        let (took, status) = (self.began.elapsed(), self.status.as_u16());
        // How long somebody watches says nothing about the node.
        let measured = if self.asked.route == WATCHED { self.handled } else { took };
        self.app.metrics.request_ended(&self.asked.route, status, measured);
        let actor = self.current.actor.get().map(|actor| actor.0);
        let duration_ms = milliseconds(took);
        tracing::info!(
            target: "intelgraph::access",
            method = self.asked.method,
            route = self.asked.route,
            operation = self.current.operation.get(),
            status,
            duration_ms,
            bytes,
            actor,
            whole = is_whole,
            "answered"
        );
        let slow = Duration::from_millis(self.app.config.slow_operation_ms);
        if self.handled >= slow && !STREAMED.contains(&self.asked.route.as_str()) {
            let waited_ms = self.current.waited_us.load(Ordering::Relaxed) as f64 / 1e3;
            tracing::warn!(
                target: "intelgraph::slow",
                operation = self.current.operation.get(),
                route = self.asked.route,
                handled_ms = milliseconds(self.handled),
                waited_ms,
                duration_ms,
                "slow operation"
            );
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// The id that a client gave its request, if a log may hold it.
pub(super) fn header_text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}
