//! Flags: what is turned on or set for a tenant, for whom it is on, and what is stopped for the whole node.

use async_graphql::{Context, Object, Result, SimpleObject};
use storage::View;
use storage::commands::{Applied, Command, Effect, SetFlag, StopFlag};
use storage::ids::TenantId;
use storage::model::Flag;

use super::declared::{auth, public};
use super::idempotency::writer;
use super::{Changed, DateTime, read};
use crate::gateway::errors::Failure;
use crate::policy::Principal;
use crate::search::fuse::KEYWORD_WEIGHT;

#[derive(Default)]
pub(super) struct FlagsQuery;

#[derive(Default)]
pub(super) struct FlagsMutation;

/// A flag, as it is for the tenant.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct TenantFlag {
    name: &'static str,
    /// What it was set to; null if nobody has set it.
    value: Option<String>,
    /// What it is if nobody has.
    default: String,
    /// Whether what it turns on is stopped for the whole node.
    stopped: bool,
    /// What holds.
    in_force: String,
    /// The token by which it was set; `node` if it is gone.
    set_by: Option<String>,
    set_at: Option<DateTime>,
}

#[Object]
impl FlagsQuery {
    /// The flags of the tenant.
    #[graphql(directive = auth::apply("flag.manage".to_owned(), None))]
    async fn flags(&self, context: &Context<'_>) -> Result<Vec<TenantFlag>> {
        read(context, |_, principal, view| {
            Flag::ALL.iter().map(|flag| TenantFlag::of(view, principal.tenant, *flag)).collect()
        })
        .await
    }

    /// The tenants for which a flag is on.
    #[graphql(directive = auth::apply("node.manage".to_owned(), None))]
    async fn flag_pilots(&self, context: &Context<'_>, name: String) -> Result<Vec<String>> {
        read(context, move |_, _, view| {
            let flag: Flag = name.parse()?;
            let mut pilots = Vec::new();
            for (tenant, head) in view.tenants()? {
                if view.flag(tenant, flag)?.is_some_and(|row| row.value == "on") {
                    pilots.push(head.name);
                }
            }
            Ok(pilots)
        })
        .await
    }
}

#[Object]
impl FlagsMutation {
    /// Sets a flag for the tenant; without a value it is again what it is if nobody sets it.
    #[graphql(directive = auth::apply("flag.manage".to_owned(), None))]
    async fn flag_set(&self, context: &Context<'_>, name: String, value: Option<String>) -> Result<Changed> {
        let flag = name.parse::<Flag>().map_err(Failure::from)?;
        let Principal { tenant, actor, .. } = *context.data::<Principal>()?;
        let set = Command::SetFlag(SetFlag { tenant, actor, flag, value });
        Ok(changed(writer(context)?.write("flag", set).await?))
    }

    /// Stops what a flag turns on, at once and for every tenant of the node, whatever is set for it; or lets it go on.
    #[graphql(directive = auth::apply("node.manage".to_owned(), None))]
    async fn flag_stop(&self, context: &Context<'_>, name: String, resume: Option<bool>) -> Result<Changed> {
        let flag = name.parse::<Flag>().map_err(Failure::from)?;
        let actor = context.data::<Principal>()?.actor;
        let stop = Command::StopFlag(StopFlag { actor, flag, stopped: !resume.unwrap_or_default() });
        Ok(changed(writer(context)?.write("stop", stop).await?))
    }
}

fn changed(applied: Applied) -> Changed {
    Changed { lsn: applied.lsn.0, changed: applied.effect != Effect::Unchanged }
}

impl TenantFlag {
    fn of(view: &View, tenant: TenantId, flag: Flag) -> Result<TenantFlag, Failure> {
        let (row, stopped) = (view.flag(tenant, flag)?, view.is_stopped(flag)?);
        let default = default(flag);
        let value = row.as_ref().map(|row| row.value.clone());
        let set = if stopped { None } else { value.clone() };
        let setter = match &row {
            Some(row) => view.tokens()?.into_iter().find(|(_, token)| token.actor == row.actor),
            None => None,
        };
        Ok(TenantFlag {
            name: flag.as_str(),
            in_force: set.unwrap_or_else(|| default.clone()),
            value,
            default,
            stopped,
            set_by: row.as_ref().map(|_| setter.map_or_else(|| "node".to_owned(), |(id, _)| id)),
            set_at: row.map(|row| DateTime(row.set_us)),
        })
    }
}

/// What a flag is if nobody sets it; also while it is stopped.
fn default(flag: Flag) -> String {
    match flag {
        Flag::VectorPreview => "off".to_owned(),
        Flag::KeywordWeight => KEYWORD_WEIGHT.to_string(),
    }
}
