//! The ledger's leaves as a stream: 72 bytes each, from the first to the last of a checkpoint.

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use crate::app::Shared;
use crate::gateway::auth::Caller;
use crate::gateway::errors::Failure;
use crate::policy::Action;

/// Bytes of leaves sent at a time.
const PIECE_BYTES: usize = 72 * 1024;

/// How many leaves are wanted.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    /// The size of a checkpoint.
    size: u64,
}

/// Streams the leaf data of a tenant's ledger.
pub(crate) async fn entries(
    State(app): State<Shared>,
    Caller(principal): Caller,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(wanted) = wanted?;
    app.check(&principal, Action::LedgerExport)?;
    let view = app.view()?;
    let head = view.head(principal.tenant)?.head();
    if wanted.size > head.0 {
        return Err(Failure::bad_request(format!("size `{}`: the ledger has {head} records", wanted.size)));
    }
    let (sender, pieces) = mpsc::channel::<Result<Bytes, storage::Error>>(4);
    tokio::task::spawn_blocking(move || {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        let gone = || storage::Error::BrokeOff("the client went away".to_owned());
        let sent = view.ledger(principal.tenant).entries(wanted.size, &mut |leaf| {
            piece.extend_from_slice(&leaf.0);
            if piece.len() >= PIECE_BYTES {
                sender.blocking_send(Ok(std::mem::take(&mut piece).into())).map_err(|_| gone())?;
            }
            Ok(())
        });
        // A stream that breaks off is shorter than the checkpoint, and the client says so.
        let _ = sender.blocking_send(sent.map(|()| piece.into()));
    });
    let body = Body::from_stream(ReceiverStream::new(pieces).map(|piece| piece));
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], body).into_response())
}
