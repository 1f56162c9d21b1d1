//! What could be wrong with the node, for those who run it.

use async_graphql::{Context, Object, Result, SimpleObject};

use super::declared::{auth, public};
use super::read;
use crate::doctor;

#[derive(Default)]
pub(super) struct DoctorQuery;

/// One thing that was looked at.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Check {
    name: String,
    /// Whether it is as it should be.
    ok: bool,
    /// What was found.
    detail: String,
    /// What to do, if it is not.
    fix: Option<String>,
}

#[Object]
impl DoctorQuery {
    /// Looks at the data directory, the disk, the clock, the index and the certificate; changes nothing.
    #[graphql(directive = auth::apply("node.manage".to_owned(), None))]
    async fn doctor(&self, context: &Context<'_>) -> Result<Vec<Check>> {
        read(context, |app, principal, view| {
            let checks = doctor::of_node(app, view, principal.tenant)?.into_iter();
            let check = |doctor::Check { name, ok, detail, fix }| Check { name, ok, detail, fix };
            Ok(checks.map(check).collect())
        })
        .await
    }
}
