//! The vector index of a tenant: how it is doing, and a build at once. Its counts are of everything that the tenant has, so
//! it is for those who keep the node.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::Shared;
use crate::follow::vectors::Status;
use crate::gateway::auth::Caller;
use crate::gateway::errors::Failure;
use crate::policy::Action;

/// Has what came since the last build sealed.
pub(crate) async fn build(
    State(app): State<Shared>,
    Caller(principal): Caller,
) -> Result<(StatusCode, Json<Value>), Failure> {
    app.check(&principal, Action::NodeManage)?;
    if app.vectors.build_now(principal.tenant) {
        return Ok((StatusCode::ACCEPTED, Json(told(&app.vectors.status(principal.tenant)))));
    }
    let message = "there is no vector index to build; install a model with `intelgraph model install`";
    Err(Failure::new(StatusCode::NOT_FOUND, "no_index", message))
}

/// How it is doing.
pub(crate) async fn ask(
    State(app): State<Shared>,
    Caller(principal): Caller,
) -> Result<Json<Value>, Failure> {
    app.check(&principal, Action::NodeManage)?;
    Ok(Json(told(&app.vectors.status(principal.tenant))))
}

fn told(status: &Status) -> Value {
    let building = status.building.map(|(done, all)| json!({"done": done, "all": all}));
    let built = status.built.as_ref().map(|built| match built {
        Ok(report) => json!({"ok": true, "detail": report}),
        Err(error) => json!({"ok": false, "detail": error}),
    });
    json!({
        "state": status.state, "reason": status.reason, "lsn": status.position.0, "skipped": status.skipped,
        "fresh": status.fresh, "sealed": status.sealed, "builds": status.builds,
        "building": building, "built": built, "recall": status.recall,
    })
}
