//! Erasing what is said of a thing or by a source, and keeping something from it.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use axum::http::StatusCode;
use storage::View;
use storage::commands::{Command, Effect, LiftRedaction, Lifted, Redact, RemoveHold, SetHold};
use storage::ids::Lsn;
use storage::model::{LabelKind, Selection};
use storage::rows::{HoldRow, RedactionRow};

use super::connection::{connection, page};
use super::declared::{auth, public};
use super::idempotency::writer;
use super::{Changed, DateTime, read};
use crate::app::{App, Shared};
use crate::erasure::{self, Purged};
use crate::gateway::errors::Failure;
use crate::policy::{Action, Principal};

/// Holds on a page unless asked otherwise, and at most.
const LIMIT: usize = 1000;
const LIMIT_MAX: usize = 1000;

#[derive(Default)]
pub(super) struct ErasureQuery;

#[derive(Default)]
pub(super) struct ErasureMutation;

/// A redaction. It names nothing of what it is of.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Redaction {
    /// The record with which it began: what it is asked for by.
    lsn: u64,
    /// Records that have lost their bodies.
    records: u64,
    /// Bytes that are gone.
    bytes: u64,
    /// Whether all of it is gone, from the indexes as well.
    done: bool,
    /// Whether what was redacted may be brought in again.
    lifted: bool,
}

/// What a purge took, or would take.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Purge {
    /// Records that lose their bodies.
    records: u64,
    /// Bytes of what was over.
    bytes: u64,
    /// The record that says so; the last record, if nothing was taken.
    lsn: u64,
    /// What was over, by how long it was kept and who said it; only sources of which the caller may see everything.
    tiers: Vec<PurgedTier>,
}

/// What was over of one tier and source.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct PurgedTier {
    /// Such as `short-30d`.
    tier: String,
    source: String,
    records: u64,
    bytes: u64,
}

/// A hold: what it is on is not erased.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Hold {
    /// What it is removed by.
    id: ID,
    /// `entity`, `source` or `tenant`.
    kind: &'static str,
    /// The id of the entity or the name of the source.
    name: Option<String>,
    reason: String,
    /// The token by which it was set; `node` if it is gone.
    set_by: String,
    set_at: DateTime,
}

connection! {
    /// Holds, oldest first.
    HoldConnection of HoldEdge of Hold
}

#[Object]
impl ErasureQuery {
    /// How far a redaction is.
    #[graphql(directive = auth::apply("entity.redact".to_owned(), None))]
    async fn redaction(&self, context: &Context<'_>, lsn: u64) -> Result<Option<Redaction>> {
        read(context, move |_, principal, view| {
            Ok(view.redaction(principal.tenant, Lsn(lsn))?.map(|row| Redaction::of(lsn, &row)))
        })
        .await
    }

    /// The holds that stand, of those that are on what the caller may see.
    #[graphql(directive = auth::apply("hold.manage".to_owned(), None))]
    async fn holds(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<HoldConnection> {
        read(context, move |app, principal, view| {
            let first = super::first(first, LIMIT, LIMIT_MAX)?;
            let mut holds = Vec::new();
            for (lsn, row) in view.holds(principal.tenant)? {
                if sees(app, principal, view, &row.hold.selection()?)? {
                    holds.push(Hold::of(view, lsn, row)?);
                }
            }
            let page = page(holds, first, after.as_deref(), |hold| format!("hold/{}", *hold.id))?;
            let edges = page.nodes.into_iter().map(|(node, cursor)| HoldEdge { node, cursor });
            Ok(HoldConnection { edges: edges.collect(), page_info: page.info })
        })
        .await
    }
}

#[Object]
impl ErasureMutation {
    /// Erases for ever what is said of an entity, with all that joins it to others, or all that a source said. It is hidden
    /// when this is answered; `redaction` tells when the bytes are gone. It is refused when it comes again.
    #[graphql(directive = auth::apply("entity.redact".to_owned(), None))]
    async fn redact(
        &self,
        context: &Context<'_>,
        entity: Option<ID>,
        source: Option<String>,
        reason: String,
    ) -> Result<Redaction> {
        let selection = seen(context, selection(entity, source, None)?).await?;
        let Principal { tenant, actor, .. } = *context.data::<Principal>()?;
        let command = Command::Redact(Redact { tenant, actor, selection, reason });
        let begun = writer(context)?.write("redact", command).await?.lsn;
        read(context, move |_, principal, view| {
            let row = view.redaction(principal.tenant, begun)?;
            let row = row.ok_or_else(|| Failure::not_found("redaction", &begun.to_string()))?;
            Ok(Redaction::of(begun.0, &row))
        })
        .await
    }

    /// Lets what was redacted be brought in again; what was erased stays so.
    #[graphql(directive = auth::apply("entity.redact".to_owned(), None))]
    async fn redaction_lift(
        &self,
        context: &Context<'_>,
        entity: Option<ID>,
        source: Option<String>,
    ) -> Result<Changed> {
        let of = Lifted::Last(selection(entity, source, None)?);
        let Principal { tenant, actor, .. } = *context.data::<Principal>()?;
        let command = Command::LiftRedaction(LiftRedaction { tenant, actor, of });
        let applied = writer(context)?.write("lift", command).await?;
        Ok(Changed { lsn: applied.lsn.0, changed: true })
    }

    /// Removes what is over: what was last said longer ago than its tier keeps it, unless a hold is on it. The node does so by
    /// itself each day. `dryRun` removes nothing. It is refused while the clock shows another day than it should;
    /// `acceptClock` vouches for what it shows.
    #[graphql(directive = auth::apply("entity.redact".to_owned(), None))]
    async fn purge(
        &self,
        context: &Context<'_>,
        dry_run: Option<bool>,
        accept_clock: Option<bool>,
    ) -> Result<Purge> {
        let (dry_run, vouches) = (dry_run.unwrap_or_default(), accept_clock.unwrap_or_default());
        let app = context.data::<Shared>()?.clone();
        let Principal { tenant, actor, .. } = *context.data::<Principal>()?;
        // On a thread that waits for nobody's reading: it takes as long as there is to be taken.
        let purging = move || match dry_run {
            true => Ok(erasure::due(&app, &app.store.view()?, tenant)?.0),
            false => erasure::purge_now(&app, tenant, actor, vouches),
        };
        let purged: Result<_, storage::Error> = tokio::task::spawn_blocking(purging).await?;
        let purged = purged.map_err(Failure::from)?;
        read(context, move |app, principal, view| Purge::of(app, principal, view, purged)).await
    }

    /// Keeps an entity, what a source says, or the whole tenant from being erased, by whomever and by age.
    #[graphql(directive = auth::apply("hold.manage".to_owned(), None))]
    async fn hold_add(
        &self,
        context: &Context<'_>,
        entity: Option<ID>,
        source: Option<String>,
        whole_tenant: Option<bool>,
        reason: String,
    ) -> Result<Hold> {
        let selection = seen(context, selection(entity, source, whole_tenant)?).await?;
        let Principal { tenant, actor, .. } = *context.data::<Principal>()?;
        let command = Command::SetHold(SetHold { tenant, actor, selection, reason });
        let lsn = writer(context)?.write("hold", command).await?.lsn;
        read(context, move |_, principal, view| {
            let holds = view.holds(principal.tenant)?.into_iter();
            let row = holds.into_iter().find(|(set, _)| *set == lsn);
            let (lsn, row) = row.ok_or_else(|| Failure::not_found("hold", &lsn.to_string()))?;
            Hold::of(view, lsn, row)
        })
        .await
    }

    /// Removes a hold.
    #[graphql(directive = auth::apply("hold.manage".to_owned(), None))]
    async fn hold_remove(&self, context: &Context<'_>, id: ID) -> Result<Changed> {
        let Ok(hold) = id.parse().map(Lsn) else { return Err(Failure::not_found("hold", &id).into()) };
        let about = hold;
        read(context, move |app, principal, view| {
            let holds = view.holds(principal.tenant)?.into_iter();
            for (_, row) in holds.filter(|(lsn, _)| *lsn == about) {
                if !sees(app, principal, view, &row.hold.selection()?)? {
                    return Err(Failure::not_found("hold", &about.to_string()));
                }
            }
            Ok(())
        })
        .await?;
        let Principal { tenant, actor, .. } = *context.data::<Principal>()?;
        let command = Command::RemoveHold(RemoveHold { tenant, actor, hold });
        let applied = writer(context)?.write("remove", command).await?;
        Ok(Changed { lsn: applied.lsn.0, changed: applied.effect != Effect::Unchanged })
    }
}

/// What is meant: one thing, one source or all.
fn selection(entity: Option<ID>, source: Option<String>, tenant: Option<bool>) -> Result<Selection, Failure> {
    match (entity, source, tenant.unwrap_or_default()) {
        (Some(id), None, false) => Ok(Selection::Thing(id.into())),
        (None, Some(name), false) => Ok(Selection::Source(name)),
        (None, None, true) => Ok(Selection::Tenant),
        _ => Err(Failure::new(StatusCode::BAD_REQUEST, "invalid", "name one: an entity or a source")),
    }
}

/// The selection, if the caller may see all of it; what may not be seen is as absent as what is not there.
async fn seen(context: &Context<'_>, selection: Selection) -> Result<Selection> {
    let about = selection.clone();
    read(context, move |app, principal, view| {
        if sees(app, principal, view, &about)? {
            return Ok(());
        }
        Err(match &about {
            Selection::Source(name) => Failure::not_found("source", name),
            Selection::Thing(id) => Failure::not_found("entity", id),
            Selection::Tenant => Failure::not_found("tenant", &principal.tenant_name),
        })
    })
    .await?;
    Ok(selection)
}

fn sees(app: &App, principal: &Principal, view: &View, selection: &Selection) -> Result<bool, Failure> {
    match selection {
        Selection::Thing(id) => Ok(app.reader(view, principal)?.covers(id)?),
        Selection::Source(name) => sees_source(app, principal, view, name),
        Selection::Tenant => Ok(true),
    }
}

/// Whether the caller may see whatever a source has said.
fn sees_source(app: &App, principal: &Principal, view: &View, name: &str) -> Result<bool, Failure> {
    if view.source(principal.tenant, name)?.is_none() {
        return Ok(false);
    }
    let entities = app.allowed(view, principal, Action::EntityRead)?;
    let relations = app.allowed(view, principal, Action::RelationRead)?;
    let labels = app.labels(view, principal.tenant)?;
    let mut said = labels.iter().filter(|(_, label)| label.source == name);
    Ok(said.all(|(id, label)| match label.kind {
        LabelKind::Relation => relations.contains(*id),
        _ => entities.contains(*id),
    }))
}

impl Purge {
    fn of(app: &App, principal: &Principal, view: &View, purged: Purged) -> Result<Purge, Failure> {
        let mut tiers = Vec::new();
        for ((tier, source), (records, bytes)) in purged.by {
            if sees_source(app, principal, view, &source)? {
                tiers.push(PurgedTier { tier: tier.to_owned(), source, records, bytes });
            }
        }
        Ok(Purge { records: purged.records, bytes: purged.bytes, lsn: purged.lsn.0, tiers })
    }
}

impl Redaction {
    fn of(lsn: u64, row: &RedactionRow) -> Redaction {
        let (records, bytes, done) = (row.records, row.bytes, row.ended().is_some());
        Redaction { lsn, records, bytes, done, lifted: row.is_lifted() }
    }
}

impl Hold {
    fn of(view: &View, lsn: Lsn, row: HoldRow) -> Result<Hold, Failure> {
        let (kind, name) = match row.hold.selection()? {
            Selection::Thing(id) => ("entity", Some(id)),
            Selection::Source(name) => ("source", Some(name)),
            Selection::Tenant => ("tenant", None),
        };
        let setter = view.tokens()?.into_iter().find(|(_, token)| token.actor == row.actor);
        Ok(Hold {
            id: lsn.to_string().into(),
            kind,
            name,
            reason: row.hold.reason,
            set_by: setter.map_or_else(|| "node".to_owned(), |(id, _)| id),
            set_at: DateTime(row.since_us),
        })
    }
}
