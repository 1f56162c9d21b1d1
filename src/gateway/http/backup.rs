//! A backup as a stream. It holds everything of every tenant, and the node's key: only an owner of the node gets it.

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use storage::model::Role;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::app::{App, Shared};
use crate::backup::{self, Given, Since};
use crate::gateway::auth::Caller;
use crate::gateway::errors::Failure;
use crate::policy::{Action, Principal};

/// Frames that may wait to be taken: a slow client slows the reading, and fills no memory.
const FRAMES_MAX: usize = 8;

/// The backup that the client has already, if it wants no more than what changed since.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    node: Option<String>,
    epoch: Option<u32>,
    commit: Option<u64>,
}

/// Streams a backup of what there is now.
pub(crate) async fn give(
    State(app): State<Shared>,
    Caller(principal): Caller,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(params) = params?;
    check_owner(&app, &principal)?;
    let given = Given::prepare(&app, since(params)?).await?;
    let (sender, frames) = mpsc::channel::<Result<Bytes, storage::Error>>(FRAMES_MAX);
    tokio::task::spawn_blocking(move || {
        let gone = || storage::Error::BrokeOff("the client went away".to_owned());
        backup::give(&app, &given, &mut |bytes| sender.blocking_send(Ok(bytes)).map_err(|_| gone()));
    });
    let body = Body::from_stream(ReceiverStream::new(frames));
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], body).into_response())
}

/// Whatever a tenant's policy says: the node is more than a tenant.
pub(super) fn check_owner(app: &App, principal: &Principal) -> Result<(), Failure> {
    app.check(principal, Action::NodeManage)?;
    if principal.role == Role::Owner { Ok(()) } else { Err(Failure::denied(Action::NodeManage.as_str())) }
}

fn since(params: Params) -> Result<Option<Since>, Failure> {
    match params {
        Params { node: None, epoch: None, commit: None } => Ok(None),
        Params { node: Some(node), epoch: Some(epoch), commit: Some(commit) } => {
            Ok(Some(Since { node, epoch, commit }))
        }
        _ => Err(Failure::bad_request(
            "an increment needs `node`, `epoch` and `commit` of the backup before it",
        )),
    }
}
