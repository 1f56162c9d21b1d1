//! Exports: what a principal sees and licence and policy let out, as a file that streams.

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use storage::View;
use storage::ids::ThingId;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;

use crate::app::{App, EXPORTERS_MAX, Shared};
use crate::export::{self, Format};
use crate::gateway::auth::Caller;
use crate::gateway::errors::Failure;
use crate::policy::{Action, Principal};
use crate::read::{Counts, Exit, Extent};
use crate::search;

/// Pieces that may wait to be taken: a slow client slows the reading, and fills no memory.
const PIECES_MAX: usize = 8;
const WRITTEN: HeaderName = HeaderName::from_static("x-ig-written");
const WITHHELD: HeaderName = HeaderName::from_static("x-ig-withheld");

/// What is wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    format: String,
    /// All that this source says, and nothing of others.
    source: Option<String>,
    /// Only what is about these words.
    query: Option<String>,
}

/// What is wanted, understood.
struct Order {
    format: Format,
    wanted: Extent,
    among: Option<Vec<ThingId>>,
    /// What a bundle is known by.
    name: String,
}

/// What is told before the file: the counts, or why there is none.
type Told = Result<Counts, Failure>;

/// Streams what leaves; its counts are in the headers.
pub(crate) async fn run(
    State(app): State<Shared>,
    Caller(principal): Caller,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(params) = params?;
    let format = params.format.parse::<Format>()?;
    let place = app.exporters.clone().try_acquire_owned().map_err(|_| {
        app.metrics.request_refused("exporters");
        storage::Error::Busy { what: "exports are running", limit: EXPORTERS_MAX }
    })?;
    let (sender, pieces) = mpsc::channel(PIECES_MAX);
    let (tell, told) = oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let order = prepare(&app, &principal, format, &params);
        let mut tell = Some(tell);
        let written = write(&app, &principal, order, &mut tell, &sender);
        if let (Err(failure), Some(tell)) = (written, tell) {
            let _ = tell.send(Err(failure));
        }
    });
    let counts = told.await.map_err(|_| Failure::internal("the export"))??;
    let file = format!("attachment; filename=\"{}\"", format.file_name());
    let headers = HeaderMap::from_iter([
        (header::CONTENT_TYPE, HeaderValue::from_static(format.media_type())),
        (header::CONTENT_DISPOSITION, HeaderValue::from_str(&file).expect("a name of ours")),
        (WRITTEN, counts.written.into()),
        (WITHHELD, counts.withheld.into()),
    ]);
    Ok((headers, Body::from_stream(ReceiverStream::new(pieces))).into_response())
}

/// Counts, tells, and writes; a file that breaks off is not ended, and the client sees that.
fn write(
    app: &App,
    principal: &Principal,
    order: Result<(View, Order), Failure>,
    tell: &mut Option<oneshot::Sender<Told>>,
    sender: &mpsc::Sender<Result<Bytes, storage::Error>>,
) -> Result<(), Failure> {
    let (view, order) = order?;
    let reader = app.reader(&view, principal)?;
    let allowed = app.allowed(&view, principal, Action::EntityExport)?;
    reader.uses().filtered(Action::EntityExport, &allowed);
    let embeddings = app.allowed(&view, principal, Action::EmbeddingRead)?;
    let exit = Exit::new(&reader, (allowed, embeddings), order.wanted, order.among);
    let nobody_waits = || tell.as_ref().is_none_or(oneshot::Sender::is_closed);
    let counts = exit.count(&nobody_waits)?;
    if tell.take().is_none_or(|tell| tell.send(Ok(counts)).is_err()) {
        return Ok(());
    }
    let gone = || storage::Error::BrokeOff("the client went away".to_owned());
    let place = (&view, principal.tenant);
    let written = export::write(&exit, order.format, place, &order.name, &mut |piece| {
        sender.blocking_send(Ok(piece.into())).map_err(|_| gone())
    });
    if let Err(error) = written {
        let _ = sender.blocking_send(Err(error));
    }
    Ok(())
}

fn prepare(
    app: &App,
    principal: &Principal,
    format: Format,
    params: &Params,
) -> Result<(View, Order), Failure> {
    let found = match &params.query {
        None => None,
        Some(words) => Some(search::things(app, principal, words)?.ok_or_else(|| {
            let most = "the query finds more than 10,000 things; narrow it, or export a source";
            Failure::bad_request(most)
        })?),
    };
    let view = app.view()?;
    let wanted = match &params.source {
        None => Extent::Shown,
        Some(name) => {
            let source = view.source(principal.tenant, name)?;
            // One of which nothing may be seen is not to be told from one that is not there.
            let source = source.filter(|_| sees(app, &view, principal, name).unwrap_or_default());
            Extent::Source(source.ok_or_else(|| Failure::not_found("source", name))?)
        }
    };
    let name = format!("{}\n{:?}\n{:?}", view.origin(principal.tenant)?, params.source, params.query);
    Ok((view, Order { format, wanted, among: found, name }))
}

/// Whether something of a source may be seen, of entities or relations.
fn sees(app: &App, view: &View, principal: &Principal, source: &str) -> Result<bool, Failure> {
    let entities = app.allowed(view, principal, Action::EntityRead)?;
    let relations = app.allowed(view, principal, Action::RelationRead)?;
    let labels = app.labels(view, principal.tenant)?;
    Ok(labels
        .iter()
        .filter(|(_, label)| label.source == source)
        .any(|(id, _)| entities.contains(*id) || relations.contains(*id)))
}
