//! The decision log, for officers and auditors.

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::connection::{PageInfo, connection};
use super::declared::{auth, public};
use super::{DateTime, read};
use crate::policies::unreadable;
use crate::policy::decisions::{Entry, On, Place, Wanted};

/// Decisions on a page unless asked otherwise, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1000;

#[derive(Default)]
pub(super) struct DecisionsQuery;

connection! {
    /// Decisions, newest first.
    DecisionConnection of DecisionEdge of Decision {
        /// Parts of the log that could not be read, in words.
        damaged: Vec<String>,
    }
}

/// A decision, as often as it was made within about a second.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Decision {
    /// Its place in the log, by which it can be explained.
    id: ID,
    first_at: DateTime,
    last_at: DateTime,
    count: u64,
    /// The id of the token that asked.
    token: ID,
    role: String,
    clearance: String,
    purposes: Vec<String>,
    scopes: Vec<String>,
    compartments: Vec<String>,
    action: String,
    /// The label of what was shown or asked for by its id.
    label_id: Option<u32>,
    /// For a search or list: how many labels it could see, of how many.
    filter: Option<Filter>,
    /// The policy that decided; 0 for the built-in one.
    version: u64,
    allowed: bool,
    /// The ids of the policies that decided.
    because: Vec<String>,
    /// The ids of the requests that asked, the first eight of them: `x-request-id`.
    requests: Vec<ID>,
}

/// The labels that a search or list carried.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Filter {
    allowed: u64,
    of: usize,
}

#[Object]
impl DecisionsQuery {
    /// What was decided, as far back as the log is kept.
    #[graphql(directive = auth::apply("decisions.read".to_owned(), None))]
    #[allow(clippy::too_many_arguments, reason = "the arguments are the contract's")]
    async fn decisions(
        &self,
        context: &Context<'_>,
        token: Option<ID>,
        action: Option<String>,
        denied: Option<bool>,
        request: Option<ID>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<DecisionConnection> {
        read(context, move |app, principal, view| {
            let wanted = Wanted {
                token: token.map(String::from),
                action: action.map(|name| name.parse()).transpose()?,
                denied: denied.unwrap_or_default(),
                request: request.map(String::from),
            };
            let first = super::first(first, LIMIT, LIMIT_MAX)?;
            let before = after.map(|place| place.parse::<Place>()).transpose()?;
            app.decisions.written();
            let page =
                app.decisions.page(view, principal.tenant, &wanted, before, first).map_err(unreadable)?;
            let edge = |(place, entry): (Place, Entry)| DecisionEdge {
                cursor: place.to_string(),
                node: Decision::from((place, entry)),
            };
            let edges: Vec<_> = page.entries.into_iter().map(edge).collect();
            let end_cursor = edges.last().map(|edge| edge.cursor.clone());
            let page_info = PageInfo { has_next_page: page.more, end_cursor };
            Ok(DecisionConnection { edges, page_info, damaged: page.damaged })
        })
        .await
    }
}

impl From<(Place, Entry)> for Decision {
    fn from((place, entry): (Place, Entry)) -> Decision {
        Decision {
            id: place.to_string().into(),
            first_at: DateTime(entry.first_us),
            last_at: DateTime(entry.last_us),
            count: entry.count,
            label_id: entry.label().map(|label| label.0),
            filter: match entry.on {
                On::Filter { allowed, of } => Some(Filter { allowed, of }),
                On::Label(_) | On::Tenant => None,
            },
            token: entry.token.into(),
            role: entry.role,
            clearance: entry.clearance,
            purposes: entry.purposes,
            scopes: entry.scopes,
            compartments: entry.compartments,
            action: entry.action,
            version: entry.version,
            allowed: entry.allowed,
            because: entry.because,
            requests: entry.requests.into_iter().map(ID::from).collect(),
        }
    }
}
