//! What an import would make of a file. The answer holds nothing but what was sent: nothing of the tenant is read.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, Multipart, Query, Request, State};
use axum::http::{StatusCode, header};
use futures_util::Stream;
use serde::Deserialize;

use super::body::{SWALLOW_TIMEOUT, swallow, swallow_pieces};
use super::import::{is_mapping, mapping, next};
use crate::app::Shared;
use crate::gateway::auth::Caller;
use crate::gateway::errors::Failure;
use crate::gateway::http::events::TAKERS_MAX;
use crate::ingest::files::Format;
use crate::ingest::files::csv::Declared;
use crate::ingest::preview::{self, BYTES_MAX, Preview};
use crate::policy::Action;

/// What to look at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    format: String,
    /// The source that would say it.
    source: Option<String>,
    /// The name of a raw body.
    name: Option<String>,
}

/// The beginning of a file.
struct Beginning {
    name: String,
    bytes: Vec<u8>,
    is_all: bool,
    mapping: Option<Declared>,
}

/// Looks at the first bytes of the request's file; one that cannot be read is answered as an import would.
pub(crate) async fn look(
    State(app): State<Shared>,
    Caller(principal): Caller,
    params: Result<Query<Params>, QueryRejection>,
    request: Request,
) -> Result<(StatusCode, Json<Preview>), Failure> {
    let Query(params) = params?;
    let permitted = app.check(&principal, Action::ImportRun);
    let format = match permitted.and_then(|()| Ok(params.format.parse::<Format>()?)) {
        Ok(format) => format,
        Err(refused) => {
            swallow(request);
            return Err(refused);
        }
    };
    let _place = app.takers.try_acquire().map_err(|_| {
        app.metrics.request_refused("takers");
        storage::Error::Busy { what: "requests whose bodies are held", limit: TAKERS_MAX }
    })?;
    let Beginning { name, bytes, is_all, mapping } = beginning(request, params.name).await?;
    let wanted = preview::Request { format, name, source: params.source, mapping };
    // Reading megabytes is work for a thread of its own.
    let looked = tokio::task::spawn_blocking(move || preview::of(wanted, &bytes, is_all)).await;
    let preview = looked.map_err(|_| Failure::internal("the preview"))?;
    let status = if preview.error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, Json(preview)))
}

async fn beginning(request: Request, name: Option<String>) -> Result<Beginning, Failure> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|value| value.starts_with("multipart/form-data")) {
        return of_body(request.into_body(), name).await;
    }
    let multipart = Multipart::from_request(request, &()).await;
    let mut multipart = multipart.map_err(|error| Failure::bad_request(error.body_text()))?;
    let mut declared = None;
    while let Some(field) =
        multipart.next_field().await.map_err(|error| Failure::bad_request(error.body_text()))?
    {
        if is_mapping(&field) {
            declared = Some(mapping(field).await?);
            continue;
        }
        let name = name.or(field.file_name().or(field.name()).map(str::to_owned)).unwrap_or_default();
        let mut field = field;
        let (bytes, is_all) = first_bytes(&mut field).await?;
        // What is left goes nowhere: a client that is still sending would lose the answer.
        let rest = async { while let Some(Ok(_)) = next(&mut field).await {} };
        let _ = tokio::time::timeout(SWALLOW_TIMEOUT, rest).await;
        return Ok(Beginning { name, bytes, is_all, mapping: declared });
    }
    Err(Failure::bad_request("no file; send one, behind its mapping if it has one"))
}

async fn of_body(body: Body, name: Option<String>) -> Result<Beginning, Failure> {
    let mut pieces = body.into_data_stream();
    let (bytes, is_all) = first_bytes(&mut pieces).await?;
    swallow_pieces(pieces);
    Ok(Beginning { name: name.unwrap_or_default(), bytes, is_all, mapping: None })
}

/// As many bytes as are looked at, and whether there are no more.
async fn first_bytes<S, E>(pieces: &mut S) -> Result<(Vec<u8>, bool), Failure>
where
    S: Stream<Item = Result<bytes::Bytes, E>> + Unpin,
    E: std::fmt::Display,
{
    let mut first = Vec::new();
    while first.len() <= BYTES_MAX {
        match next(pieces).await {
            Some(piece) => first.extend_from_slice(&piece.map_err(Failure::bad_request)?),
            None => return Ok((first, true)),
        }
    }
    first.truncate(BYTES_MAX);
    Ok((first, false))
}
