//! Sessions of browsers: opened by a link's code or a pasted token, asked about, ended.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{App, Shared};
use crate::gateway::auth::{self, Access, Right};
use crate::gateway::errors::Failure;
use crate::node::rfc3339;
use crate::policy::token::parse_as;
use crate::policy::{Token, Use};
use crate::sessions;

/// Largest body that opens a session, in bytes.
const BODY_BYTES_MAX: usize = 4096;

/// What somebody signs in with; one of the two.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Shows {
    /// The code of a sign-in link.
    Code(String),
    /// A token.
    Token(String),
}

/// Opens a session. The one that the browser had before is ended, and never gone on with: another may have opened it.
pub(crate) async fn sign_in(State(app): State<Shared>, request: Request) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    from_own_page(&parts)?;
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| unread())?;
    let secret = open(&app, serde_json::from_slice(&body).map_err(|_| unread())?).await?;
    end_former(&app, &parts.headers).await?;
    let access = Access::of_session(&app, secret.reveal())?;
    Ok(with_cookie(&app, Some(&secret), Json(who(&app, &access)?)))
}

/// Nobody signs a stranger's browser in from another page: what browsers send of themselves must be right, and no
/// form sends JSON.
fn from_own_page(parts: &Parts) -> Result<(), Failure> {
    let headers = &parts.headers;
    if !auth::is_json(headers) {
        let message = "send JSON, with `content-type: application/json`";
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message));
    }
    let is_browser = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
    if is_browser { auth::is_own_page(parts) } else { Ok(()) }
}

async fn open(app: &App, shows: Shows) -> Result<Token, Failure> {
    match shows {
        Shows::Code(code) => sessions::open_by_code(app, code.trim()).await,
        Shows::Token(token) => {
            let holder = auth::holder(&app.store.view()?, token.trim())?;
            sessions::open_by_token(app, &holder.row, &holder.shown).await
        }
    }
}

async fn end_former(app: &App, headers: &HeaderMap) -> Result<(), Failure> {
    let Ok(Some(text)) = auth::session(headers, app.sessions.cookie()) else { return Ok(()) };
    let Ok(former) = parse_as(Use::Session, text) else { return Ok(()) };
    match app.store.view()?.token(&former.id)? {
        Some(row) => sessions::close(app, &row, &former).await,
        None => Ok(()),
    }
}

/// Who the caller is, what he may do, and for how long. That nobody is signed in is an answer, too: a page asks before
/// anybody is.
pub(crate) async fn ask(
    State(app): State<Shared>,
    access: Result<Access, Failure>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let access = match access {
        Err(_) if auth::shows_nothing(&headers, app.sessions.cookie()) => {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        access => access?,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(who(&app, &access)?)).into_response())
}

/// Ends the session.
pub(crate) async fn sign_out(State(app): State<Shared>, access: Access) -> Result<Response, Failure> {
    let Right::Session { row, shown, .. } = &access.right else {
        return Err(Failure::bad_request("a token is no session; end it with `intelgraph token revoke`"));
    };
    sessions::close(&app, row, shown).await?;
    Ok(with_cookie(&app, None, StatusCode::NO_CONTENT))
}

fn who(app: &App, access: &Access) -> Result<Value, Failure> {
    let principal = &access.principal;
    let purposes: Vec<_> = principal.purposes.iter().map(|purpose| purpose.to_string()).collect();
    let (by, expires_us, idle_until_us) = match &access.right {
        Right::Token { until_us } => ("token", *until_us, None),
        Right::Issuer { until_us, .. } => ("issuer", *until_us, None),
        Right::Session { session, .. } => ("session", session.ends_us, Some(session.idle_until_us())),
    };
    let actions: Vec<_> = app.may(principal)?.iter().map(|action| action.as_str()).collect();
    Ok(json!({
        "by": by, "token": principal.token_id, "tenant": principal.tenant_name, "role": principal.role.to_string(),
        "clearance": principal.clearance.to_string(), "purposes": purposes, "scopes": principal.scopes, "actions": actions,
        "expires_at": rfc3339(expires_us), "idle_until": idle_until_us.map(rfc3339),
    }))
}

/// An answer that sets the cookie, or takes it away.
fn with_cookie(app: &App, secret: Option<&Token>, answer: impl IntoResponse) -> Response {
    let cookie = app.sessions.set_cookie(secret);
    let cookie = HeaderValue::from_str(&cookie).expect("a cookie is made of printable characters");
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store")), (header::SET_COOKIE, cookie)], answer)
        .into_response()
}

/// It says nothing of what was sent: that may be a secret.
fn unread() -> Failure {
    let message = r#"send {"code": ".."} or {"token": ".."}"#;
    Failure::bad_request(format!("{message}, of at most {BODY_BYTES_MAX} bytes"))
}
