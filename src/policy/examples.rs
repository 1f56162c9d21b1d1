//! Principals and labels that tests start from.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use storage::ids::{ActorId, TenantId};
use storage::model::{Classification, Label, LabelKind, Licence, Purpose, Purposes, Retention, Role};

use super::{Action, Principal};

pub(super) const HERE: TenantId = TenantId(1);
pub(super) const ELSEWHERE: TenantId = TenantId(2);

/// May read [`open_label`], whatever the role allows otherwise.
pub(super) fn a(role: Role) -> Principal {
    Principal {
        actor: ActorId(7),
        tenant: HERE,
        tenant_name: "default".to_owned(),
        token_id: "0123456789".to_owned(),
        role,
        clearance: Classification::Internal,
        purposes: Purposes::ALL,
        purposes_in_use: [Purpose::ThreatIntel].into_iter().collect(),
        scopes: BTreeSet::new(),
        compartments: BTreeSet::new(),
        request: None,
    }
}

/// Nothing about it keeps anybody out.
pub(super) fn open_label() -> Label {
    Label {
        kind: LabelKind::Entity,
        thing_type: "malware".to_owned(),
        classification: Classification::Public,
        licence: Licence::OpenDataOk,
        purposes: Purposes::ALL,
        retention: Retention::Standard365d,
        personal: false,
        source: "feed".to_owned(),
        compartments: Vec::new(),
    }
}

pub(super) fn any_principal() -> impl Strategy<Value = Principal> {
    let who = (select(vec![HERE, ELSEWHERE]), select(Role::ALL), select(Classification::ALL), any_purposes());
    let rights = (
        subsequence(words(&["embargoed.read", "graphql.adhoc"]), 0..=2),
        subsequence(words(&["alpha", "beta"]), 0..=2),
    );
    (who, rights).prop_map(|((tenant, role, clearance, purposes_in_use), (scopes, compartments))| Principal {
        tenant,
        clearance,
        purposes_in_use,
        scopes: scopes.into_iter().collect(),
        compartments: compartments.into_iter().collect(),
        ..a(role)
    })
}

pub(super) fn any_label() -> impl Strategy<Value = Label> {
    let thing = (
        select(LabelKind::ALL),
        select(words(&["malware", "", "t\"\\{}"])),
        select(words(&["feed", "other"])),
    );
    let terms = (
        select(Classification::ALL),
        select(Licence::ALL),
        (0..=u8::MAX).prop_map(Purposes::from_bits),
        select(Retention::ALL),
        any::<bool>(),
        subsequence(words(&["alpha", "beta"]), 0..=2),
    );
    (thing, terms).prop_map(|((kind, thing_type, source), terms)| {
        let (classification, licence, purposes, retention, personal, compartments) = terms;
        Label {
            kind,
            thing_type,
            classification,
            licence,
            purposes,
            retention,
            personal,
            source,
            compartments,
        }
    })
}

/// One half of the time, as a request that names its purpose; any set otherwise.
fn any_purposes() -> impl Strategy<Value = Purposes> {
    let one = select(Purpose::ALL).prop_map(|purpose| [purpose].into_iter().collect());
    let some = subsequence(Purpose::ALL, 1..=Purpose::ALL.len());
    prop_oneof![one, some.prop_map(|purposes| purposes.into_iter().collect())]
}

pub(super) fn any_action() -> impl Strategy<Value = Action> {
    select(Action::ALL)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}
