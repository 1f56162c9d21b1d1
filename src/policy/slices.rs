//! The part of a policy that can have a say on a label: Cedar evaluates what it is given, a microsecond or two for each rule.
//!
//! Most rules that a tenant writes are about one source, one type or one licence. One that asks for
//! `resource.source == "feed"`, whatever else it asks for, says nothing of other sources, and is left out for them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use cedar_policy::{Policy, PolicySet};
use serde_json::Value;
use storage::model::Label;

use super::limits::POLICIES_MAX;
use super::rules::{attribute, conditions};

/// The policies that can apply to an action.
#[derive(Debug)]
pub(super) struct Slice {
    whole: PolicySet,
    /// Those that have a say on every label.
    always: Vec<Policy>,
    /// Those that have one only where the label has some words.
    sometimes: Vec<(Policy, Vec<Need>)>,
}

/// What of a slice can have a say on labels met so far, by which of `sometimes` are in it.
pub(super) type Met = RefCell<HashMap<Bits, Rc<PolicySet>>>;

type Bits = [u64; POLICIES_MAX.div_ceil(64)];

/// A word that a label must have.
#[derive(Debug)]
struct Need {
    of: fn(&Label) -> &str,
    word: String,
}

impl Slice {
    pub(super) fn new(policies: Vec<Policy>) -> Slice {
        let whole = set(&policies);
        let (mut always, mut sometimes) = (Vec::new(), Vec::new());
        for policy in policies {
            match needs(&policy) {
                needs if needs.is_empty() => always.push(policy),
                needs => sometimes.push((policy, needs)),
            }
        }
        Slice { whole, always, sometimes }
    }

    /// All of it.
    pub(super) fn whole(&self) -> &PolicySet {
        &self.whole
    }

    /// What of it can have a say on a label.
    pub(super) fn about(&self, label: &Label, met: &Met) -> Rc<PolicySet> {
        let mut bits = Bits::default();
        for (place, (_, needs)) in self.sometimes.iter().enumerate() {
            if needs.iter().all(|need| (need.of)(label) == need.word) {
                bits[place / 64] |= 1 << (place % 64);
            }
        }
        let mut met = met.borrow_mut();
        Rc::clone(met.entry(bits).or_insert_with(|| Rc::new(self.part(bits))))
    }

    fn part(&self, bits: Bits) -> PolicySet {
        let is_in = |place: usize| bits[place / 64] & (1 << (place % 64)) != 0;
        let sometimes = self.sometimes.iter().enumerate().filter(|(place, _)| is_in(*place));
        set(self.always.iter().chain(sometimes.map(|(_, (policy, _))| policy)))
    }
}

fn set<'p>(policies: impl IntoIterator<Item = &'p Policy>) -> PolicySet {
    PolicySet::from_policies(policies.into_iter().cloned())
        .expect("ids that are unique in a set are so in a part of it")
}

/// The words without which the policy does not apply: what its `when`s, read as one chain of `&&`, compare for equality.
fn needs(policy: &Policy) -> Vec<Need> {
    let mut needs = Vec::new();
    let conditions = conditions(policy);
    for condition in conditions.as_array().into_iter().flatten().filter(|one| one["kind"] == "when") {
        chained(&condition["body"], &mut needs);
    }
    needs
}

fn chained(expression: &Value, needs: &mut Vec<Need>) {
    if let Some(both) = expression.get("&&") {
        chained(&both["left"], needs);
        chained(&both["right"], needs);
    } else if let Some(equal) = expression.get("==") {
        needs.extend(need(&equal["left"], &equal["right"]).or_else(|| need(&equal["right"], &equal["left"])));
    }
}

fn need(access: &Value, value: &Value) -> Option<Need> {
    let of: fn(&Label) -> &str = match attribute(access.get(".")?)?.as_str() {
        "resource.type" => |label| &label.thing_type,
        "resource.source" => |label| &label.source,
        "resource.kind" => |label| label.kind.as_str(),
        "resource.licence" => |label| label.licence.as_str(),
        "resource.retention" => |label| label.retention.as_str(),
        _ => return None,
    };
    // A string, or an entity of a vocabulary; strict validation has seen to it that it is of the attribute's type.
    let value = value.get("Value")?;
    let word = value.as_str().or_else(|| value["__entity"]["id"].as_str())?;
    Some(Need { of, word: word.to_owned() })
}

#[cfg(test)]
mod tests;
