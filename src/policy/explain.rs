//! Why a decision fell as it did: the policies that decided, and what they found.

use storage::model::{Classification, Purposes};

use super::{Action, Decision, Policy, Principal, Resource, Rule, wording};

/// A decision with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Whether the action may be done.
    pub allowed: bool,
    /// It all in one sentence.
    pub summary: String,
    /// The policies that decided; if nothing permits it, those that permit it to others.
    pub reasons: Vec<Reason>,
}

/// A policy, and the values of what it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The policy.
    pub rule: Rule,
    /// Whether it applied. One that did not is told where nothing else is to be told.
    pub applied: bool,
    /// Attributes that it asks for, and their values here: `("principal.clearance", "internal (2)")`.
    pub found: Vec<(String, String)>,
}

/// Decides, and says why.
#[must_use]
pub fn explain(
    policy: &Policy,
    principal: &Principal,
    action: Action,
    resource: Resource<'_>,
) -> Explanation {
    let decision = policy.decide(principal, action, resource);
    let seen = match resource {
        Resource::Label(_, label) => Some(action.sees(label)),
        Resource::Tenant(_) => None,
    };
    let resource = match (resource, &seen) {
        (Resource::Label(tenant, _), Some(label)) => Resource::Label(tenant, label),
        _ => resource,
    };
    let reason = |rule: &Rule, applied| Reason {
        rule: rule.clone(),
        applied,
        found: rule
            .asks
            .iter()
            .filter_map(|name| Some((name.clone(), value(name, principal, resource)?)))
            .collect(),
    };
    let reasons: Vec<_> = if decision.policies.is_empty() {
        let about: Vec<_> = policy.about(action).collect();
        let permits = policy.rules().iter().filter(|rule| !rule.forbids && about.contains(&rule.id.as_str()));
        permits.map(|rule| reason(rule, false)).collect()
    } else {
        let decided = policy.rules().iter().filter(|rule| decision.policies.contains(&rule.id));
        decided.map(|rule| reason(rule, true)).collect()
    };
    Explanation { allowed: decision.allowed, summary: summary(&decision, &reasons), reasons }
}

fn summary(decision: &Decision, reasons: &[Reason]) -> String {
    let names: Vec<_> = reasons.iter().map(|reason| format!("`{}`", reason.rule.id)).collect();
    let names = names.join(" and ");
    match (decision.allowed, decision.policies.is_empty()) {
        (true, _) => format!("allowed: {names} permits it, and nothing forbids it"),
        (false, false) => format!("denied: {names} forbids it"),
        (false, true) if reasons.is_empty() => "denied: no policy permits this to anybody".to_owned(),
        (false, true) => format!("denied: nothing permits it; {names} would, to others"),
    }
}

/// The value of an attribute in words. `None` for what the request has not: a tenant has no classification.
fn value(name: &str, principal: &Principal, resource: Resource<'_>) -> Option<String> {
    let (variable, attribute) = name.split_once('.')?;
    match (variable, resource) {
        ("principal", _) => of_principal(attribute, principal),
        ("resource", Resource::Label(..)) => of_label(attribute, principal, resource),
        ("context", Resource::Label(_, label)) if attribute == "purposes" => {
            let shared = label.purposes.iter().filter(|purpose| principal.purposes_in_use.contains(*purpose));
            Some(wording::purposes(shared.collect::<Purposes>()))
        }
        _ => None,
    }
}

fn of_principal(attribute: &str, principal: &Principal) -> Option<String> {
    Some(match attribute {
        "tenant" => principal.tenant_name.clone(),
        "role" => principal.role.to_string(),
        "clearance" => level(principal.clearance),
        "purposes" => wording::purposes(principal.purposes_in_use),
        "scopes" => list(&principal.scopes),
        "compartments" => list(&principal.compartments),
        _ => return None,
    })
}

fn of_label(attribute: &str, principal: &Principal, resource: Resource<'_>) -> Option<String> {
    let Resource::Label(tenant, label) = resource else { return None };
    Some(match attribute {
        "tenant" if tenant == principal.tenant => principal.tenant_name.clone(),
        "tenant" => "another".to_owned(),
        "kind" => label.kind.to_string(),
        "type" => label.thing_type.clone(),
        "classification" => level(label.classification),
        "licence" => label.licence.to_string(),
        "purposes" => wording::purposes(label.purposes),
        "retention" => label.retention.to_string(),
        "personal" => label.personal.to_string(),
        "source" => label.source.clone(),
        "compartments" => list(&label.compartments),
        _ => return None,
    })
}

/// Policies compare levels as numbers.
fn level(classification: Classification) -> String {
    format!("{classification} ({})", classification.code())
}

fn list<'a>(words: impl IntoIterator<Item = &'a String>) -> String {
    let words: Vec<_> = words.into_iter().map(String::as_str).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests;
