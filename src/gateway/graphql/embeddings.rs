//! Embeddings: the numbers themselves, which go out only where their licence lets them.

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::connection::{connection, page};
use super::declared::{auth, public};
use super::read;
use crate::gateway::errors::Failure;
use crate::search::{self, Embedding};

/// Vectors on a page unless asked otherwise, and at most: each has up to 4,096 components.
const LIMIT: usize = 8;
const LIMIT_MAX: usize = 16;

#[derive(Default)]
pub(super) struct EmbeddingQuery;

/// A vector of unit length, and what it was made of.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct EntityEmbedding {
    source: String,
    /// The record that says what it was made of.
    lsn: u64,
    /// The licence that it carries itself: `Restricted-TOS`, unless its source's is `Open-Data-OK`.
    licence: String,
    model: String,
    dimension: u64,
    /// Whether it came with the data. Otherwise the model made it here.
    supplied: bool,
    /// What it was made of, as far as anybody here knows: all that was said if it came with the data.
    passage: String,
    values: Vec<f32>,
}

connection! {
    /// The vectors of a thing, in the order in which what they were made of was said.
    EntityEmbeddingConnection of EntityEmbeddingEdge of EntityEmbedding {
        /// Why nobody can tell which there are: `no_model`, `index_missing`, `index_building` or `index_damaged`; else null.
        reason: Option<&'static str>,
    }
}

#[Object]
impl EmbeddingQuery {
    /// The vectors that the tenant's index holds of a thing. Null if there is no such thing; what the caller may not have of
    /// them is left out.
    #[graphql(directive = auth::apply("embedding.read".to_owned(), None))]
    async fn entity_embeddings(
        &self,
        context: &Context<'_>,
        id: ID,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Option<EntityEmbeddingConnection>> {
        read(context, move |app, principal, view| {
            let first = super::first(first, LIMIT, LIMIT_MAX)?;
            let Some(found) = search::embeddings(app, principal, view, &id)? else { return Ok(None) };
            let name = |found: &Embedding| format!("{}/{}/{}", *id, found.lsn, found.start());
            let page = page(found.all, first, after.as_deref(), name)?;
            let edge = |(node, cursor): (Embedding, String)| {
                Ok(EntityEmbeddingEdge { node: EntityEmbedding::of(&node)?, cursor })
            };
            Ok(Some(EntityEmbeddingConnection {
                edges: page.nodes.into_iter().map(edge).collect::<Result<_, Failure>>()?,
                page_info: page.info,
                reason: found.reason.map(|reason| reason.as_str()),
            }))
        })
        .await
    }
}

impl EntityEmbedding {
    fn of(found: &Embedding) -> Result<EntityEmbedding, Failure> {
        let values = found.components()?;
        Ok(EntityEmbedding {
            source: found.source.clone(),
            lsn: found.lsn.0,
            licence: found.licence.to_string(),
            model: found.model().to_owned(),
            dimension: values.len() as u64,
            supplied: found.is_supplied(),
            passage: found.passage.clone(),
            values,
        })
    }
}
