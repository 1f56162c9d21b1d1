//! Entities: what is said of a thing, its history, deleting and restoring.

use async_graphql::{Context, ID, Json, Object, Result, SimpleObject};
use serde_json::Value;
use storage::commands::{Command, Delete, Effect, Restore};

use super::connection::{connection, page};
use super::declared::{auth, public};
use super::idempotency::writer;
use super::relations::RelationEnd;
use super::{Changed, DateTime, read};
use crate::gateway::errors::Failure;
use crate::policy::{Action, Principal};
use crate::read;

/// Changes on a page unless asked otherwise, and at most.
const HISTORY: usize = 1000;
const HISTORY_MAX: usize = 1000;

#[derive(Default)]
pub(super) struct EntityQuery;

#[derive(Default)]
pub(super) struct EntityMutation;

/// A thing: an entity, or a relation seen as a thing of its own.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Entity {
    id: ID,
    /// The type as given, such as `attack-pattern`.
    r#type: String,
    /// The best visible name, else the id.
    title: String,
    /// Where it leaves, if it is a relation.
    from: Option<RelationEnd>,
    /// Where it leads, if it is a relation.
    to: Option<RelationEnd>,
    /// Free tags.
    labels: Vec<String>,
    /// `active`, `revoked` or `deprecated`.
    status: String,
    /// What each source says, and on which terms; the one to be shown first comes first.
    statements: Vec<Statement>,
    /// Every visible claim; of several by one name the shown one comes first.
    attributes: Vec<Attribute>,
    /// Where the newest of them is recorded.
    #[graphql(directive = auth::apply("ledger.read".to_owned(), None))]
    receipt: Option<ReceiptPlace>,
}

/// Something that a source says of a thing.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Statement {
    source: String,
    /// `active`, `revoked` or `deprecated`.
    status: String,
    observed_at: DateTime,
    recorded_at: DateTime,
    lsn: u64,
    classification: String,
    licence: String,
    purposes: Vec<String>,
    retention: String,
    personal: bool,
}

/// What one source says about one property.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Attribute {
    name: String,
    value: Json<Value>,
    source: String,
    observed_at: DateTime,
    lsn: u64,
    /// Whether this value is shown where there is room for one.
    shown: bool,
}

/// A place in the tenant's ledger.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct ReceiptPlace {
    origin: String,
    /// The leaf, from 0.
    index: u64,
    lsn: u64,
}

/// Something that was said at some time.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Change {
    lsn: u64,
    recorded_at: DateTime,
    /// When something else was said instead.
    replaced_at: Option<DateTime>,
    source: String,
    status: String,
    attributes: Vec<Said>,
}

/// A property and its value.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Said {
    name: String,
    value: Json<Value>,
}

connection! {
    /// What was said, oldest first.
    ChangeConnection of ChangeEdge of Change
}

#[Object]
impl EntityQuery {
    /// A thing by its id, now or as the node knew it at a time.
    #[graphql(directive = auth::apply("entity.read".to_owned(), None))]
    async fn entity(&self, context: &Context<'_>, id: ID, as_of: Option<DateTime>) -> Result<Option<Entity>> {
        read(context, move |app, principal, view| {
            let found = app.reader(view, principal)?.entity(&id, as_of.map(|time| time.0))?;
            let recorded = app.allowed(view, principal, Action::LedgerRead)?;
            Ok(found.map(|found| Entity {
                receipt: recorded.contains(found.receipt.label).then(|| (&found.receipt).into()),
                ..found.into()
            }))
        })
        .await
    }

    /// Everything that was ever said of a thing, oldest first.
    #[graphql(directive = auth::apply("entity.read".to_owned(), None))]
    async fn entity_history(
        &self,
        context: &Context<'_>,
        id: ID,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Option<ChangeConnection>> {
        read(context, move |app, principal, view| {
            let first = super::first(first, HISTORY, HISTORY_MAX)?;
            let Some(changes) = app.reader(view, principal)?.history(&id)? else { return Ok(None) };
            let page = page(changes, first, after.as_deref(), |change| format!("{}/{}", *id, change.lsn))?;
            let edges = page.nodes.into_iter().map(|(node, cursor)| ChangeEdge { node: node.into(), cursor });
            Ok(Some(ChangeConnection { edges: edges.collect(), page_info: page.info }))
        })
        .await
    }
}

#[Object]
impl EntityMutation {
    /// Hides a thing from everybody; it can be restored.
    #[graphql(directive = auth::apply("entity.write".to_owned(), None))]
    async fn entity_delete(&self, context: &Context<'_>, id: ID) -> Result<Changed> {
        change(context, id, |tenant, actor, id| Command::Delete(Delete { tenant, actor, id })).await
    }

    /// Shows a deleted thing again.
    #[graphql(directive = auth::apply("entity.write".to_owned(), None))]
    async fn entity_restore(&self, context: &Context<'_>, id: ID) -> Result<Changed> {
        change(context, id, |tenant, actor, id| Command::Restore(Restore { tenant, actor, id })).await
    }
}

type MakeCommand = fn(storage::ids::TenantId, storage::ids::ActorId, String) -> Command;

async fn change(context: &Context<'_>, id: ID, command: MakeCommand) -> Result<Changed> {
    let id = String::from(id);
    let about = id.clone();
    // Whoever may not see every part of a thing may not change it, and is not told that it exists.
    read(context, move |app, principal, view| {
        let readable = app.reader(view, principal)?.covers(&about)?;
        readable.then_some(()).ok_or_else(|| Failure::not_found("entity", &about))
    })
    .await?;
    let principal = context.data::<Principal>()?;
    let command = command(principal.tenant, principal.actor, id);
    let applied = writer(context)?.write("change", command).await?;
    Ok(Changed { lsn: applied.lsn.0, changed: applied.effect != Effect::Unchanged })
}

impl From<read::Entity> for Entity {
    fn from(entity: read::Entity) -> Entity {
        let (from, to) = RelationEnd::both(entity.joins);
        Entity {
            id: entity.id.into(),
            r#type: entity.thing_type,
            title: entity.title,
            from,
            to,
            labels: entity.tags,
            status: entity.status.to_string(),
            statements: entity.statements.into_iter().map(Statement::from).collect(),
            attributes: entity.attributes.into_iter().map(Attribute::from).collect(),
            receipt: None,
        }
    }
}

impl From<read::Statement> for Statement {
    fn from(statement: read::Statement) -> Statement {
        let label = statement.label;
        Statement {
            source: statement.source,
            status: statement.status.to_string(),
            observed_at: DateTime(statement.observed_at_us),
            recorded_at: DateTime(statement.recorded_us),
            lsn: statement.lsn.0,
            classification: label.classification.to_string(),
            licence: label.licence.to_string(),
            purposes: label.purposes.iter().map(|purpose| purpose.to_string()).collect(),
            retention: label.retention.to_string(),
            personal: label.personal,
        }
    }
}

impl From<&read::Receipt> for ReceiptPlace {
    fn from(receipt: &read::Receipt) -> ReceiptPlace {
        ReceiptPlace { origin: receipt.origin.clone(), index: receipt.index, lsn: receipt.lsn.0 }
    }
}

impl From<read::Attribute> for Attribute {
    fn from(attribute: read::Attribute) -> Attribute {
        Attribute {
            name: attribute.name,
            value: json(&attribute.value),
            source: attribute.source,
            observed_at: DateTime(attribute.observed_at_us),
            lsn: attribute.lsn.0,
            shown: attribute.shown,
        }
    }
}

impl From<read::Change> for Change {
    fn from(change: read::Change) -> Change {
        let said = |(name, value): (String, String)| Said { name, value: json(&value) };
        Change {
            lsn: change.lsn.0,
            recorded_at: DateTime(change.recorded_us),
            replaced_at: change.replaced_us.map(DateTime),
            source: change.source,
            status: change.status.to_string(),
            attributes: change.claims.into_iter().map(said).collect(),
        }
    }
}

/// A stored value; it was checked to be JSON when it came in.
fn json(text: &str) -> Json<Value> {
    Json(serde_json::from_str(text).unwrap_or(Value::Null))
}
