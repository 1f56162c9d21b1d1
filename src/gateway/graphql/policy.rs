//! The tenant's policy: shown and set, simulated and explained, for those who may set it.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use storage::View;
use storage::commands::{Command, Effect, SetPolicy};
use storage::ids::{ActorId, LabelId, Lsn};
use storage::model::{PolicySet, Purpose};

use super::connection::{connection, page};
use super::declared::{auth, public};
use super::idempotency::writer;
use super::{Changed, DateTime, read};
use crate::gateway::errors::Failure;
use crate::policies::{self, Asked, AskedOn, Explained, Told, Trial};
use crate::policy::{Danger, Policy, PolicyProblem, Principal, Reason};

/// Versions listed unless asked otherwise, and at most.
const VERSIONS: usize = 20;
const VERSIONS_MAX: usize = 1000;
/// Changes of a simulation that are told of each kind; more are counted.
const CHANGES_MAX: usize = 1000;

#[derive(Default)]
pub(super) struct PolicyQuery;

#[derive(Default)]
pub(super) struct PolicyMutation;

/// A policy that is or was in force.
#[derive(SimpleObject)]
#[graphql(name = "Policy", directive = public::apply())]
struct Shown {
    #[graphql(flatten)]
    version: Version,
    text: String,
    /// Why this version of the program cannot decide by it; empty if it can.
    problems: Vec<Problem>,
}

/// When and by whom a policy was set.
#[derive(SimpleObject)]
#[graphql(name = "PolicyVersion", directive = public::apply())]
struct Version {
    /// The record that set it; 0 for the built-in policy of a tenant that has set none.
    version: u64,
    set_at: Option<DateTime>,
    /// The id of the token that set it.
    set_by: Option<ID>,
    /// The dangers that were confirmed when it was set.
    confirmed: Vec<String>,
}

connection! {
    /// Versions of a policy, newest first.
    PolicyVersionConnection of PolicyVersionEdge of Version
}

/// Something that is wrong with the text of a policy.
#[derive(SimpleObject)]
#[graphql(name = "PolicyProblem", directive = public::apply())]
struct Problem {
    policy: Option<String>,
    line: usize,
    message: String,
}

/// What would change if a policy were set. Exact: what is not told does not change.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct PolicySimulation {
    /// Newly allowed; those that were asked for most first.
    gains: Vec<PolicyChange>,
    /// Newly denied; those that were used most first.
    losses: Vec<PolicyChange>,
    /// How many are gained and lost, told or not.
    gains_total: usize,
    losses_total: usize,
    /// How many decisions were compared.
    compared: usize,
    /// What would have to be confirmed to set it.
    dangers: Vec<Problem>,
    /// Parts of the decision log that could not be read, and are missing in `used`.
    damaged: Vec<String>,
}

/// A decision that would change.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct PolicyChange {
    principal: String,
    action: &'static str,
    label: String,
    /// Null if it is about the tenant itself.
    label_id: Option<u32>,
    /// How often it was made, as far back as the decision log goes.
    used: u64,
}

/// A decision and its reasons.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct PolicyExplanation {
    principal: String,
    action: &'static str,
    label: String,
    /// Null if it is about the tenant itself.
    label_id: Option<u32>,
    /// The policy that decided; 0 for the built-in one.
    version: u64,
    allowed: bool,
    /// All of it in one sentence.
    summary: String,
    /// Of a decision of the log: the ids of the requests that asked, the first few of them.
    requests: Vec<ID>,
    reasons: Vec<PolicyReason>,
}

/// A policy that decided, or would have.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct PolicyReason {
    policy: String,
    /// `permit` or `forbid`.
    effect: &'static str,
    /// False if it did not apply: it permits the action, to others.
    applied: bool,
    line: usize,
    text: String,
    /// What it asks for, and what it found.
    found: Vec<PolicyFinding>,
}

/// An attribute and its value.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct PolicyFinding {
    name: String,
    value: String,
}

#[Object]
impl PolicyQuery {
    /// The policy in force, or one that was.
    #[graphql(directive = auth::apply("policy.manage".to_owned(), None))]
    async fn policy(&self, context: &Context<'_>, version: Option<u64>) -> Result<Shown> {
        read(context, move |_, principal, view| {
            let current = view.policy(principal.tenant)?.unwrap_or(Lsn::NONE);
            shown(principal, view, version.map_or(current, Lsn))
        })
        .await
    }

    /// Every version, newest first.
    #[graphql(directive = auth::apply("policy.manage".to_owned(), None))]
    async fn policy_history(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<PolicyVersionConnection> {
        read(context, move |_, principal, view| {
            let first = super::first(first, VERSIONS, VERSIONS_MAX)?;
            let versions = view.policies(principal.tenant)?.into_iter().rev();
            let page = page(versions, first, after.as_deref(), |version| format!("policy/{version}"))?;
            let edge = |(version, cursor): (Lsn, String)| {
                Ok(PolicyVersionEdge { node: set_as(principal, view, version)?.0, cursor })
            };
            let edges = page.nodes.into_iter().map(edge).collect::<Result<_, Failure>>()?;
            Ok(PolicyVersionConnection { edges, page_info: page.info })
        })
        .await
    }

    /// What would change if a policy were set: on every token, action and label, or for one token or action.
    #[graphql(directive = auth::apply("policy.manage".to_owned(), None))]
    async fn policy_simulate(
        &self,
        context: &Context<'_>,
        text: String,
        token: Option<ID>,
        action: Option<String>,
    ) -> Result<PolicySimulation> {
        read(context, move |app, principal, view| {
            let action = action.map(|name| name.parse()).transpose()?;
            let trial = Trial { text, token: token.map(String::from), action };
            let outcome = policies::try_out(app, principal, view, &trial)?;
            Ok(PolicySimulation {
                gains_total: outcome.gains.len(),
                losses_total: outcome.losses.len(),
                gains: outcome.gains.into_iter().take(CHANGES_MAX).map(Into::into).collect(),
                losses: outcome.losses.into_iter().take(CHANGES_MAX).map(Into::into).collect(),
                compared: outcome.compared,
                dangers: outcome.dangers.into_iter().map(Into::into).collect(),
                damaged: outcome.damaged,
            })
        })
        .await
    }

    /// Why a decision falls as it does: for the holder of a token, on a thing, a label or the tenant; or why one of the
    /// decision log fell so.
    #[graphql(directive = auth::apply("policy.manage".to_owned(), None))]
    #[allow(clippy::too_many_arguments, reason = "the arguments are the contract's")]
    async fn policy_explain(
        &self,
        context: &Context<'_>,
        token: Option<ID>,
        action: Option<String>,
        thing: Option<ID>,
        label: Option<u32>,
        purpose: Option<String>,
        decision: Option<String>,
    ) -> Result<Vec<PolicyExplanation>> {
        read(context, move |app, principal, view| {
            let asked = match (decision, token, action) {
                (Some(place), None, None) => Asked::Logged(place.parse()?),
                (None, Some(token), Some(action)) => Asked::Now {
                    token: token.into(),
                    action: action.parse()?,
                    on: asked_on(thing, label)?,
                    purpose: purpose.map(|name| name.parse::<Purpose>()).transpose()?,
                },
                _ => {
                    return Err(Failure::bad_request(
                        "ask for a `token` and an `action`, or for a `decision`",
                    ));
                }
            };
            let explained = policies::explanations(app, principal, view, &asked)?;
            Ok(explained.into_iter().map(PolicyExplanation::from).collect())
        })
        .await
    }
}

fn asked_on(thing: Option<ID>, label: Option<u32>) -> Result<AskedOn, Failure> {
    match (thing, label) {
        (Some(thing), None) => Ok(AskedOn::Thing(thing.into())),
        (None, Some(label)) => Ok(AskedOn::Label(LabelId(label))),
        (None, None) => Ok(AskedOn::Tenant),
        (Some(_), Some(_)) => Err(Failure::bad_request("ask for a `thing` or for a `label`, not for both")),
    }
}

#[Object]
impl PolicyMutation {
    /// Sets the policy in place of the version that its author saw. What is wrong with it is refused, and so is what
    /// is dangerous, unless `confirm` names the danger.
    #[graphql(directive = auth::apply("policy.manage".to_owned(), None))]
    async fn policy_set(
        &self,
        context: &Context<'_>,
        text: String,
        replaces: u64,
        confirm: Option<Vec<String>>,
    ) -> Result<Changed> {
        let confirmed = dangers(confirm)?;
        let set = PolicySet {
            text: text.clone(),
            replaces,
            confirmed: confirmed.iter().map(Danger::to_string).collect(),
        };
        read(context, move |_, principal, view| {
            policies::examine(principal, view, &text, &confirmed).map(drop)
        })
        .await?;
        let principal = context.data::<Principal>()?;
        let set = SetPolicy { tenant: principal.tenant, actor: principal.actor, policy: set };
        let applied = writer(context)?.write("policy", Command::SetPolicy(set)).await?;
        Ok(Changed { lsn: applied.lsn.0, changed: applied.effect != Effect::Unchanged })
    }
}

fn dangers(names: Option<Vec<String>>) -> Result<Vec<Danger>, Failure> {
    names.unwrap_or_default().iter().map(|name| Ok(name.parse::<Danger>()?)).collect()
}

fn shown(principal: &Principal, view: &View, version: Lsn) -> Result<Shown, Failure> {
    if version == Lsn::NONE {
        let version = Version { version: 0, set_at: None, set_by: None, confirmed: vec![] };
        let text = Policy::built_in().text().to_owned();
        return Ok(Shown { version, text, problems: vec![] });
    }
    let (version, text) = set_as(principal, view, version)?;
    Ok(Shown { version, problems: problems(&text), text })
}

/// A version that was set, and its text.
fn set_as(principal: &Principal, view: &View, version: Lsn) -> Result<(Version, String), Failure> {
    let set = view.policy_set(principal.tenant, version)?;
    let set = set.ok_or_else(|| Failure::not_found("policy version", &version.to_string()))?;
    let record = view.record(principal.tenant, version)?;
    let version = Version {
        version: version.0,
        set_at: Some(DateTime(record.time_us)),
        set_by: token_of(view, record.actor)?,
        confirmed: set.confirmed,
    };
    Ok((version, set.text))
}

fn problems(text: &str) -> Vec<Problem> {
    let found = Policy::load(text).err().map(|problems| problems.0).unwrap_or_default();
    found.into_iter().map(Into::into).collect()
}

fn token_of(view: &View, actor: ActorId) -> Result<Option<ID>, Failure> {
    let tokens = view.tokens()?.into_iter();
    Ok(tokens.filter(|(_, row)| row.actor == actor.0).map(|(id, _)| id.into()).next())
}

impl From<PolicyProblem> for Problem {
    fn from(problem: PolicyProblem) -> Problem {
        Problem { policy: problem.policy, line: problem.line, message: problem.message }
    }
}

impl From<Told> for PolicyChange {
    fn from(told: Told) -> PolicyChange {
        PolicyChange {
            principal: told.principal,
            action: told.action.as_str(),
            label: told.label,
            label_id: told.label_id.map(|id| id.0),
            used: told.used,
        }
    }
}

impl From<Explained> for PolicyExplanation {
    fn from(explained: Explained) -> PolicyExplanation {
        PolicyExplanation {
            principal: explained.principal,
            action: explained.action.as_str(),
            label: explained.label,
            label_id: explained.label_id.map(|id| id.0),
            version: explained.version,
            allowed: explained.explanation.allowed,
            summary: explained.explanation.summary,
            requests: explained.requests.into_iter().map(ID::from).collect(),
            reasons: explained.explanation.reasons.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Reason> for PolicyReason {
    fn from(reason: Reason) -> PolicyReason {
        PolicyReason {
            policy: reason.rule.id,
            effect: if reason.rule.forbids { "forbid" } else { "permit" },
            applied: reason.applied,
            line: reason.rule.line,
            text: reason.rule.text,
            found: reason.found.into_iter().map(|(name, value)| PolicyFinding { name, value }).collect(),
        }
    }
}
