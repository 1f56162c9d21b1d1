//! Sources and their terms.

use async_graphql::{Context, Object, Result, SimpleObject};
use storage::model::SourceSpec;

use super::read;

#[derive(Default)]
pub(super) struct SourcesQuery;

/// A source and its terms.
#[derive(SimpleObject)]
struct Source {
    name: String,
    purposes: Vec<String>,
    licence: String,
    retention: String,
    /// Of what does not carry a classification itself.
    classification: String,
    personal: bool,
}

#[Object]
impl SourcesQuery {
    /// The sources of which the caller may see anything.
    async fn sources(&self, context: &Context<'_>) -> Result<Vec<Source>> {
        read(context, |app, principal, view| {
            let visible = app.visible_sources(view, principal)?;
            let sources = view.sources(principal.tenant)?.into_iter().map(|(_, spec)| spec);
            Ok(sources.filter(|spec| visible.contains(&spec.name)).map(Source::from).collect())
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
