//! Paths between two things.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::declared::{auth, public};
use super::relations::RelationEnd;
use super::{read, stop};
use crate::gateway::errors::Failure;

/// Hops unless asked otherwise, and at most.
const DEPTH: usize = 3;
const DEPTH_MAX: usize = 6;
/// A walk ends by then with what it has.
const TIME_MAX: Duration = Duration::from_secs(5);

#[derive(Default)]
pub(super) struct PathsQuery;

/// The shortest paths between two things.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Paths {
    /// The ids along each path, both ends included.
    paths: Vec<Vec<ID>>,
    /// What names the things on them.
    things: Vec<RelationEnd>,
    /// Whether the walk ended before everything was looked at.
    truncated: bool,
}

#[Object]
impl PathsQuery {
    /// The shortest paths of at most `depth` hops; null if there is no such thing at an end.
    #[graphql(directive = auth::apply("relation.read".to_owned(), None))]
    async fn paths(
        &self,
        context: &Context<'_>,
        from: ID,
        to: ID,
        depth: Option<i32>,
        kind: Option<String>,
    ) -> Result<Option<Paths>> {
        let late = stop(context);
        let named = context.look_ahead().field("things").exists();
        read(context, move |app, principal, view| {
            let depth = super::first(depth, DEPTH, DEPTH_MAX)?;
            let begun = Instant::now();
            let stop = || begun.elapsed() > TIME_MAX || late();
            let reader = app.reader(view, principal)?;
            let Some(found) = reader.paths(&from, &to, depth, kind.as_deref(), &stop)? else {
                return Ok(None);
            };
            let ids: BTreeSet<_> =
                if named { found.paths.iter().flatten().collect() } else { BTreeSet::new() };
            let things = ids.into_iter().filter_map(|id| reader.named(id).transpose());
            Ok(Some(Paths {
                things: things.map(|thing| Ok(thing?.into())).collect::<Result<_, Failure>>()?,
                paths: found.paths.into_iter().map(|path| path.into_iter().map(ID::from).collect()).collect(),
                truncated: found.truncated,
            }))
        })
        .await
    }
}
