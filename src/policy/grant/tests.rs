use super::super::examples::{HERE, a, open_label};
use super::super::{Action, Policy, Resource};
use super::*;

const NOON: i64 = 1_000_000;

#[test]
fn the_same_or_less_is_granted() {
    let mut admin = a(Role::Admin);
    admin.scopes.insert("graphql.adhoc".to_owned());
    assert_eq!(may_grant(&admin, &same(&admin), NOON), Ok(()));
    let less = TokenSpec {
        role: Role::Writer,
        clearance: Classification::Public,
        purposes: [Purpose::Demo].into_iter().collect(),
        scopes: Vec::new(),
        expires_at_us: NOON + 1,
        ..same(&admin)
    };
    assert_eq!(may_grant(&admin, &less, NOON), Ok(()));
}

#[test]
fn only_an_owner_makes_an_owner_and_only_an_owner_or_admin_an_admin() {
    granted(Role::Owner, "owner admin analyst reader writer auditor");
    granted(Role::Admin, "admin analyst reader writer auditor");
    granted(Role::Analyst, "analyst reader writer");
    granted(Role::Reader, "reader");
    granted(Role::Writer, "writer");
    granted(Role::Auditor, "auditor");
}

fn granted(own: Role, expected: &str) {
    let spec = |role: Role| TokenSpec { role, ..same(&a(own)) };
    let granted = |role: &&Role| may_grant(&a(own), &spec(**role), NOON).is_ok();
    let names: Vec<_> = Role::ALL.iter().filter(granted).map(|role| role.as_str()).collect();
    assert_eq!(names.join(" "), expected, "{own}");
}

/// A role that may be given can do nothing, under the policy of a new tenant, that its giver cannot.
#[test]
fn no_role_gives_a_right_it_has_not() {
    let policy = Policy::built_in();
    let label = open_label();
    let may = |role: Role, action: Action| {
        let resource = if action.is_read() { Resource::Label(HERE, &label) } else { Resource::Tenant(HERE) };
        policy.decide(&a(role), action, resource).allowed
    };
    for &own in Role::ALL {
        for &given in Role::ALL.iter().filter(|given| includes(own, **given)) {
            for &action in Action::ALL {
                assert!(may(own, action) || !may(given, action), "{own} {given} {action}");
            }
        }
    }
}

#[test]
fn more_of_anything_is_refused_and_named() {
    refused(
        |spec| spec.role = Role::Owner,
        "role `owner` is not for a token of role `admin` to give; ask an owner",
    );
    refused(
        |spec| spec.clearance = Classification::Confidential,
        "clearance `confidential` is above your own, which is `internal`; ask for that or less",
    );
    refused(
        |spec| spec.purposes = Purposes::ALL,
        "purpose `investigation` is not among your own (threat-intel, demo); ask for some of those",
    );
    refused(
        |spec| spec.purposes = Purposes::default(),
        "a token without a purpose lets nobody in; name one of yours (threat-intel, demo)",
    );
    refused(
        |spec| spec.scopes.push("embargoed.read".to_owned()),
        "scope `embargoed.read` is not among your own (graphql.adhoc); leave it out, or ask somebody who has it",
    );
}

#[test]
fn an_owner_gives_rights_that_nobody_holds_yet() {
    let owner = Principal { role: Role::Owner, ..granter() };
    let mut spec = same(&owner);
    spec.scopes.push("embargoed.read".to_owned());
    assert_eq!(may_grant(&owner, &spec, NOON), Ok(()));
}

#[test]
fn an_expiry_is_ahead_and_within_a_year_and_a_day() {
    let last = NOON + TOKEN_DAYS_MAX * DAY_US;
    let at = |expires_at_us| {
        let spec = TokenSpec { expires_at_us, ..same(&granter()) };
        may_grant(&granter(), &spec, NOON)
    };
    assert_eq!(at(NOON), Err(GrantRefused::Over));
    assert_eq!(at(i64::MIN), Err(GrantRefused::Over));
    assert_eq!(at(NOON + 1), Ok(()));
    assert_eq!(at(last), Ok(()));
    assert_eq!(at(last + 1), Err(GrantRefused::TooLong));
    assert_eq!(at(i64::MAX), Err(GrantRefused::TooLong));
}

/// Naming a purpose for one request takes nothing from what the maker's token carries.
#[test]
fn the_purposes_carried_count_not_those_in_use() {
    let mut granter = granter();
    granter.purposes_in_use = [Purpose::Demo].into_iter().collect();
    assert_eq!(may_grant(&granter, &same(&granter), NOON), Ok(()));
}

fn refused(change: fn(&mut TokenSpec), message: &str) {
    let mut spec = same(&granter());
    change(&mut spec);
    let refused = may_grant(&granter(), &spec, NOON).unwrap_err();
    assert_eq!(refused.to_string(), message);
}

fn granter() -> Principal {
    let purposes = [Purpose::Demo, Purpose::ThreatIntel].into_iter().collect();
    Principal {
        purposes,
        purposes_in_use: purposes,
        scopes: ["graphql.adhoc".to_owned()].into(),
        ..a(Role::Admin)
    }
}

/// A token that is all that its maker is, for a day.
fn same(granter: &Principal) -> TokenSpec {
    TokenSpec {
        id: "0123456789".to_owned(),
        secret_sha256: [0; 32],
        role: granter.role,
        clearance: granter.clearance,
        purposes: granter.purposes,
        scopes: granter.scopes.iter().cloned().collect(),
        expires_at_us: NOON + DAY_US,
    }
}
