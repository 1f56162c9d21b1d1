//! The decision log, for officers and auditors.

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::{DateTime, read};
use crate::policies::unreadable;
use crate::policy::Action;
use crate::policy::decisions::{Entry, On, Place, Wanted};

/// Decisions on a page unless asked otherwise, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1000;

#[derive(Default)]
pub(super) struct DecisionsQuery;

/// A page of decisions, newest first.
#[derive(SimpleObject)]
struct DecisionPage {
    decisions: Vec<Decision>,
    /// To be sent as `after` for the next page; null on the last.
    next_cursor: Option<String>,
    /// Parts of the log that could not be read, in words.
    damaged: Vec<String>,
}

/// A decision, as often as it was made within about a second.
#[derive(SimpleObject)]
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
}

/// The labels that a search or list carried.
#[derive(SimpleObject)]
struct Filter {
    allowed: u64,
    of: usize,
}

#[Object]
impl DecisionsQuery {
    /// What was decided, as far back as the log is kept.
    async fn decisions(
        &self,
        context: &Context<'_>,
        token: Option<ID>,
        action: Option<String>,
        denied: Option<bool>,
        limit: Option<i32>,
        after: Option<String>,
    ) -> Result<DecisionPage> {
        read(context, move |app, principal, view| {
            app.check(principal, Action::DecisionsRead)?;
            let wanted = Wanted {
                token: token.map(String::from),
                action: action.map(|name| name.parse()).transpose()?,
                denied: denied.unwrap_or_default(),
            };
            let limit = super::limit(limit, LIMIT, LIMIT_MAX)?;
            let before = after.map(|place| place.parse::<Place>()).transpose()?;
            app.decisions.written();
            let page =
                app.decisions.page(view, principal.tenant, &wanted, before, limit).map_err(unreadable)?;
            Ok(DecisionPage {
                next_cursor: page.entries.last().filter(|_| page.more).map(|(place, _)| place.to_string()),
                decisions: page.entries.into_iter().map(Decision::from).collect(),
                damaged: page.damaged,
            })
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
        }
    }
}
