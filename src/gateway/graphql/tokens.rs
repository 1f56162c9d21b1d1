//! Tokens: made, listed, revoked. The secret is shown once, in the answer that makes it.

use std::collections::HashMap;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use storage::commands::{Applied, Command, Effect, RevokeToken};
use storage::model::{Classification, Purpose, Purposes, Role, TokenSpec};
use storage::rows::TokenRow;

use super::connection::{connection, page};
use super::declared::{auth, public};
use super::idempotency::writer;
use super::{Changed, DateTime, read};
use crate::gateway::errors::Failure;
use crate::node;
use crate::policy::Principal;
use crate::sessions;
use crate::tokens::{self, Wanted};

/// Tokens on a page unless asked otherwise, and at most.
const LIMIT: usize = 1000;
const LIMIT_MAX: usize = 1000;

#[derive(Default)]
pub(super) struct TokensQuery;

#[derive(Default)]
pub(super) struct TokensMutation;

/// A new token.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
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

/// A link that signs a browser in.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct NewLink {
    /// Where to go; whoever goes there first is signed in.
    url: String,
    expires_at: DateTime,
}

/// A token without its secret.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Token {
    id: ID,
    tenant: String,
    roles: Vec<String>,
    clearance: String,
    purpose: Vec<String>,
    scopes: Vec<String>,
    /// The token by which it was made; `node` for the node itself and for the owners of other tenants.
    made_by: String,
    created_at: DateTime,
    expires_at: DateTime,
    /// When it was last used, to ten minutes.
    used_at: Option<DateTime>,
    /// Sessions of browsers that are open.
    sessions: i32,
    revoked_at: Option<DateTime>,
}

connection! {
    /// Tokens, by their ids.
    TokenConnection of TokenEdge of Token
}

#[Object]
impl TokensQuery {
    /// The tokens of the tenant.
    #[graphql(directive = auth::apply("token.manage".to_owned(), None))]
    async fn tokens(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<TokenConnection> {
        read(context, move |_, principal, view| {
            let first = super::first(first, LIMIT, LIMIT_MAX)?;
            let mut tokens = view.tokens()?;
            tokens.retain(|(_, row)| row.tenant == principal.tenant.0);
            let makers = tokens.iter().map(|(id, row)| (row.actor, id.clone())).collect();
            let page = page(tokens, first, after.as_deref(), |(id, _)| format!("token/{id}"))?;
            let edge = |((_, row), cursor): ((String, TokenRow), String)| {
                Ok(TokenEdge { node: token(&principal.tenant_name, &row, &makers)?, cursor })
            };
            let edges = page.nodes.into_iter().map(edge).collect::<Result<_, Failure>>()?;
            Ok(TokenConnection { edges, page_info: page.info })
        })
        .await
    }
}

#[Object]
impl TokensMutation {
    /// Makes a token. An owner of the node makes a tenant by making its first token.
    #[graphql(directive = auth::apply("token.manage".to_owned(), None))]
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
        let principal = context.data::<Principal>()?;
        let wanted = wanted(principal, role, clearance, purposes, scopes, expires_at)?;
        let tenant = tenant.unwrap_or_else(|| principal.tenant_name.clone());
        let made = tokens::create(&writer(context)?, principal, &tenant, wanted).await?;
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

    /// Makes a link that signs a browser in as the holder of the caller's token, once. With an `Idempotency-Key` the same
    /// link comes again, used or not.
    #[graphql(directive = public::apply())]
    async fn token_link(&self, context: &Context<'_>) -> Result<NewLink> {
        let link = sessions::link(&writer(context)?, context.data::<Principal>()?).await?;
        Ok(NewLink { url: link.url, expires_at: DateTime(link.expires_us) })
    }

    /// Denies a subject of the outside issuer, or one of its tokens, from now on.
    #[graphql(directive = auth::apply("token.manage".to_owned(), None))]
    async fn token_deny(
        &self,
        context: &Context<'_>,
        subject: Option<String>,
        jti: Option<String>,
    ) -> Result<Changed> {
        let principal = context.data::<Principal>()?;
        Ok(changed(tokens::deny(&writer(context)?, principal, subject, jti).await?))
    }

    /// Lets a subject of the outside issuer in again.
    #[graphql(directive = auth::apply("token.manage".to_owned(), None))]
    async fn token_allow(&self, context: &Context<'_>, subject: String) -> Result<Changed> {
        let principal = context.data::<Principal>()?;
        Ok(changed(tokens::allow(&writer(context)?, principal, subject).await?))
    }

    /// Revokes a token: nobody comes in with it from now on.
    #[graphql(directive = auth::apply("token.manage".to_owned(), None))]
    async fn token_revoke(&self, context: &Context<'_>, id: ID) -> Result<Changed> {
        let principal = context.data::<Principal>()?;
        let revoke = RevokeToken { tenant: principal.tenant, actor: principal.actor, id: id.into() };
        Ok(changed(writer(context)?.write("revoke", Command::RevokeToken(revoke)).await?))
    }
}

fn changed(applied: Applied) -> Changed {
    Changed { lsn: applied.lsn.0, changed: applied.effect != Effect::Unchanged }
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

fn token(tenant: &str, row: &TokenRow, makers: &HashMap<u64, String>) -> Result<Token, Failure> {
    let spec = TokenSpec::decode(&row.spec)?;
    let now_us = node::now_us();
    Ok(Token {
        id: spec.id.into(),
        tenant: tenant.to_owned(),
        roles: vec![spec.role.to_string()],
        clearance: spec.clearance.to_string(),
        purpose: names(spec.purposes),
        scopes: spec.scopes,
        made_by: makers.get(&row.made_by).map_or("node", String::as_str).to_owned(),
        created_at: DateTime(row.created_us),
        expires_at: DateTime(spec.expires_at_us),
        used_at: row.used_us.map(DateTime),
        sessions: row.sessions.iter().filter(|session| session.is_live(now_us)).count() as i32,
        revoked_at: row.revoked_us.map(DateTime),
    })
}

fn names(purposes: Purposes) -> Vec<String> {
    purposes.iter().map(|purpose| purpose.to_string()).collect()
}
