//! The node: who is asking, what it holds, how far its indexes are.

use async_graphql::{Context, Object, Result, SimpleObject};

use super::declared::{auth, public};
use super::read;

#[derive(Default)]
pub(super) struct NodeQuery;

/// The node as its caller sees it.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Node {
    version: &'static str,
    /// The caller's tenant.
    tenant: String,
    /// The caller's role.
    role: String,
    /// The caller's clearance.
    clearance: String,
    /// The purposes of this request: the one that it names, or all that its token carries.
    purpose: Vec<String>,
    /// Entities in the tenant; only for who may see every label.
    #[graphql(directive = auth::apply("entity.read".to_owned(), Some(true)))]
    entities: Option<u64>,
    /// Relations in the tenant; only for who may see every label.
    #[graphql(directive = auth::apply("relation.read".to_owned(), Some(true)))]
    relations: Option<u64>,
    /// The last record.
    lsn: u64,
    followers: Vec<Follower>,
}

/// An index that follows the log.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Follower {
    name: &'static str,
    /// `current`, `lagging`, `rebuilding` or `failed`.
    state: String,
    lsn: u64,
}

#[Object]
impl NodeQuery {
    /// The node as its caller sees it.
    #[graphql(directive = public::apply())]
    async fn node(&self, context: &Context<'_>) -> Result<Node> {
        read(context, |app, principal, view| {
            let head = view.head(principal.tenant)?;
            let unit = app.follow.status(principal.tenant);
            Ok(Node {
                version: crate::app::VERSION,
                tenant: principal.tenant_name.clone(),
                role: principal.role.to_string(),
                clearance: principal.clearance.to_string(),
                purpose: principal.purposes_in_use.iter().map(|purpose| purpose.to_string()).collect(),
                entities: Some(head.entities),
                relations: Some(head.relations),
                lsn: head.head().0,
                followers: vec![Follower {
                    name: "text",
                    state: unit.state.to_string(),
                    lsn: unit.position.0,
                }],
            })
        })
        .await
    }
}
