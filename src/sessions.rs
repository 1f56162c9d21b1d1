//! Signing in and out: links that are good once, and the sessions of browsers.
//!
//! Both are of a token and end with it. They are kept in its row, so that a restart signs nobody out; that somebody is
//! still there is written every few minutes, and never waited for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use axum::http::StatusCode;
use storage::commands::{Command, CreateToken, MakeLink, SEEN_EVERY_US, Seen, SignIn, SignOut};
use storage::ids::{ActorId, TenantId};
use storage::model::{LinkMade, SESSION_US_MAX};
use storage::rows::TokenRow;

use crate::app::App;
use crate::commit;
use crate::config::Config;
use crate::gateway::Failure;
use crate::idempotency::Writer;
use crate::node;
use crate::policy::token::{SECRET_BYTES, parse_as};
use crate::policy::{Minted, Parsed, Principal, Token, Use};
use crate::tokens;

/// A link of the node's machine is good for so long: 30 minutes, in microseconds.
const OWNER_LINK_US: i64 = 1_800_000_000;
/// Any other link: 10 minutes, in microseconds.
const LINK_US: i64 = 600_000_000;
/// Tokens and sessions whose last use is remembered; beyond that it may be written more often.
const NOTED_MAX: usize = 10_000;

/// A link by which somebody signs in.
#[derive(Clone, Debug)]
pub struct Link {
    /// Where to go. The code is behind the `#`, which browsers send to nobody.
    pub url: String,
    /// When it ends, microseconds since 1970.
    pub expires_us: i64,
}

/// Makes a link for the token by which the request came in. A request that comes again gets the same link, which is
/// good once all the same: an answer that was lost costs nothing, and there is never a second secret.
pub(crate) async fn link(writer: &Writer<'_>, principal: &Principal) -> Result<Link, Failure> {
    let app = writer.app;
    let Some(row) = app.store.view()?.token(&principal.token_id)? else {
        let message = "only the holder of a token of this node has sign-in links; ask for a token";
        return Err(Failure::new(StatusCode::FORBIDDEN, "denied", message));
    };
    let (tenant, token) = (TenantId(row.tenant), principal.token_id.as_str());
    let minted = Token::mint_for(Use::Link, token.to_owned(), writer.random::<SECRET_BYTES>());
    let (link, command) = new_link(app, tenant, principal.actor, token, &minted, LINK_US);
    let applied = writer.write("link", command).await?;
    let record = app.store.view()?.record(tenant, applied.lsn)?;
    let made = record.body().map(LinkMade::from_body).transpose()?;
    Ok(Link { expires_us: made.map_or(link.expires_us, |made| made.expires_us), ..link })
}

/// Makes a link for an owner of the node, with a token of its own that nobody is ever shown: revoking that token
/// ends what the link opened.
///
/// # Errors
/// If there is no such tenant, or the store cannot be written.
pub fn owner_link(app: &App, tenant: &str) -> Result<Link> {
    let id = app.store.view()?.tenant(tenant)?.with_context(|| format!("no tenant `{tenant}`"))?;
    let mut spec = tokens::mint_owner().spec;
    spec.expires_at_us = app.clock.judged_us() + OWNER_LINK_US + SESSION_US_MAX;
    let minted = secret(Use::Link, &spec.id);
    let (link, make_link) = new_link(app, id, ActorId::NODE, &spec.id, &minted, OWNER_LINK_US);
    let create = CreateToken { tenant: id, actor: ActorId::NODE, spec };
    for answer in app.commit.submit_blocking(vec![Command::CreateToken(create), make_link])? {
        answer?;
    }
    Ok(link)
}

/// Makes a link for a token, in the name of the node's machine.
///
/// # Errors
/// If there is no such token, it lets nobody in, or the store cannot be written.
pub fn link_of(app: &App, token: &str) -> Result<Link> {
    let row = app.store.view()?.token(token)?.with_context(|| format!("no token `{token}`"))?;
    let (tenant, minted) = (TenantId(row.tenant), secret(Use::Link, token));
    let (link, make_link) = new_link(app, tenant, ActorId::NODE, token, &minted, OWNER_LINK_US);
    for answer in app.commit.submit_blocking(vec![make_link])? {
        answer?;
    }
    Ok(link)
}

fn new_link(
    app: &App,
    tenant: TenantId,
    actor: ActorId,
    token: &str,
    minted: &Minted,
    lifetime_us: i64,
) -> (Link, Command) {
    let expires_us = app.clock.judged_us() + lifetime_us;
    let url = format!("{}/#code={}", app.config.url(), minted.token.reveal());
    let (token, code_sha256) = (token.to_owned(), minted.secret_sha256);
    let make = MakeLink { tenant, actor, token, code_sha256, expires_us };
    (Link { url, expires_us }, Command::MakeLink(make))
}

/// Opens a session for who shows the code of a link; its secret, for the cookie.
pub(crate) async fn open_by_code(app: &App, code: &str) -> Result<Token, Failure> {
    let parsed = parse_as(Use::Link, code).map_err(|_| bad_code())?;
    let row = app.store.view()?.token(&parsed.id)?.ok_or_else(bad_code)?;
    // Whether the link is still unused only the writer can say: it sees one request after the other.
    open(app, &row, &parsed, Some(parsed.secret_sha256())).await.map_err(|failure| match failure.status {
        StatusCode::NOT_FOUND => bad_code(),
        _ => failure,
    })
}

/// Opens a session for the holder of a token that was found to be genuine; its secret, for the cookie.
pub(crate) async fn open_by_token(app: &App, row: &TokenRow, token: &Parsed) -> Result<Token, Failure> {
    open(app, row, token, None).await.map_err(|failure| match failure.status {
        // It was revoked, or has expired, since.
        StatusCode::NOT_FOUND => Failure::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "revoked or expired token; ask for a new one",
        ),
        _ => failure,
    })
}

async fn open(
    app: &App,
    row: &TokenRow,
    shown: &Parsed,
    code_sha256: Option<[u8; 32]>,
) -> Result<Token, Failure> {
    let minted = secret(Use::Session, &shown.id);
    let (tenant, token) = (TenantId(row.tenant), shown.id.clone());
    let sign_in = SignIn { tenant, token, code_sha256, session_sha256: minted.secret_sha256 };
    app.write_one(Command::SignIn(sign_in)).await?;
    Ok(minted.token)
}

/// Ends a session; one that has ended already is no failure.
pub(crate) async fn close(app: &App, row: &TokenRow, session: &Parsed) -> Result<(), Failure> {
    let (tenant, token) = (TenantId(row.tenant), session.id.clone());
    let sign_out = SignOut { tenant, token, session_sha256: session.secret_sha256() };
    app.write_one(Command::SignOut(sign_out)).await.map(drop)
}

fn secret(what: Use, token: &str) -> Minted {
    Token::mint_for(what, token.to_owned(), node::random::<SECRET_BYTES>())
}

/// One answer for every code that opens nothing: mistyped, unknown, used, expired, or of a token that was revoked.
fn bad_code() -> Failure {
    let message = "this sign-in link was used, has expired or is mistyped; make another with `intelgraph token link`, \
                   or on the node's machine with `intelgraph token first-owner`";
    Failure::new(StatusCode::UNAUTHORIZED, "bad_code", message)
}

/// The sessions of a node: the name of their cookie, and who was seen when.
pub struct Sessions {
    cookie: String,
    /// Whether the cookie is for TLS alone.
    secure: bool,
    noted: Mutex<HashMap<[u8; 32], i64>>,
}

impl Sessions {
    /// The sessions of a node of this name.
    #[must_use]
    pub fn new(config: &Config, node_id: &str) -> Sessions {
        let secure = config.url().starts_with("https:");
        // With this prefix a browser takes the cookie from this host alone, and sends it nowhere else.
        let prefix = if secure { "__Host-" } else { "" };
        Sessions { cookie: format!("{prefix}ig_session_{node_id}"), secure, noted: Mutex::default() }
    }

    /// The name of the cookie. Browsers do not tell ports apart, so each node of a machine has its own.
    pub(crate) fn cookie(&self) -> &str {
        &self.cookie
    }

    /// What sets the cookie to a session's secret, or takes it away.
    pub(crate) fn set_cookie(&self, secret: Option<&Token>) -> String {
        let (value, seconds) = match secret {
            Some(secret) => (secret.reveal(), SESSION_US_MAX / 1_000_000),
            None => ("", 0),
        };
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}", self.cookie)
    }

    /// Notes that a token is used now, and the session if there is one. Returns at once; that the note may be lost with
    /// the node is why it is written often enough.
    pub(crate) fn note(&self, commit: &commit::Handle, row: &TokenRow, shown: &Parsed, session: bool) {
        let now_us = node::now_us();
        let session_sha256 = session.then(|| shown.secret_sha256());
        let seen_us = match session {
            true => row.sessions.iter().find(|one| shown.is_of(&one.secret_sha256)).map(|one| one.seen_us),
            false => row.used_us,
        };
        let is_old = seen_us.is_none_or(|seen_us| now_us - seen_us >= SEEN_EVERY_US);
        if !is_old || !self.is_first(shown.secret_sha256(), now_us) {
            return;
        }
        let seen = Seen { tenant: TenantId(row.tenant), token: shown.id.clone(), session_sha256 };
        let commit = commit.clone();
        tokio::spawn(async move { commit.submit(vec![Command::Seen(seen)]).await });
    }

    /// Whether nobody else has just noted the same.
    fn is_first(&self, secret_sha256: [u8; 32], now_us: i64) -> bool {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.get(&secret_sha256).is_some_and(|at_us| now_us - at_us < SEEN_EVERY_US) {
            return false;
        }
        if noted.len() >= NOTED_MAX {
            noted.clear();
        }
        noted.insert(secret_sha256, now_us);
        true
    }
}
