//! Lists as Relay's connections: edges with a cursor each, and whether there is more.

use async_graphql::SimpleObject;
use sha2::{Digest, Sha256};

use super::declared::public;
use crate::gateway::errors::Failure;

/// Where a page of a list ends.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
pub(super) struct PageInfo {
    pub(super) has_next_page: bool,
    /// To be sent as `after` for the next page.
    pub(super) end_cursor: Option<String>,
}

/// Declares the connection and the edge of a type of nodes, with more fields of the connection's own.
macro_rules! connection {
    ($(#[$doc:meta])* $vis:vis $connection:ident of $edge:ident of $node:ident) => {
        connection!($(#[$doc])* $vis $connection of $edge of $node {});
    };
    ($(#[$doc:meta])* $vis:vis $connection:ident of $edge:ident of $node:ident {
        $($(#[$more:meta])* $name:ident: $type:ty,)*
    }) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        #[graphql(directive = $crate::gateway::graphql::declared::public::apply())]
        $vis struct $connection {
            edges: Vec<$edge>,
            page_info: $crate::gateway::graphql::connection::PageInfo,
            $($(#[$more])* $name: $type,)*
        }

        /// An element of a list, with its place.
        #[derive(async_graphql::SimpleObject)]
        #[graphql(directive = $crate::gateway::graphql::declared::public::apply())]
        $vis struct $edge {
            node: $node,
            /// To be sent as `after` for what follows.
            cursor: String,
        }
    };
}
pub(super) use connection;

/// A part of a list that is in memory as a whole, each with its cursor, and whether there is more.
pub(super) struct Page<T> {
    pub(super) nodes: Vec<(T, String)>,
    pub(super) info: PageInfo,
}

/// The page of `all` that begins behind a cursor. A cursor is a digest of what names its node: it says nothing to who
/// does not know the node, and leads nowhere in the list of somebody who does not see it.
pub(super) fn page<T>(
    all: impl IntoIterator<Item = T>,
    first: usize,
    after: Option<&str>,
    name: impl Fn(&T) -> String,
) -> Result<Page<T>, Failure> {
    let mut all = all.into_iter().map(|node| {
        let cursor = cursor(&name(&node));
        (node, cursor)
    });
    if let Some(after) = after
        && !all.any(|(_, cursor)| cursor == after)
    {
        return Err(expired());
    }
    let nodes: Vec<_> = all.by_ref().take(first).collect();
    let end_cursor = nodes.last().map(|(_, cursor)| cursor.clone());
    Ok(Page { info: PageInfo { has_next_page: all.next().is_some(), end_cursor }, nodes })
}

/// A cursor that leads nowhere, or no longer.
pub(super) fn expired() -> Failure {
    let message = "cursor expired or of another list; begin again without `after`";
    Failure::new(axum::http::StatusCode::GONE, "CURSOR_EXPIRED", message)
}

fn cursor(name: &str) -> String {
    Sha256::digest(name)[..12].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
