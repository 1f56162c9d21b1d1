use proptest::prelude::*;

use super::super::examples::{HERE, any_label, any_principal};
use super::super::{Action, Policy, Resource};
use super::*;

/// Rules about one source, type, licence, kind or tier, in every form that is seen through, and in some that are not.
const RULES: &[&str] = &[
    "resource.source == \"feed\"",
    "\"other\" == resource.source && principal.clearance > 2",
    "resource.personal && (resource.type == \"malware\" && resource.licence == Licence::\"MIT-OK\")",
    "resource.kind == Kind::\"relation\" && resource.retention == Retention::\"short-30d\"",
    "resource.source == \"feed\" || resource.type == \"malware\"",
    "!(resource.source == \"feed\") && resource.licence == Licence::\"Embargoed\"",
    "resource.source == resource.type && resource.classification == 2",
];

/// `seen` rules are written so that they are seen through, the others so that they never are.
fn policy(effect: &str, seen: bool) -> Policy {
    let rule = |(n, condition): (usize, &&str)| {
        let condition =
            if seen { (*condition).to_owned() } else { format!("({condition}) || principal.clearance > 9") };
        format!(
            "@id(\"r{n}\") {effect} (principal, action in Action::\"read\", resource) when {{ {condition} }};\n"
        )
    };
    let rules: String = RULES.iter().enumerate().map(rule).collect();
    Policy::load(&format!("{}{rules}", Policy::built_in().text())).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_left_out_has_no_say(principal in any_principal(), labels in prop::collection::vec(any_label(), 1..8)) {
        thread_local!(static POLICIES: [[Policy; 2]; 2] =
            ["permit", "forbid"].map(|effect| [policy(effect, true), policy(effect, false)]));
        POLICIES.with(|policies| {
            for [seen, unseen] in policies {
                let question = seen.question(&principal, Action::EntityRead);
                for label in &labels {
                    let resource = Resource::Label(HERE, label);
                    prop_assert_eq!(question.of(resource), unseen.decide(&principal, Action::EntityRead, resource));
                }
            }
            Ok(())
        })?;
    }
}

#[test]
fn rules_about_words_are_left_out_where_the_words_are_not() {
    let sometimes = |condition: &str| {
        let text = format!("forbid (principal, action, resource is Label) when {{ {condition} }};");
        needs(&text.parse::<PolicySet>().unwrap().policies().next().unwrap().clone()).len()
    };
    let counts: Vec<_> = RULES.iter().map(|condition| sometimes(condition)).collect();
    assert_eq!(counts, [1, 1, 2, 2, 0, 1, 0]);
}
