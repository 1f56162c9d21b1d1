//! Sources and their terms.

use async_graphql::{Context, Object, Result, SimpleObject};
use storage::model::SourceSpec;

use super::connection::{connection, page};
use super::declared::{auth, public};
use super::read;

/// Sources on a page unless asked otherwise, and at most.
const LIMIT: usize = 1000;
const LIMIT_MAX: usize = 1000;

#[derive(Default)]
pub(super) struct SourcesQuery;

/// A source and its terms.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Source {
    name: String,
    purposes: Vec<String>,
    licence: String,
    retention: String,
    /// Of what does not carry a classification itself.
    classification: String,
    personal: bool,
}

connection! {
    /// Sources, in the order in which they were declared.
    SourceConnection of SourceEdge of Source
}

#[Object]
impl SourcesQuery {
    /// The sources of which the caller may see anything.
    #[graphql(directive = auth::apply("entity.read".to_owned(), None))]
    async fn sources(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<SourceConnection> {
        read(context, move |app, principal, view| {
            let first = super::first(first, LIMIT, LIMIT_MAX)?;
            let visible = app.visible_sources(view, principal)?;
            let sources = view.sources(principal.tenant)?.into_iter().map(|(_, spec)| spec);
            let sources = sources.filter(|spec| visible.contains(&spec.name));
            let page = page(sources, first, after.as_deref(), |spec| format!("source/{}", spec.name))?;
            let edges = page.nodes.into_iter().map(|(node, cursor)| SourceEdge { node: node.into(), cursor });
            Ok(SourceConnection { edges: edges.collect(), page_info: page.info })
        })
        .await
    }
}

impl From<SourceSpec> for Source {
    fn from(spec: SourceSpec) -> Source {
        Source {
            name: spec.name,
            purposes: spec.purposes.iter().map(|purpose| purpose.to_string()).collect(),
            licence: spec.licence.to_string(),
            retention: spec.retention.to_string(),
            classification: spec.classification.to_string(),
            personal: spec.personal,
        }
    }
}
