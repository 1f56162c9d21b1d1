//! Which weight of words serves judged queries best. They are asked one after the other, and whoever waits is told how far that
//! is, a line of JSON each time; the last says what was found. Whoever goes away ends it.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use storage::model::Form;
use tokio::sync::OwnedSemaphorePermit;

use super::body::{swallow, whole};
use crate::app::{App, Shared, TUNERS_MAX};
use crate::evaluate::tuning::{BYTES_MAX, Tuning};
use crate::gateway::auth::Access;
use crate::gateway::errors::Failure;
use crate::policy::Action;

/// Among what is searched.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    /// `entity` or `relation`; both, if it is not said.
    form: Option<String>,
}

/// Queries that are being asked, for somebody who waits.
struct Asking {
    app: Shared,
    access: Access,
    tuning: Tuning,
    _place: OwnedSemaphorePermit,
}

/// What comes next on the stream.
enum Next {
    Ask(Box<Asking>),
    End,
}

/// Asks the queries of the body; its first answer comes with the head, so that what cannot be done is refused.
pub(crate) async fn run(
    State(app): State<Shared>,
    access: Access,
    params: Result<Query<Params>, QueryRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let (form, place) = match begin(&app, &access, params) {
        Ok(begun) => begun,
        Err(refused) => {
            swallow(request);
            return Err(refused);
        }
    };
    let lines = whole(request, BYTES_MAX, "give fewer judged queries").await?;
    let begun = tokio::task::spawn_blocking(move || {
        let tuning = Tuning::of(&app, &access.principal, lines, form)?;
        Ok::<_, Failure>(Box::new(Asking { app, access, tuning, _place: place }))
    });
    let asking = begun.await.map_err(|_| stopped())??;
    let (first, next) = asking.step().await?;
    let rest = stream::unfold(next, async |next| {
        let Next::Ask(asking) = next else { return None };
        Some(asking.step().await.unwrap_or_else(|failure| (failure.body(), Next::End)))
    });
    let lines =
        stream::iter([first]).chain(rest).map(|line| Ok::<_, Infallible>(Bytes::from(format!("{line}\n"))));
    // A proxy that gathers an answer before it passes it on passes on nothing of how far it is.
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), "no");
    let headers = [(header::CONTENT_TYPE, "application/x-ndjson"), unbuffered];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// What is settled before the body is read.
fn begin(
    app: &Shared,
    access: &Access,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<(Option<Form>, OwnedSemaphorePermit), Failure> {
    app.check(&access.principal, Action::FlagManage)?;
    let Query(params) = params?;
    let form = match params.form.as_deref() {
        None => None,
        Some("entity") => Some(Form::Entity),
        Some("relation") => Some(Form::Relation),
        Some(other) => {
            let other: String = other.chars().take(40).collect();
            return Err(Failure::bad_request(format!("form `{other}`; entity or relation, or leave it out")));
        }
    };
    let place = app.tuners.clone().try_acquire_owned().map_err(|_| {
        app.metrics.request_refused("tuners");
        storage::Error::Busy { what: "rounds of judged queries are being asked", limit: TUNERS_MAX }
    })?;
    Ok((form, place))
}

impl Asking {
    /// Asks the next query; when there is none, says what was found.
    async fn step(mut self: Box<Asking>) -> Result<(Value, Next), Failure> {
        // Each query waits its turn: who only searches is not kept waiting by two thousand.
        let place = loop {
            match self.app.readers.enter(self.access.principal.tenant).await {
                Ok((place, _)) => break place,
                Err(busy) if self.tuning.is_late() => return Err(busy.into()),
                Err(_) => {}
            }
        };
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            let Asking { app, access, tuning, .. } = &mut *self;
            still_may(app, access)?;
            if tuning.ask(app, &access.principal)? {
                let (asked, of) = tuning.progress();
                return Ok((json!({"asked": asked, "of": of}), Next::Ask(self)));
            }
            let found = serde_json::to_value(self.tuning.found()).map_err(|_| stopped())?;
            Ok((json!({"tuned": found}), Next::End))
        });
        done.await.map_err(|_| stopped())?
    }
}

/// What let the request in may end while it is answered.
fn still_may(app: &App, access: &Access) -> Result<(), Failure> {
    if access.lasts(&app.view()?)? {
        return Ok(());
    }
    Err(Failure::new(StatusCode::UNAUTHORIZED, "unauthorized", "what let you in has ended; sign in again"))
}

fn stopped() -> Failure {
    Failure::internal("the asking of judged queries")
}
