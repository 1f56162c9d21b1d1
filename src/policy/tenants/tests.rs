use proptest::prelude::*;

use super::super::examples::{any_action, any_principal};
use super::*;

/// Forbids to the one tenant what it leaves to every other.
const ANOTHER: &str =
    r#"permit(principal, action, resource); forbid(principal, action, resource == Tenant::"2");"#;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn what_is_remembered_is_what_the_policy_says(
        asked in proptest::collection::vec((any_principal(), any_action(), 1..3_u32, any::<bool>()), 1..40),
    ) {
        let policies = [Policy::built_in(), Policy::load(ANOTHER).expect("valid")];
        let cache = TenantCache::default();
        for (mut principal, action, tenant, another) in asked.iter().cycle().take(asked.len() * 2).cloned() {
            principal.tenant = TenantId(tenant);
            let policy = &policies[usize::from(another)];
            let decision = policy.decide(&principal, action, Resource::Tenant(principal.tenant));
            prop_assert_eq!(&*cache.decide(policy, &principal, action), &decision);
        }
    }
}
