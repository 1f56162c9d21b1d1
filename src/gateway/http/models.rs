//! The models of the node: only an owner of the node changes what it encodes with.

use axum::Json;
use axum::extract::multipart::Field;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, Multipart, Path, Request, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::backup::check_owner;
use super::body::{SWALLOW_TIMEOUT, swallow};
use super::import::next;
use crate::app::{App, Shared};
use crate::embedding::{Listed, Staged, write};
use crate::gateway::auth::Caller;
use crate::gateway::errors::Failure;

/// The part of a form that stands in front of the files that it lists.
const MANIFEST: &str = "manifest.json";
const MANIFEST_BYTES_MAX: usize = 64 << 10;

/// The models that are installed, and why none is in use if one should be.
pub(crate) async fn list(
    State(app): State<Shared>,
    Caller(principal): Caller,
) -> Result<Json<Value>, Failure> {
    check_owner(&app, &principal)?;
    let told = move |app: &App| {
        let embedding = &app.embedding;
        json!({"models": embedding.list(), "problem": embedding.problem(), "embedder": embedding.embedder()})
    };
    Ok(Json(blocking(app, told).await?))
}

/// Takes a model in, and uses it at once if none is in use.
pub(crate) async fn install(
    State(app): State<Shared>,
    Caller(principal): Caller,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Failure> {
    if let Err(refused) = check_owner(&app, &principal) {
        swallow(request);
        return Err(refused);
    }
    let form = Multipart::from_request(request, &()).await;
    let mut form = form.map_err(|error| Failure::bad_request(error.body_text()))?;
    match take(&app, &mut form).await {
        Ok(Ok(staged)) => {
            let listed = blocking(app, move |app| app.embedding.finish_install(staged)).await??;
            Ok((StatusCode::CREATED, Json(document(&listed, true))))
        }
        Ok(Err(there)) => {
            swallow_parts(form);
            Ok((StatusCode::OK, Json(document(&there, false))))
        }
        Err(refused) => {
            swallow_parts(form);
            Err(refused)
        }
    }
}

/// Compares the files of a model with its digests.
pub(crate) async fn verify(
    State(app): State<Shared>,
    Caller(principal): Caller,
    name: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, Failure> {
    check_owner(&app, &principal)?;
    let Path(name) = name?;
    let problem = blocking(app, move |app| app.embedding.verify(&name)).await??;
    Ok(Json(json!({"ok": problem.is_none(), "problem": problem})))
}

/// Removes a model.
pub(crate) async fn remove(
    State(app): State<Shared>,
    Caller(principal): Caller,
    name: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Failure> {
    check_owner(&app, &principal)?;
    let Path(name) = name?;
    blocking(app, move |app| app.embedding.remove(&name)).await??;
    Ok(StatusCode::NO_CONTENT)
}

/// The manifest, then every file that it lists; or the model that is there already.
async fn take(app: &Shared, form: &mut Multipart) -> Result<Result<Staged, Listed>, Failure> {
    let manifest = match next_part(form).await? {
        Some(field) if field.name() == Some(MANIFEST) => manifest(field).await?,
        _ => return Err(Failure::bad_request(format!("the first part must be `{MANIFEST}`"))),
    };
    let begun = blocking(app.clone(), move |app| app.embedding.begin_install(&manifest)).await??;
    let mut staged = match begun {
        Ok(staged) => staged,
        Err(there) => return Ok(Err(there)),
    };
    while let Some(mut field) = next_part(form).await? {
        let name = field.name().unwrap_or_default().to_owned();
        let (mut file, mut room) = staged.file(&name).await?;
        while let Some(piece) = next(&mut field).await {
            write(&mut file, &mut room, &piece.map_err(Failure::bad_request)?).await?;
        }
        tokio::io::AsyncWriteExt::flush(&mut file).await.map_err(storage_failed)?;
    }
    Ok(Ok(staged))
}

async fn next_part(form: &mut Multipart) -> Result<Option<Field<'_>>, Failure> {
    form.next_field().await.map_err(|error| Failure::bad_request(error.body_text()))
}

async fn manifest(mut field: Field<'_>) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(piece) = next(&mut field).await {
        bytes.extend_from_slice(&piece.map_err(Failure::bad_request)?);
        if bytes.len() > MANIFEST_BYTES_MAX {
            return Err(Failure::bad_request(format!(
                "{MANIFEST} is longer than {MANIFEST_BYTES_MAX} bytes"
            )));
        }
    }
    Ok(bytes)
}

fn document(listed: &Listed, installed: bool) -> Value {
    json!({"model": listed, "installed": installed})
}

/// Reads what is left of a form to nowhere for a while: a client that is still sending would lose the answer.
fn swallow_parts(mut form: Multipart) {
    tokio::spawn(tokio::time::timeout(SWALLOW_TIMEOUT, async move {
        while let Ok(Some(mut field)) = form.next_field().await {
            while let Ok(Some(_)) = field.chunk().await {}
        }
    }));
}

fn storage_failed(error: std::io::Error) -> Failure {
    storage::Error::Io(error.to_string()).into()
}

/// Runs what waits for the disk where it holds up nobody.
async fn blocking<T: Send + 'static>(
    app: Shared,
    act: impl FnOnce(&App) -> T + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(move || act(&app)).await;
    done.map_err(|_| Failure::internal("the change of models"))
}
