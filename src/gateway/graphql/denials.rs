//! Whom the tenant lets in no more, though an outside issuer vouches for them.

use async_graphql::{Context, Object, Result, SimpleObject};
use storage::View;
use storage::ids::TenantId;
use storage::rows::{DeniedRow, SubjectRow};

use super::connection::{connection, page};
use super::declared::{auth, public};
use super::{DateTime, read};

/// Denials on a page unless asked otherwise, and at most.
const LIMIT: usize = 1000;
const LIMIT_MAX: usize = 1000;

#[derive(Default)]
pub(super) struct DenialsQuery;

/// A subject of the outside issuer that is denied, or one of its tokens.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct TokenDenial {
    issuer: String,
    /// The claim `sub`; null if one token is denied.
    subject: Option<String>,
    /// The claim `jti`; null if a subject is denied.
    jti: Option<String>,
    denied_at: DateTime,
}

connection! {
    /// Denials: subjects, then tokens, each by name.
    TokenDenialConnection of TokenDenialEdge of TokenDenial
}

#[Object]
impl DenialsQuery {
    /// Whom `tokenDeny` shut out, and `tokenAllow` has not let in again.
    #[graphql(directive = auth::apply("token.manage".to_owned(), None))]
    async fn token_denials(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<TokenDenialConnection> {
        read(context, move |_, principal, view| {
            let first = super::first(first, LIMIT, LIMIT_MAX)?;
            let denials = denials(view, principal.tenant)?;
            let page = page(denials, first, after.as_deref(), TokenDenial::key)?;
            let edge = |(node, cursor)| TokenDenialEdge { node, cursor };
            Ok(TokenDenialConnection {
                edges: page.nodes.into_iter().map(edge).collect(),
                page_info: page.info,
            })
        })
        .await
    }
}

fn denials(view: &View, tenant: TenantId) -> storage::Result<Vec<TokenDenial>> {
    let subjects = view.subjects(tenant)?.into_iter().filter_map(TokenDenial::of_subject);
    let tokens = view.denied_tokens(tenant)?.into_iter().map(TokenDenial::of_token);
    let mut denials: Vec<_> = subjects.chain(tokens).collect();
    denials.sort_by_key(TokenDenial::key);
    Ok(denials)
}

impl TokenDenial {
    fn of_subject(row: SubjectRow) -> Option<TokenDenial> {
        let denied_at = DateTime(row.denied_us?);
        Some(TokenDenial {
            issuer: row.subject.issuer,
            subject: Some(row.subject.name),
            jti: None,
            denied_at,
        })
    }

    fn of_token(row: DeniedRow) -> TokenDenial {
        let denied_at = DateTime(row.denied_us);
        TokenDenial { issuer: row.token.issuer, subject: None, jti: Some(row.token.name), denied_at }
    }

    /// Orders them, and tells them apart.
    fn key(&self) -> String {
        let (kind, name) = match (&self.subject, &self.jti) {
            (Some(subject), _) => ("denial/subject", subject),
            (None, jti) => ("denial/token", jti.as_ref().unwrap_or(&self.issuer)),
        };
        format!("{kind}/{name}/{}", self.issuer)
    }
}
