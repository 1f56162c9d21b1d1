//! The labels that a policy can tell apart.

use std::collections::BTreeSet;

use storage::model::{Classification, Label, LabelKind, Licence, Purpose, Purposes, Retention};

use crate::policy::Policy;

/// A word that no policy compares with.
const UNKNOWN: &str = "\u{1}";

/// One label of each kind that the policy can tell from the others; `None` if they are more than `most`.
pub(super) fn labels(policy: &Policy, most: usize) -> Option<Vec<Label>> {
    let space = Space::of(policy);
    (space.size() <= most).then(|| space.labels())
}

/// Whether two labels have the same values of the attributes asked for.
pub(super) fn are_alike(asked: &BTreeSet<&str>, one: &Label, other: &Label) -> bool {
    asked.iter().all(|attribute| match *attribute {
        "resource.kind" => one.kind == other.kind,
        "resource.type" => one.thing_type == other.thing_type,
        "resource.classification" => one.classification == other.classification,
        "resource.licence" => one.licence == other.licence,
        "resource.purposes" | "context.purposes" => one.purposes == other.purposes,
        "resource.retention" => one.retention == other.retention,
        "resource.personal" => one.personal == other.personal,
        "resource.source" => one.source == other.source,
        "resource.compartments" => one.compartments == other.compartments,
        // The same for all: one principal asks, and all labels are of one tenant.
        other => other.starts_with("principal.") || other == "resource.tenant",
    })
}

/// The words that the policy compares some attributes with, and one that it does not know.
pub(super) fn words(policy: &Policy, attributes: &[&str]) -> BTreeSet<String> {
    let of = |attribute: &&str| {
        let rules = policy.rules().iter();
        rules.filter_map(|rule| rule.words.get(*attribute)).flatten().cloned().collect::<Vec<_>>()
    };
    attributes.iter().flat_map(of).chain([UNKNOWN.to_owned()]).collect()
}

/// The values of each attribute that make a difference.
struct Space {
    kinds: Vec<LabelKind>,
    types: Vec<String>,
    classifications: Vec<Classification>,
    licences: Vec<Licence>,
    purposes: Vec<Purposes>,
    retentions: Vec<Retention>,
    personal: Vec<bool>,
    sources: Vec<String>,
    compartments: Vec<Vec<String>>,
}

impl Space {
    fn of(policy: &Policy) -> Space {
        let asked: BTreeSet<&str> =
            policy.rules().iter().flat_map(|rule| rule.asks.iter().map(String::as_str)).collect();
        let asks = |attribute: &str| asked.contains(format!("resource.{attribute}").as_str());
        let words = |attribute: &str| words(policy, &[&format!("resource.{attribute}")]);
        let purposes = asks("purposes") || asked.contains("context.purposes");
        Space {
            kinds: some(LabelKind::ALL, asks("kind")),
            types: words("type").into_iter().collect(),
            // Always all: what is above somebody's clearance must be among them.
            classifications: Classification::ALL.to_vec(),
            licences: some(Licence::ALL, asks("licence")),
            purposes: if purposes { sets_of_purposes() } else { vec![Purposes::ALL] },
            retentions: some(Retention::ALL, asks("retention")),
            personal: some(&[false, true], asks("personal")),
            sources: words("source").into_iter().collect(),
            compartments: if asks("compartments") {
                words("compartments").into_iter().map(|word| vec![word]).chain([Vec::new()]).collect()
            } else {
                vec![Vec::new()]
            },
        }
    }

    fn size(&self) -> usize {
        let sizes = [
            self.kinds.len(),
            self.types.len(),
            self.classifications.len(),
            self.licences.len(),
            self.purposes.len(),
            self.retentions.len(),
            self.personal.len(),
            self.sources.len(),
            self.compartments.len(),
        ];
        sizes.into_iter().fold(1, usize::saturating_mul)
    }

    /// Each combination: attribute by attribute, every label so far gets every value.
    fn labels(&self) -> Vec<Label> {
        let mut labels = vec![Label {
            kind: LabelKind::Entity,
            thing_type: UNKNOWN.to_owned(),
            classification: Classification::Public,
            licence: Licence::OpenDataOk,
            purposes: Purposes::ALL,
            retention: Retention::Standard365d,
            personal: false,
            source: UNKNOWN.to_owned(),
            compartments: Vec::new(),
        }];
        vary(&mut labels, &self.kinds, |label, kind| label.kind = *kind);
        vary(&mut labels, &self.types, |label, word| label.thing_type.clone_from(word));
        vary(&mut labels, &self.classifications, |label, level| label.classification = *level);
        vary(&mut labels, &self.licences, |label, licence| label.licence = *licence);
        vary(&mut labels, &self.purposes, |label, purposes| label.purposes = *purposes);
        vary(&mut labels, &self.retentions, |label, retention| label.retention = *retention);
        vary(&mut labels, &self.personal, |label, personal| label.personal = *personal);
        vary(&mut labels, &self.sources, |label, word| label.source.clone_from(word));
        vary(&mut labels, &self.compartments, |label, words| label.compartments.clone_from(words));
        labels
    }
}

fn vary<T>(labels: &mut Vec<Label>, values: &[T], set: impl Fn(&mut Label, &T)) {
    let with = |label: &Label, value: &T| {
        let mut label = label.clone();
        set(&mut label, value);
        label
    };
    *labels = labels.iter().flat_map(|label| values.iter().map(move |value| with(label, value))).collect();
}

/// All values if the policy asks for them, else one: it decides alike on each.
fn some<T: Clone>(all: &[T], asked: bool) -> Vec<T> {
    if asked { all.to_vec() } else { all[..1].to_vec() }
}

/// All purposes, each alone, and none.
fn sets_of_purposes() -> Vec<Purposes> {
    let alone = Purpose::ALL.iter().map(|purpose| Purposes::from_iter([*purpose]));
    alone.chain([Purposes::ALL, Purposes::default()]).collect()
}
