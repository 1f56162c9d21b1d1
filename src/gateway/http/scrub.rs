//! Scrubbing: begun, and asked about. What it finds names every tenant, so it is an owner's.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use serde_json::{Value, json};
use storage::Report;

use super::backup::check_owner;
use crate::app::Shared;
use crate::gateway::auth::Caller;
use crate::gateway::errors::Failure;
use crate::node::rfc3339;
use crate::scrub::{self, Outcome};

/// Begins to look at everything; one that runs already is gone on with.
pub(crate) async fn begin(
    State(app): State<Shared>,
    Caller(principal): Caller,
) -> Result<(StatusCode, Json<Value>), Failure> {
    check_owner(&app, &principal)?;
    let began_us = scrub::begin(&app)?;
    Ok((StatusCode::ACCEPTED, Json(json!({"began": rfc3339(began_us)}))))
}

/// How far it is, and what the last one found.
pub(crate) async fn ask(
    State(app): State<Shared>,
    Caller(principal): Caller,
) -> Result<Json<Value>, Failure> {
    check_owner(&app, &principal)?;
    let state = app.scrub.state();
    let running =
        state.running.map(|running| json!({"began": rfc3339(running.began_us), "bytes": running.bytes}));
    Ok(Json(json!({"running": running, "last": state.last.map(|last| told(&last))})))
}

fn told(last: &Outcome) -> Value {
    let (report, error) = match &last.found {
        Ok(report) => (Some(document(report)), None),
        Err(error) => (None, Some(json!({"code": error.code(), "message": error.to_string()}))),
    };
    json!({
        "began": rfc3339(last.began_us), "ended": rfc3339(last.ended_us), "report": report, "error": error,
    })
}

fn document(report: &Report) -> Value {
    let root = |root: &storage::TenantRoot| {
        let encoded = base64::engine::general_purpose::STANDARD.encode(root.root);
        json!({"size": root.size, "root": encoded})
    };
    let roots: serde_json::Map<_, _> =
        report.roots.iter().map(|(tenant, found)| (tenant.clone(), root(found))).collect();
    json!({
        "commit": report.commit, "epoch": report.epoch, "bytes": report.bytes,
        "roots": roots, "ok": report.problems.is_empty(), "problems": report.problems,
    })
}
