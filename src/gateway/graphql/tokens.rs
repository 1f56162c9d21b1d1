//! Tokens: made, listed, revoked. The secret is shown once, in the answer that makes it.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use storage::commands::{Command, Effect, RevokeToken};
use storage::model::{Classification, Purpose, Purposes, Role, TokenSpec};
use storage::rows::TokenRow;

use super::{Changed, DateTime, read};
use crate::app::Shared;
use crate::gateway::errors::Failure;
use crate::policy::{Action, Principal};
use crate::tokens::{self, Wanted};

#[derive(Default)]
pub(super) struct TokensQuery;

#[derive(Default)]
pub(super) struct TokensMutation;

/// A new token.
#[derive(SimpleObject)]
struct NewToken {
    id: ID,
    /// The token itself: keep it, it is not shown again.
    token: String,
    tenant: String,
    roles: Vec<String>,
    clearance: String,
    purpose: Vec<String>,
    expires_at: DateTime,
}

/// A token without its secret.
#[derive(SimpleObject)]
struct Token {
    id: ID,
    tenant: String,
    roles: Vec<String>,
    clearance: String,
    purpose: Vec<String>,
    scopes: Vec<String>,
    created_at: DateTime,
    expires_at: DateTime,
    revoked_at: Option<DateTime>,
}

#[Object]
impl TokensQuery {
    /// The tokens of the tenant.
    async fn tokens(&self, context: &Context<'_>) -> Result<Vec<Token>> {
        read(context, |app, principal, view| {
            app.check(principal, Action::TokenManage)?;
            let tokens = view.tokens()?.into_iter().filter(|(_, row)| row.tenant == principal.tenant.0);
            tokens.map(|(_, row)| token(&principal.tenant_name, &row)).collect()
        })
        .await
    }
}

#[Object]
impl TokensMutation {
    /// Makes a token. An owner of the node makes a tenant by making its first token.
    #[allow(clippy::too_many_arguments, reason = "the arguments are the contract's")]
    async fn token_create(
        &self,
        context: &Context<'_>,
        tenant: Option<String>,
        role: String,
        clearance: Option<String>,
        purposes: Option<Vec<String>>,
        scopes: Option<Vec<String>>,
        expires_at: Option<DateTime>,
    ) -> Result<NewToken> {
        let (app, principal) = (context.data::<Shared>()?, context.data::<Principal>()?);
        let wanted = wanted(principal, role, clearance, purposes, scopes, expires_at)?;
        let tenant = tenant.unwrap_or_else(|| principal.tenant_name.clone());
        let made = tokens::create(app, principal, &tenant, wanted).await?;
        Ok(NewToken {
            id: made.spec.id.clone().into(),
            token: made.token.reveal().to_owned(),
            tenant,
            roles: vec![made.spec.role.to_string()],
            clearance: made.spec.clearance.to_string(),
            purpose: names(made.spec.purposes),
            expires_at: DateTime(made.spec.expires_at_us),
        })
    }

    /// Revokes a token: nobody comes in with it from now on.
    async fn token_revoke(&self, context: &Context<'_>, id: ID) -> Result<Changed> {
        let (app, principal) = (context.data::<Shared>()?, context.data::<Principal>()?);
        app.check(principal, Action::TokenManage)?;
        let revoke = RevokeToken { tenant: principal.tenant, actor: principal.actor, id: id.into() };
        let applied = app.write_one(Command::RevokeToken(revoke)).await?;
        Ok(Changed { lsn: applied.lsn.0, changed: applied.effect != Effect::Unchanged })
    }
}

fn wanted(
    principal: &Principal,
    role: String,
    clearance: Option<String>,
    purposes: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
    expires_at: Option<DateTime>,
) -> Result<Wanted, Failure> {
    let purposes = match purposes {
        Some(names) => {
            names.iter().map(|name| Ok(name.parse::<Purpose>()?)).collect::<Result<Purposes, Failure>>()?
        }
        None => principal.purposes,
    };
    Ok(Wanted {
        role: role.parse::<Role>()?,
        clearance: clearance.map_or(Ok(Classification::Public), |text| text.parse())?,
        purposes,
        scopes: scopes.unwrap_or_default(),
        expires_at_us: expires_at.map(|time| time.0),
    })
}

fn token(tenant: &str, row: &TokenRow) -> Result<Token, Failure> {
    let spec = TokenSpec::decode(&row.spec)?;
    Ok(Token {
        id: spec.id.into(),
        tenant: tenant.to_owned(),
        roles: vec![spec.role.to_string()],
        clearance: spec.clearance.to_string(),
        purpose: names(spec.purposes),
        scopes: spec.scopes,
        created_at: DateTime(row.created_us),
        expires_at: DateTime(spec.expires_at_us),
        revoked_at: row.revoked_us.map(DateTime),
    })
}

fn names(purposes: Purposes) -> Vec<String> {
    purposes.iter().map(|purpose| purpose.to_string()).collect()
}
