//! What would change if a policy were set: both are decided on every principal, action and label that there is.
//!
//! Labels are interned and tokens are listed, so this is no sample: what is not told does not change. Tokens with
//! equal attributes are decided once.

use std::collections::HashMap;

use storage::ids::{LabelId, TenantId};
use storage::model::{Label, Purpose, Purposes};

use super::{Action, Attributes, Policy, Resource, wording};

/// Decisions that a simulation makes, at most, of both policies together: some seconds.
pub const SIMULATED_MAX: usize = 1_000_000;

/// Token ids that are named for one group of principals, at most.
const NAMED_MAX: usize = 3;

/// What is compared.
pub struct Scenario<'a> {
    /// The policy in force.
    pub old: &'a Policy,
    /// The policy that would replace it.
    pub new: &'a Policy,
    /// The tenant whose policy it is.
    pub tenant: TenantId,
    /// The ids of the tokens that let somebody in, and what they carry: `purposes_in_use` are all of a token's.
    pub tokens: &'a [(String, Attributes)],
    /// Every label of the tenant.
    pub labels: &'a [(LabelId, Label)],
    /// The actions to decide.
    pub actions: &'a [Action],
}

/// What a label, or the tenant itself, is called in a change.
pub(super) type On<'a> = Option<&'a (LabelId, Label)>;

/// A decision that would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// The tokens whose holders it is about; they have equal attributes.
    pub tokens: Vec<&'a str>,
    /// What the policy knows of them, with the purposes of the requests that change: one for each.
    pub requests: Vec<Attributes>,
    /// Whether it changes for requests that name no purpose, which is what most do.
    pub for_unnamed: bool,
    /// What they would do.
    pub action: Action,
    /// On what: a label, or the tenant itself.
    pub on: On<'a>,
}

/// Every decision that would change.
#[derive(Clone, Debug, Default)]
pub struct Simulation<'a> {
    /// Newly allowed.
    pub gains: Vec<Change<'a>>,
    /// Newly denied.
    pub losses: Vec<Change<'a>>,
    /// How many decisions were compared.
    pub compared: usize,
}

/// There is more to compare than is done for one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{decisions} decisions to compare ({principals} kinds of requests, {actions} actions, {labels} labels), at most {}; \
     ask for one token or one action",
    SIMULATED_MAX / 2
)]
pub struct TooMuch {
    decisions: usize,
    principals: usize,
    actions: usize,
    labels: usize,
}

/// Tokens of equal attributes, and the requests that can be made with them.
struct Group<'a> {
    tokens: Vec<&'a str>,
    requests: Vec<Attributes>,
}

/// Compares two policies on everything.
///
/// # Errors
/// If that is more than [`SIMULATED_MAX`] decisions.
pub fn simulate<'a>(scenario: &Scenario<'a>) -> Result<Simulation<'a>, TooMuch> {
    let groups = groups(scenario.tokens);
    let mut simulation = Simulation { compared: affordable(scenario, &groups)?, ..Simulation::default() };
    for group in &groups {
        for &action in scenario.actions {
            compare(scenario, group, action, &mut simulation);
        }
    }
    Ok(simulation)
}

fn groups(tokens: &[(String, Attributes)]) -> Vec<Group<'_>> {
    let (mut groups, mut known) = (Vec::<Group<'_>>::new(), HashMap::new());
    for (id, attributes) in tokens {
        let place = *known.entry(attributes).or_insert_with(|| {
            groups.push(Group { tokens: Vec::new(), requests: requests(attributes) });
            groups.len() - 1
        });
        groups[place].tokens.push(id);
    }
    groups
}

/// A request is made for all purposes of its token, or names one.
fn requests(attributes: &Attributes) -> Vec<Attributes> {
    let carried = attributes.purposes_in_use;
    let one = |purpose: Purpose| Purposes::from_iter([purpose]);
    let with = |purposes_in_use| Attributes { purposes_in_use, ..attributes.clone() };
    let single = carried.iter().map(one).filter(|single| *single != carried);
    std::iter::once(carried).chain(single).map(with).collect()
}

fn affordable(scenario: &Scenario<'_>, groups: &[Group<'_>]) -> Result<usize, TooMuch> {
    let principals = groups.iter().map(|group| group.requests.len()).sum::<usize>();
    let labels = scenario.labels.len();
    let reads = scenario.actions.iter().filter(|action| action.is_read()).count();
    let others = scenario.actions.len() - reads;
    let decisions = principals.saturating_mul(reads.saturating_mul(labels).saturating_add(others));
    if decisions.saturating_mul(2) > SIMULATED_MAX {
        return Err(TooMuch { decisions, principals, actions: scenario.actions.len(), labels });
    }
    Ok(decisions)
}

fn compare<'a>(scenario: &Scenario<'a>, group: &Group<'a>, action: Action, simulation: &mut Simulation<'a>) {
    let resources: Vec<On<'a>> =
        if action.is_read() { scenario.labels.iter().map(Some).collect() } else { vec![None] };
    let asking: Vec<_> = group.requests.iter().map(|request| request.asking(scenario.tenant)).collect();
    let questions: Vec<_> = asking
        .iter()
        .map(|who| (scenario.old.question(who, action), scenario.new.question(who, action)))
        .collect();
    for on in resources {
        let resource = match on {
            Some((_, label)) => Resource::Label(scenario.tenant, label),
            None => Resource::Tenant(scenario.tenant),
        };
        let (mut gained, mut lost) = (Vec::new(), Vec::new());
        for ((old, new), request) in questions.iter().zip(&group.requests) {
            match (old.of(resource).allowed, new.of(resource).allowed) {
                (false, true) => gained.push(request.clone()),
                (true, false) => lost.push(request.clone()),
                _ => {}
            }
        }
        for (changed, list) in [(gained, &mut simulation.gains), (lost, &mut simulation.losses)] {
            if !changed.is_empty() {
                let for_unnamed = changed.first() == group.requests.first();
                let tokens = group.tokens.clone();
                list.push(Change { tokens, requests: changed, for_unnamed, action, on });
            }
        }
    }
}

impl Change<'_> {
    /// Who it is about, in words; with the purposes that a request must name, if it must name one.
    #[must_use]
    pub fn principal(&self) -> String {
        let mut words = self.requests.first().map(wording::standing).unwrap_or_default();
        if !self.for_unnamed {
            let purposes: Vec<_> =
                self.requests.iter().map(|request| wording::purposes(request.purposes_in_use)).collect();
            words.push_str(&format!(", for {}", purposes.join(" or ")));
        }
        let named: Vec<_> = self.tokens.iter().take(NAMED_MAX).copied().collect();
        let more = self.tokens.len() - named.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{words} (token {}{more})", named.join(", "))
    }

    /// What it is about, in words.
    #[must_use]
    pub fn label(&self) -> String {
        match self.on {
            Some((_, label)) => wording::label(label),
            None => "the tenant".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
