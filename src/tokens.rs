//! Making tokens, for the API and for a node's first start.

use anyhow::{Context, Result};
use storage::commands::{Applied, Command, CreateTenant, CreateToken, DenySubject, DenyToken, Effect};
use storage::ids::{ActorId, TenantId};
use storage::model::{Classification, Purposes, Role, Subject, TokenSpec};

use crate::app::App;
use crate::gateway::Failure;
use crate::idempotency::Writer;
use crate::node;
use crate::oidc::NAME_BYTES_MAX;
use crate::policy::{Principal, TOKEN_RANDOM_BYTES, Token, may_grant};

/// A token lives so long unless asked otherwise: 30 days.
const LIFETIME_US: i64 = 30 * 24 * 3_600_000_000;
/// The tenant of a new node.
pub(crate) const FIRST_TENANT: &str = "default";

/// What a new token shall allow.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What the holder is.
    pub role: Role,
    /// The most the holder may see.
    pub clearance: Classification,
    /// What the holder may use data for.
    pub purposes: Purposes,
    /// Rights beyond the role.
    pub scopes: Vec<String>,
    /// When it ends; `None`: in 30 days.
    pub expires_at_us: Option<i64>,
}

/// A token that was made.
pub struct Made {
    /// Shown once.
    pub token: Token,
    /// What is stored.
    pub spec: TokenSpec,
}

/// Makes a token for a tenant. An owner of the node who names a new tenant makes it.
pub(crate) async fn create(
    writer: &Writer<'_>,
    principal: &Principal,
    tenant: &str,
    wanted: Wanted,
) -> Result<Made, Failure> {
    let (app, now_us) = (writer.app, writer.app.clock.judged_us());
    let expires_at_us = Some(wanted.expires_at_us.unwrap_or(now_us + LIFETIME_US));
    let mut made = mint(writer.random(), Wanted { expires_at_us, ..wanted });
    may_grant(principal, &made.spec, now_us).map_err(|refused| {
        Failure::new(axum::http::StatusCode::FORBIDDEN, "grant_refused", refused.to_string())
    })?;
    let tenant = if tenant == principal.tenant_name {
        principal.tenant
    } else if principal.role == Role::Owner {
        tenant_or_new(writer, tenant, principal.actor).await?
    } else {
        return Err(Failure::not_found("tenant", tenant));
    };
    let create = CreateToken { tenant, actor: principal.actor, spec: made.spec.clone() };
    writer.write("token", Command::CreateToken(create)).await?;
    // Of a request that came again, what was stored the first time: it may end earlier.
    if let Some(row) = app.store.view()?.token(&made.spec.id)? {
        made.spec = TokenSpec::decode(&row.spec)?;
    }
    Ok(made)
}

async fn tenant_or_new(writer: &Writer<'_>, name: &str, actor: ActorId) -> Result<TenantId, Failure> {
    let app = writer.app;
    if let Some(tenant) = app.store.view()?.tenant(name)? {
        return Ok(tenant);
    }
    let applied = match writer
        .write("tenant", Command::CreateTenant(CreateTenant { name: name.to_owned(), actor }))
        .await
    {
        Ok(applied) => applied,
        // Somebody made it meanwhile.
        Err(refused) => return app.store.view()?.tenant(name)?.ok_or(refused),
    };
    match applied.effect {
        Effect::Tenant(tenant) => Ok(tenant),
        other => unreachable!("a tenant was made: {other:?}"),
    }
}

/// Denies a subject of the outside issuer, or one of its tokens, on the principal's tenant.
pub(crate) async fn deny(
    writer: &Writer<'_>,
    principal: &Principal,
    subject: Option<String>,
    jti: Option<String>,
) -> Result<Applied, Failure> {
    let (tenant, actor) = (principal.tenant, principal.actor);
    let command = match (subject, jti) {
        (Some(name), None) => Command::DenySubject(DenySubject {
            tenant,
            actor,
            subject: named(writer.app, name)?,
            denied: true,
        }),
        (None, Some(name)) => {
            Command::DenyToken(DenyToken { tenant, actor, token: named(writer.app, name)? })
        }
        _ => {
            return Err(Failure::bad_request("name a subject, or the id of a token (`jti`); one of the two"));
        }
    };
    writer.write("deny", command).await
}

/// Lets a subject of the outside issuer in again.
pub(crate) async fn allow(
    writer: &Writer<'_>,
    principal: &Principal,
    subject: String,
) -> Result<Applied, Failure> {
    let (tenant, actor) = (principal.tenant, principal.actor);
    let deny = DenySubject { tenant, actor, subject: named(writer.app, subject)?, denied: false };
    writer.write("allow", Command::DenySubject(deny)).await
}

fn named(app: &App, name: String) -> Result<Subject, Failure> {
    let none = "this node has no outside issuer; set `oidc` in its settings file";
    let issuer = app.issuer.as_ref().ok_or_else(|| Failure::bad_request(none))?;
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(Failure::bad_request(format!("a subject or `jti` has 1 to {NAME_BYTES_MAX} bytes")));
    }
    Ok(Subject { issuer: issuer.name().to_owned(), name })
}

/// Makes the first tenant and its owner's token, if the node has no token yet: a node that was killed between the
/// two has a tenant, and nobody who could come in.
///
/// # Errors
/// If the store cannot be written.
pub fn first_owner(app: &App) -> Result<Option<Made>> {
    let view = app.store.view()?;
    if !view.tokens()?.is_empty() {
        return Ok(None);
    }
    if view.tenant(FIRST_TENANT)?.is_none() {
        let create = CreateTenant { name: FIRST_TENANT.to_owned(), actor: ActorId::NODE };
        let answers = app.commit.submit_blocking(vec![Command::CreateTenant(create)])?;
        answers.into_iter().next().context("no answer")??;
    }
    owner(app, FIRST_TENANT).map(Some)
}

/// Makes an owner's token for a tenant: every purpose, every clearance.
///
/// # Errors
/// If there is no such tenant, or the store cannot be written.
pub fn owner(app: &App, tenant: &str) -> Result<Made> {
    let tenant = app.store.view()?.tenant(tenant)?.with_context(|| format!("no tenant `{tenant}`"))?;
    let made = mint_owner();
    let create = CreateToken { tenant, actor: ActorId::NODE, spec: made.spec.clone() };
    let answers = app.commit.submit_blocking(vec![Command::CreateToken(create)])?;
    answers.into_iter().next().context("no answer")??;
    Ok(made)
}

/// An owner's token, not stored yet.
pub(crate) fn mint_owner() -> Made {
    let wanted = Wanted {
        role: Role::Owner,
        clearance: Classification::Secret,
        purposes: Purposes::ALL,
        scopes: Vec::new(),
        expires_at_us: None,
    };
    mint(node::random(), wanted)
}

fn mint(random: [u8; TOKEN_RANDOM_BYTES], wanted: Wanted) -> Made {
    let minted = Token::mint(random);
    let spec = TokenSpec {
        id: minted.id,
        secret_sha256: minted.secret_sha256,
        role: wanted.role,
        clearance: wanted.clearance,
        purposes: wanted.purposes,
        scopes: wanted.scopes,
        expires_at_us: wanted.expires_at_us.unwrap_or_else(|| node::now_us() + LIFETIME_US),
    };
    Made { token: minted.token, spec }
}
