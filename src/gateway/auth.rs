//! From a bearer token to a principal. There are no anonymous reads.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use storage::View;
use storage::ids::{ActorId, TenantId};
use storage::model::{Purpose, Role, TokenSpec};
use storage::rows::TokenRow;

use super::errors::Failure;
use super::requests;
use crate::app::Shared;
use crate::node;
use crate::policy::{Principal, token};

/// Who makes the request; a handler that takes one is closed to everybody else.
pub(crate) struct Caller(pub(crate) Principal);

impl FromRequestParts<Shared> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Caller, Failure> {
        let view = app.store.view()?;
        let principal = principal(&view, &parts.headers)?;
        requests::is_of(principal.actor);
        app.limits.admit(principal.actor).inspect_err(|_| app.metrics.request_refused("rate"))?;
        Ok(Caller(principal))
    }
}

fn principal(view: &View, headers: &HeaderMap) -> Result<Principal, Failure> {
    let text =
        bearer(headers).ok_or_else(|| unauthorized("no token; send `Authorization: Bearer <token>`"))?;
    let parsed = token::parse(text).map_err(|problem| unauthorized(&problem.to_string()))?;
    let unknown = || unauthorized("unknown token; ask for a new one");
    let row = view.token(&parsed.id)?.ok_or_else(unknown)?;
    let spec = TokenSpec::decode(&row.spec)?;
    token::verify(&parsed, &spec, node::now_us()).map_err(|problem| unauthorized(&problem.to_string()))?;
    if row.revoked_us.is_some() {
        return Err(unauthorized("revoked token; ask for a new one"));
    }
    let (tenant, name) = tenant(view, headers, &row, spec.role)?;
    let purpose = purpose(headers)?;
    Principal::of_token(&spec, ActorId(row.actor), (tenant, &name), purpose)
        .map_err(|refused| Failure::new(StatusCode::FORBIDDEN, "purpose_refused", refused.to_string()))
}

/// The token's tenant. An owner of the node may name another; to everybody else there is no other.
fn tenant(
    view: &View,
    headers: &HeaderMap,
    row: &TokenRow,
    role: Role,
) -> Result<(TenantId, String), Failure> {
    let own = TenantId(row.tenant);
    let own_name = view.head(own)?.name;
    match text(headers, "x-ig-tenant")? {
        Some(wanted) if wanted != own_name => {
            let found = if role == Role::Owner { view.tenant(wanted)? } else { None };
            let tenant = found.ok_or_else(|| Failure::not_found("tenant", wanted))?;
            Ok((tenant, wanted.to_owned()))
        }
        _ => Ok((own, own_name)),
    }
}

fn purpose(headers: &HeaderMap) -> Result<Option<Purpose>, Failure> {
    text(headers, "x-ig-purpose")?.map(|text| Ok(text.parse::<Purpose>()?)).transpose()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Failure> {
    let value = headers.get(name).map(|value| value.to_str());
    value.transpose().map_err(|_| Failure::bad_request(format!("header `{name}` is not text")))
}

fn unauthorized(message: &str) -> Failure {
    Failure::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
}
