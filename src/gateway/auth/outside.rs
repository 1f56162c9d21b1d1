//! Those who come by the word of an outside issuer.

use axum::http::StatusCode;
use storage::View;
use storage::commands::{Command, MeetSubject};
use storage::ids::{ActorId, TenantId};
use storage::model::{Subject, TokenSpec};
use storage::rows::SubjectRow;

use super::{Access, Place, Right, Word, unauthorized};
use crate::app::{App, Shared};
use crate::gateway::errors::Failure;
use crate::oidc::{self, Issuer, NotAdmitted, Outsider};

pub(super) async fn by_issuer(
    app: &Shared,
    issuer: &Issuer,
    text: &str,
    place: &Place,
) -> Result<Access, Failure> {
    let outsider = issuer.admit(text, app.clock.judged_us()).await.map_err(not_admitted)?;
    let tenant = tenant(&app.store.view()?, &outsider)?;
    let named = |name: &str| Subject { issuer: issuer.name().to_owned(), name: name.to_owned() };
    let subject = named(&outsider.subject);
    meet(app, tenant, &subject).await?;
    let view = app.store.view()?;
    let row = view.subject(tenant, &subject)?.ok_or_else(|| unauthorized("unknown subject; try again"))?;
    let word = Word { tenant, token: outsider.token.as_deref().map(named), subject };
    if word.is_denied(&view)? {
        return Err(unauthorized("denied here; ask an admin of the tenant"));
    }
    let until_us = outsider.expires_s * 1_000_000;
    let spec = as_token(outsider, &row, until_us);
    let principal = place.principal(&view, (tenant, ActorId(row.actor)), &spec)?;
    Ok(Access { principal, right: Right::Issuer { until_us, word: Box::new(word) } })
}

impl Word {
    /// Whether the tenant denies the subject, or this token of his.
    pub(super) fn is_denied(&self, view: &View) -> storage::Result<bool> {
        let subject = view.subject(self.tenant, &self.subject)?;
        let is_token_denied =
            self.token.as_ref().map_or(Ok(false), |token| view.is_denied(self.tenant, token))?;
        Ok(is_token_denied || subject.is_none_or(|row| row.denied_us.is_some()))
    }
}

fn not_admitted(why: NotAdmitted) -> Failure {
    match why {
        NotAdmitted::Refused(_) => unauthorized(&why.to_string()),
        NotAdmitted::Unavailable => {
            Failure::new(StatusCode::SERVICE_UNAVAILABLE, "issuer_unavailable", why.to_string())
        }
    }
}

/// The tenant that the configuration sends them to. One that is not there is not made.
fn tenant(view: &View, outsider: &Outsider) -> Result<TenantId, Failure> {
    let found = outsider.rights.tenant.as_deref().map(|name| view.tenant(name)).transpose()?.flatten();
    found.ok_or_else(|| {
        let message = "the issuer's word leads to no tenant of this node; ask who runs it";
        Failure::new(StatusCode::FORBIDDEN, "no_tenant", message)
    })
}

/// Who it is: the same actor each time. The first time is recorded before anything is answered.
async fn meet(app: &App, tenant: TenantId, subject: &Subject) -> Result<(), Failure> {
    if app.store.view()?.subject(tenant, subject)?.is_none() {
        app.write_one(Command::MeetSubject(MeetSubject { tenant, subject: subject.clone() })).await?;
    }
    Ok(())
}

/// Their rights in the terms of the node's own tokens, with an id that no token has.
fn as_token(outsider: Outsider, row: &SubjectRow, expires_at_us: i64) -> TokenSpec {
    let Outsider { rights, .. } = outsider;
    TokenSpec {
        id: oidc::token_id(ActorId(row.actor)),
        secret_sha256: [0; 32],
        role: rights.role,
        clearance: rights.clearance,
        purposes: rights.purposes,
        scopes: rights.scopes,
        expires_at_us,
    }
}
