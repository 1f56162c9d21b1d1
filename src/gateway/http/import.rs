//! Imports over HTTP: one request is one import, of one raw body or of many multipart files.

use std::time::Duration;

use axum::Json;
use axum::body::{Body, HttpBody as _};
use axum::extract::multipart::Field;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, Multipart, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use futures_util::StreamExt;
use serde::Deserialize;
use storage::View;
use storage::ids::RunId;
use storage::model::{Classification, Licence, Purpose, Purposes, Retention, Role, SourceSpec};
use tokio::sync::mpsc;

use super::body::swallow;
use crate::app::Shared;
use crate::gateway::auth::Caller;
use crate::gateway::errors::Failure;
use crate::ingest::files::Format;
use crate::ingest::files::csv::{Declared, MAPPING_BYTES_MAX};
use crate::ingest::import::{self, rejects_path};
use crate::ingest::upload::{self, Digest, Event};
use crate::policy::{Action, Principal};

/// A client that sends nothing for so long has given up.
const BODY_IDLE_MAX: Duration = Duration::from_secs(30);

/// What to import, and on which terms. Terms that are left out are those of a source that is known.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    format: String,
    source: String,
    /// Separated by commas.
    purpose: Option<String>,
    licence: Option<String>,
    classification: Option<String>,
    retention: Option<String>,
    personal: Option<bool>,
    /// The name of a raw body.
    name: Option<String>,
}

/// Imports the request's files; answers when they are durable and searchable.
pub(crate) async fn run(
    State(app): State<Shared>,
    Caller(principal): Caller,
    params: Result<Query<Params>, QueryRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let Query(params) = params?;
    let permitted = app.check(&principal, Action::ImportRun);
    let bytes = request.body().size_hint().exact();
    let wanted = permitted.and_then(|()| request_of(&app, &app.store.view()?, &principal, &params));
    let wanted = match wanted.map(|wanted| import::Request { bytes, ..wanted }) {
        Ok(wanted) => wanted,
        Err(refused) => {
            swallow(request);
            return Err(refused);
        }
    };
    let Ok(place) = app.importers.clone().try_acquire_owned() else {
        swallow(request);
        return Err(storage::Error::Busy {
            what: "imports are running",
            limit: app.config.memory().importers,
        }
        .into());
    };
    let (sender, mut upload) = upload::channel();
    let importer = app.clone();
    let importing = tokio::task::spawn_blocking(move || {
        let _place = place;
        import::run(&importer, &principal, &wanted, &mut upload)
    });
    feed(request, params.name.unwrap_or_else(|| "body".to_owned()), sender).await?;
    let summary = importing.await.map_err(|_| Failure::internal("the import"))??;
    app.metrics.import_objects.inc_by(summary.read);
    let status = if summary.error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, Json(summary)).into_response())
}

/// The rejects of a run, one JSON object a line.
pub(crate) async fn rejects(
    State(app): State<Shared>,
    Caller(principal): Caller,
    run: Result<Path<u64>, PathRejection>,
) -> Result<Response, Failure> {
    let Path(run) = run?;
    app.check(&principal, Action::ImportRun)?;
    let view = app.store.view()?;
    // They hold ids and values of whoever imported: his own, or everything for who may see everything.
    let row = view.run(principal.tenant, RunId(run))?;
    let readable = match row {
        Some(row) => row.actor == principal.actor.0 || app.sees_everything(&view, &principal)?,
        None => false,
    };
    if !readable {
        return Err(Failure::not_found("rejects of run", &run.to_string()));
    }
    let path = rejects_path(&app.config.data_dir, principal.tenant, RunId(run));
    let file = tokio::fs::File::open(path).await;
    let file = file.map_err(|_| Failure::not_found("rejects of run", &run.to_string()))?;
    let body = Body::from_stream(tokio_util::io::ReaderStream::new(file));
    Ok(([(header::CONTENT_TYPE, "application/jsonl")], body).into_response())
}

/// Passes the body on, piece by piece, as fast as it is read.
async fn feed(request: Request, name: String, sender: mpsc::Sender<Event>) -> Result<(), Failure> {
    let digest = announced(request.headers())?;
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|value| value.starts_with("multipart/form-data")) {
        return feed_raw(request.into_body(), Event::File(name, digest), &sender).await;
    }
    let multipart = Multipart::from_request(request, &()).await;
    let mut multipart = multipart.map_err(|error| Failure::bad_request(error.body_text()))?;
    let mut begun = false;
    loop {
        match multipart.next_field().await {
            Ok(None) => {
                let _ = sender.send(Event::End).await;
                return Ok(());
            }
            Ok(Some(field)) if is_mapping(&field) && begun => {
                let why = "the part `mapping` stands behind a file; send it in front";
                let _ = sender.send(Event::Broken(why.to_owned())).await;
                return Ok(());
            }
            Ok(Some(field)) if is_mapping(&field) => {
                let mapping = mapping(field).await?;
                let _ = sender.send(Event::Mapping(Box::new(mapping))).await;
            }
            Ok(Some(field)) => {
                let name = field.file_name().or(field.name()).unwrap_or("file").to_owned();
                let digest = announced(field.headers())?;
                begun = true;
                let _ = sender.send(Event::File(name, digest)).await;
                if !feed_pieces(field, &sender).await {
                    return Ok(());
                }
            }
            Err(error) => {
                let _ = sender.send(Event::Broken(error.body_text())).await;
                return Ok(());
            }
        }
    }
}

/// A part that is called `mapping` says what the columns of the files behind it are.
pub(super) fn is_mapping(field: &Field<'_>) -> bool {
    field.name() == Some("mapping")
}

pub(super) async fn mapping(mut field: Field<'_>) -> Result<Declared, Failure> {
    let mut text = Vec::new();
    while let Some(piece) = next(&mut field).await {
        text.extend_from_slice(&piece.map_err(Failure::bad_request)?);
        if text.len() > MAPPING_BYTES_MAX {
            let message = format!("the mapping is longer than {MAPPING_BYTES_MAX} bytes");
            return Err(Failure::bad_request(message));
        }
    }
    let text = String::from_utf8(text).map_err(|_| Failure::bad_request("the mapping is not UTF-8"))?;
    Ok(Declared::parse(&text)?)
}

/// SHA-256 of a file, as RFC 9530 says it: by it an import that is cut off can be gone on with.
fn announced(headers: &HeaderMap) -> Result<Option<Digest>, Failure> {
    let Some(value) = headers.get("content-digest") else { return Ok(None) };
    let bad = || Failure::bad_request("header `content-digest`: such as sha-256=:BASE64:, of 32 bytes");
    let members = value.to_str().map_err(|_| bad())?.split(',');
    let Some(text) = members.map(str::trim).find_map(|member| member.strip_prefix("sha-256=")) else {
        return Ok(None);
    };
    let encoded = text.strip_prefix(':').and_then(|text| text.strip_suffix(':')).ok_or_else(bad)?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).map_err(|_| bad())?;
    bytes.try_into().map(Some).map_err(|_| bad())
}

async fn feed_raw(body: Body, file: Event, sender: &mpsc::Sender<Event>) -> Result<(), Failure> {
    let _ = sender.send(file).await;
    if feed_pieces(body.into_data_stream(), sender).await {
        let _ = sender.send(Event::End).await;
    }
    Ok(())
}

/// A body that breaks off is told to the reader, and false returned; for a reader that has ended the rest is read to
/// nowhere, because a client that is still sending would lose the answer.
async fn feed_pieces<S, E>(mut pieces: S, sender: &mpsc::Sender<Event>) -> bool
where
    S: futures_util::Stream<Item = Result<bytes::Bytes, E>> + Unpin,
    E: std::fmt::Display,
{
    // Only waiting for the client has a limit; waiting for the reader is what slows the client down.
    while let Some(piece) = next(&mut pieces).await {
        let event = piece.map_or_else(Event::Broken, Event::Data);
        let broken = matches!(event, Event::Broken(_));
        let _ = sender.send(event).await;
        if broken {
            return false;
        }
    }
    true
}

/// The next piece, or why there is none; `None` at the end.
pub(super) async fn next<S, E>(pieces: &mut S) -> Option<Result<bytes::Bytes, String>>
where
    S: futures_util::Stream<Item = Result<bytes::Bytes, E>> + Unpin,
    E: std::fmt::Display,
{
    match tokio::time::timeout(BODY_IDLE_MAX, pieces.next()).await {
        Ok(piece) => piece.map(|piece| piece.map_err(|error| format!("the body broke off: {error}"))),
        Err(_) => Some(Err(format!("no bytes came for {} s", BODY_IDLE_MAX.as_secs()))),
    }
}

fn request_of(
    app: &Shared,
    view: &View,
    principal: &Principal,
    params: &Params,
) -> Result<import::Request, Failure> {
    let known = view
        .sources(principal.tenant)?
        .into_iter()
        .map(|(_, spec)| spec)
        .find(|spec| spec.name == params.source);
    if let Some(known) = &known {
        check_ceiling(app, view, principal, known)?;
    }
    let source = terms(params, known.as_ref())?;
    source.validate()?;
    if known.as_ref().is_some_and(|known| *known != source) {
        // Other terms for what is already there: that is not for everybody who may import.
        app.check(principal, Action::SourceWrite)?;
    }
    Ok(import::Request { format: params.format.parse::<Format>()?, source, bytes: None })
}

/// An import replaces what its source said before, so who imports must be cleared for that. A writer is
/// made to write what it cannot read.
pub(super) fn check_ceiling(
    app: &Shared,
    view: &View,
    principal: &Principal,
    known: &SourceSpec,
) -> Result<(), Failure> {
    let ceiling = app.source_ceiling(view, principal.tenant, &known.name)?.max(Some(known.classification));
    if principal.role != Role::Writer && Some(principal.clearance) < ceiling {
        return Err(Failure::denied(Action::ImportRun.as_str()));
    }
    Ok(())
}

fn terms(params: &Params, known: Option<&SourceSpec>) -> Result<SourceSpec, Failure> {
    let missing = |what: &str| {
        Failure::bad_request(format!(
            "source `{}` is new and has no {what}; every source needs purpose and licence",
            params.source
        ))
    };
    let purposes = match (&params.purpose, known) {
        (Some(names), _) => purposes(names)?,
        (None, Some(known)) => known.purposes,
        (None, None) => return Err(missing("purpose")),
    };
    let licence = match (&params.licence, known) {
        (Some(name), _) => name.parse::<Licence>()?,
        (None, Some(known)) => known.licence,
        (None, None) => return Err(missing("licence")),
    };
    let retention = params.retention.as_deref().map(str::parse::<Retention>).transpose()?;
    let classification = params.classification.as_deref().map(str::parse::<Classification>).transpose()?;
    Ok(SourceSpec {
        name: params.source.clone(),
        purposes,
        licence,
        retention: retention.or(known.map(|known| known.retention)).unwrap_or(Retention::Standard365d),
        classification: classification
            .or(known.map(|known| known.classification))
            .unwrap_or(Classification::Internal),
        personal: params.personal.or(known.map(|known| known.personal)).unwrap_or_default(),
    })
}

fn purposes(names: &str) -> Result<Purposes, Failure> {
    let purposes = names.split(',').map(|name| name.trim().parse::<Purpose>());
    Ok(purposes.collect::<storage::Result<Purposes>>()?)
}
