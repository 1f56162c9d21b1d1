//! From what a request shows to a principal. There are no anonymous reads.

mod outside;
mod shown;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use storage::View;
use storage::ids::{ActorId, TenantId};
use storage::model::{Purpose, Role, Subject, TokenSpec};
use storage::rows::{SessionRow, TokenRow};

use super::errors::Failure;
use super::requests;
use crate::app::Shared;
use crate::node;
use crate::oidc::Issuer;
use crate::policy::token::{parse, parse_as, verify};
use crate::policy::{Parsed, Principal, Use};
use shown::Shown;
pub(super) use shown::{is_json, is_own_page, session, shows_nothing};

/// Who makes the request; a handler that takes one is closed to everybody else.
pub(crate) struct Caller(pub(crate) Principal);

/// Who makes the request, and by what right.
pub(crate) struct Access {
    pub(crate) principal: Principal,
    pub(crate) right: Right,
}

/// Whose word was taken, and in which tenant.
pub(crate) struct Word {
    tenant: TenantId,
    subject: Subject,
    token: Option<Subject>,
}

/// What let a request in.
pub(crate) enum Right {
    /// A token, until it expires; microseconds since 1970.
    Token { until_us: i64 },
    /// The word of an outside issuer, until it expires; microseconds since 1970.
    Issuer { until_us: i64, word: Box<Word> },
    /// A session of a token, and its secret.
    Session { session: SessionRow, row: Box<TokenRow>, shown: Parsed },
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Caller, Failure> {
        let access = Access::from_request_parts(parts, app).await?;
        Ok(Caller(access.principal))
    }
}

impl Access {
    /// Whether what let the request in still would: what lasts is asked again and again.
    pub(crate) fn lasts(&self, view: &View) -> storage::Result<bool> {
        let now_us = judged_us(view)?;
        match &self.right {
            Right::Token { until_us } => {
                let row = view.token(&self.principal.token_id)?;
                Ok(now_us < *until_us && row.is_some_and(|row| row.revoked_us.is_none()))
            }
            Right::Issuer { until_us, word } => Ok(now_us < *until_us && !word.is_denied(view)?),
            Right::Session { shown, .. } => Ok(live_session(view, shown)?.is_some()),
        }
    }

    /// What a new session lets in.
    pub(crate) fn of_session(app: &Shared, secret: &str) -> Result<Access, Failure> {
        by_session(app, secret, &Place::default())
    }
}

impl FromRequestParts<Shared> for Access {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Access, Failure> {
        let place = Place::asked_for(parts)?;
        let mut access = match Shown::by(parts, app.sessions.cookie())? {
            Shown::Token(text) => match &app.issuer {
                Some(issuer) if Issuer::could_be(text) => outside::by_issuer(app, issuer, text, &place).await,
                _ => by_token(app, text, &place),
            },
            Shown::Session(text) => by_session(app, text, &place),
        }?;
        access.principal.request = requests::id().map(Into::into);
        let actor = access.principal.actor;
        requests::is_of(actor);
        app.limits.admit(actor).inspect_err(|_| app.metrics.request_refused("rate"))?;
        Ok(access)
    }
}

fn by_token(app: &Shared, text: &str, place: &Place) -> Result<Access, Failure> {
    let view = app.store.view()?;
    let Holder { row, spec, shown } = holder(&view, text)?;
    app.sessions.note(&app.commit, &row, &shown, false);
    let principal = place.principal(&view, whose(&row), &spec)?;
    Ok(Access { principal, right: Right::Token { until_us: spec.expires_at_us } })
}

/// The holder of a token.
pub(super) struct Holder {
    pub(super) row: TokenRow,
    spec: TokenSpec,
    pub(super) shown: Parsed,
}

/// Who holds a token, if it is genuine, not expired and not revoked.
pub(super) fn holder(view: &View, text: &str) -> Result<Holder, Failure> {
    let shown = parse(text).map_err(|problem| unauthorized(&problem.to_string()))?;
    let row = view.token(&shown.id)?.ok_or_else(unknown)?;
    let spec = TokenSpec::decode(&row.spec)?;
    verify(&shown, &spec, judged_us(view)?).map_err(|problem| unauthorized(&problem.to_string()))?;
    if row.revoked_us.is_some() {
        return Err(unauthorized("revoked token; ask for a new one"));
    }
    Ok(Holder { row, spec, shown })
}

/// A session is good as long as it is in the row of its token, and the token is good.
fn by_session(app: &Shared, text: &str, place: &Place) -> Result<Access, Failure> {
    let over = || unauthorized("you are signed out; sign in again");
    let view = app.store.view()?;
    let shown = parse_as(Use::Session, text).map_err(|_| over())?;
    let (row, spec, session) = live_session(&view, &shown)?.ok_or_else(over)?;
    app.sessions.note(&app.commit, &row, &shown, true);
    let principal = place.principal(&view, whose(&row), &spec)?;
    Ok(Access { principal, right: Right::Session { session, row: Box::new(row), shown } })
}

fn live_session(view: &View, shown: &Parsed) -> storage::Result<Option<(TokenRow, TokenSpec, SessionRow)>> {
    let Some(row) = view.token(&shown.id)? else { return Ok(None) };
    let (spec, now_us) = (TokenSpec::decode(&row.spec)?, judged_us(view)?);
    let session = row.sessions.iter().find(|one| shown.is_of(&one.secret_sha256)).cloned();
    let is_over = now_us >= spec.expires_at_us || row.revoked_us.is_some();
    Ok(session.filter(|session| session.is_live(now_us) && !is_over).map(|session| (row, spec, session)))
}

/// By which time rights end.
fn judged_us(view: &View) -> storage::Result<i64> {
    Ok(storage::commands::judged_us(node::now_us(), view.node()?.clock_us))
}

/// The tenant and the purpose that a request names.
#[derive(Default)]
struct Place {
    tenant: Option<String>,
    purpose: Option<Purpose>,
}

impl Place {
    fn asked_for(parts: &Parts) -> Result<Place, Failure> {
        let tenant = shown::only(&parts.headers, "x-ig-tenant")?.map(str::to_owned);
        let purpose = shown::only(&parts.headers, "x-ig-purpose")?;
        let purpose = purpose.map(|text| Ok::<_, Failure>(text.parse::<Purpose>()?)).transpose()?;
        Ok(Place { tenant, purpose })
    }

    fn principal(
        &self,
        view: &View,
        (own, actor): (TenantId, ActorId),
        spec: &TokenSpec,
    ) -> Result<Principal, Failure> {
        let (tenant, name) = self.tenant(view, own, spec.role)?;
        Principal::of_token(spec, actor, (tenant, &name), self.purpose)
            .map_err(|refused| Failure::new(StatusCode::FORBIDDEN, "purpose_refused", refused.to_string()))
    }

    /// The principal's own tenant. An owner of the node may name another; to everybody else there is no other.
    fn tenant(&self, view: &View, own: TenantId, role: Role) -> Result<(TenantId, String), Failure> {
        let own_name = view.head(own)?.name;
        match &self.tenant {
            Some(wanted) if *wanted != own_name => {
                let found = if role == Role::Owner { view.tenant(wanted)? } else { None };
                let tenant = found.ok_or_else(|| Failure::not_found("tenant", wanted))?;
                Ok((tenant, wanted.clone()))
            }
            _ => Ok((own, own_name)),
        }
    }
}

fn whose(row: &TokenRow) -> (TenantId, ActorId) {
    (TenantId(row.tenant), ActorId(row.actor))
}

fn unknown() -> Failure {
    unauthorized("unknown token; ask for a new one")
}

pub(super) fn unauthorized(message: &str) -> Failure {
    Failure::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
}
