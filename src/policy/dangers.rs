//! What a policy must not do unless somebody insists: show what no rule should show, or shut out all who could change it.
//!
//! A policy asks for few attributes and compares them with few words, so whether it is dangerous can be tried out on
//! every label that it can tell apart: each value of each closed vocabulary that it asks for, each word that it
//! compares with, and one that it does not know.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use storage::ids::TenantId;
use storage::model::{Classification, Label, Purposes, Role};

use super::{Action, Attributes, Decision, Policy, PolicyProblem, Principal, Resource, Rule};
use space::words;

mod space;

/// Labels that are tried on a policy, at most, and decisions; one takes some microseconds.
const LABELS_MAX: usize = 100_000;
const TRIED_MAX: usize = 250_000;

/// The tenant that the tried labels are in, and one that they are not in.
const HERE: TenantId = TenantId(1);
const ELSEWHERE: TenantId = TenantId(2);

/// Something that is refused unless it is confirmed by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Danger {
    /// Somebody of another tenant reads something, whatever rights he has.
    CrossTenant,
    /// Somebody whose clearance is `public`, without scope and compartment, reads more than public data; the ids of
    /// the lineage graph aside, which need no clearance.
    AboveClearance,
    /// No owner and no admin may set the policy any more.
    LockOut,
    /// It tells too many labels apart for the first two to be tried.
    Unchecked,
}

impl Danger {
    const ALL: [Danger; 4] =
        [Danger::CrossTenant, Danger::AboveClearance, Danger::LockOut, Danger::Unchecked];

    /// The name by which it is confirmed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Danger::CrossTenant => "cross-tenant",
            Danger::AboveClearance => "above-clearance",
            Danger::LockOut => "lock-out",
            Danger::Unchecked => "unchecked",
        }
    }
}

/// The dangers of a policy that were not confirmed, each with the policy at fault. `officers` are the owners and
/// admins who shall still be able to set the policy.
#[must_use]
pub fn dangers(policy: &Policy, officers: &[Principal], confirmed: &[Danger]) -> Vec<PolicyProblem> {
    let found = [lock_out(policy, officers), open_to_strangers(policy), open_to_the_public(policy)];
    let mut found: Vec<_> = found.into_iter().flatten().collect();
    found.retain(|(danger, _)| !confirmed.contains(danger));
    let mut problems: Vec<_> =
        found.into_iter().map(|(danger, problem)| problem.confirmable(danger)).collect();
    problems.sort();
    problems.dedup();
    problems
}

/// An owner and an admin as they come with all that a role can have: whom a policy must serve where no tokens are known.
#[must_use]
pub fn any_officers() -> Vec<Principal> {
    let officer = |role| Attributes { clearance: Classification::Secret, ..nobody(role) }.asking(HERE);
    vec![officer(Role::Owner), officer(Role::Admin)]
}

impl PolicyProblem {
    fn confirmable(mut self, danger: Danger) -> PolicyProblem {
        self.message = format!("{}; if that is meant, confirm `{danger}`", self.message);
        self
    }
}

type Found = Option<(Danger, PolicyProblem)>;

fn lock_out(policy: &Policy, officers: &[Principal]) -> Found {
    let decide = |who: &Principal| policy.decide(who, Action::PolicyManage, Resource::Tenant(who.tenant));
    let decisions: Vec<_> = officers.iter().map(decide).collect();
    if decisions.iter().any(|decision| decision.allowed) {
        return None;
    }
    let message = "shuts out everybody who could change the policy again: no token of an owner or admin may do \
                   `policy.manage`";
    let at_fault = decisions.into_iter().flat_map(|decision| decision.policies).next();
    Some((Danger::LockOut, problem(policy, at_fault.as_deref(), message.to_owned())))
}

/// With every right that the policy knows, and with none.
fn open_to_strangers(policy: &Policy) -> Found {
    let mighty = |role| Attributes {
        clearance: Classification::Secret,
        scopes: words(policy, &["principal.scopes"]),
        compartments: words(policy, &["principal.compartments", "resource.compartments"]),
        ..nobody(role)
    };
    let both = Role::ALL.iter().flat_map(|role| [mighty(*role), nobody(*role)]);
    let strangers: Vec<_> = both.map(|who| who.asking(ELSEWHERE)).collect();
    try_out(policy, Danger::CrossTenant, &strangers, &|action, _| action.is_read())
}

fn open_to_the_public(policy: &Policy) -> Found {
    let public: Vec<_> = Role::ALL.iter().map(|role| nobody(*role).asking(HERE)).collect();
    let above = |action: Action, label: &Label| {
        action.is_read() && action != Action::LineageRead && label.classification > Classification::Public
    };
    try_out(policy, Danger::AboveClearance, &public, &above)
}

/// Asks for each principal, action and label that is a concern; the first that is allowed is told.
fn try_out(
    policy: &Policy,
    danger: Danger,
    principals: &[Principal],
    is_concern: &dyn Fn(Action, &Label) -> bool,
) -> Found {
    let unchecked = || {
        let message = "tells more labels apart than are tried on it, so nobody can say what it opens";
        Some((Danger::Unchecked, problem(policy, None, message.to_owned())))
    };
    let (Some(labels), mut left) = (space::labels(policy, LABELS_MAX), TRIED_MAX) else { return unchecked() };
    for principal in principals {
        for &action in Action::ALL {
            let question = policy.question(principal, action);
            // Why labels were denied, and one of them: another that the same policies cannot tell from it is, too.
            let mut denied: Vec<(BTreeSet<&str>, &Label)> = Vec::new();
            for label in labels.iter().filter(|label| is_concern(action, label)) {
                if denied.iter().any(|(asked, like)| space::are_alike(asked, like, label)) {
                    continue;
                }
                if left == 0 {
                    return unchecked();
                }
                left -= 1;
                let decision = question.of(Resource::Label(HERE, label));
                if decision.allowed {
                    let message = told(danger, principal.role, action, label);
                    let at_fault = decision.policies.first().map(String::as_str);
                    return Some((danger, problem(policy, at_fault, message)));
                }
                denied.push((asked_for(policy, action, &decision), label));
            }
        }
    }
    None
}

/// The attributes on which a denial rests: those of the forbid that asks for the fewest, or, where nothing permits it,
/// those of all that could.
fn asked_for<'p>(policy: &'p Policy, action: Action, denial: &Decision) -> BTreeSet<&'p str> {
    let asks = |rule: &'p Rule| rule.asks.iter().map(String::as_str).collect::<BTreeSet<_>>();
    let forbids = policy.rules().iter().filter(|rule| denial.policies.contains(&rule.id));
    if let Some(fewest) = forbids.map(asks).min_by_key(BTreeSet::len) {
        return fewest;
    }
    let about: Vec<_> = policy.about(action).collect();
    let permits = policy.rules().iter().filter(|rule| !rule.forbids && about.contains(&rule.id.as_str()));
    permits.flat_map(asks).collect()
}

fn told(danger: Danger, role: Role, action: Action, label: &Label) -> String {
    let data = format!("`{}` data", label.classification);
    match danger {
        Danger::CrossTenant => format!("lets role `{role}` of another tenant do `{action}` on {data}"),
        _ => format!("lets role `{role}` whose clearance is `public` do `{action}` on {data}"),
    }
}

fn problem(policy: &Policy, id: Option<&str>, message: String) -> PolicyProblem {
    let rule = policy.rules().iter().find(|rule| Some(rule.id.as_str()) == id);
    PolicyProblem {
        line: rule.map_or(1, |rule| rule.line),
        policy: rule.map(|rule| rule.id.clone()),
        message,
    }
}

/// A clearance for public data, every purpose, no scope and no compartment.
fn nobody(role: Role) -> Attributes {
    Attributes {
        role,
        clearance: Classification::Public,
        purposes_in_use: Purposes::ALL,
        scopes: BTreeSet::new(),
        compartments: BTreeSet::new(),
    }
}

impl fmt::Display for Danger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Danger {
    type Err = storage::Error;

    fn from_str(text: &str) -> storage::Result<Danger> {
        let found = Danger::ALL.into_iter().find(|danger| danger.as_str() == text);
        let known = Danger::ALL.map(Danger::as_str).join(", ");
        found.ok_or_else(|| storage::Error::invalid("unknown danger", text, format!("one of {known}")))
    }
}

#[cfg(test)]
mod tests;
