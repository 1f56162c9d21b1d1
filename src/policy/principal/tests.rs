use super::*;

#[test]
fn a_request_is_for_the_purpose_it_names_or_for_all_its_token_carries() {
    let carried = [Purpose::Demo, Purpose::ThreatIntel].into_iter().collect();
    assert_eq!(purposes_in_use(carried, None), Ok(carried));
    let demo = [Purpose::Demo].into_iter().collect();
    assert_eq!(purposes_in_use(carried, Some(Purpose::Demo)), Ok(demo));
    let refused = purposes_in_use(carried, Some(Purpose::Training)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "purpose `training` is not among this token's (threat-intel, demo); ask for one of those"
    );
}

#[test]
fn a_token_without_a_purpose_is_for_nothing() {
    for wanted in [None, Some(Purpose::Demo)] {
        let refused = purposes_in_use(Purposes::default(), wanted);
        assert_eq!(refused, Err(PurposeRefused::NoneCarried));
    }
}

#[test]
fn a_record_names_the_first_purpose_in_use() {
    let mut principal = super::super::examples::a(Role::Analyst);
    principal.purposes_in_use = [Purpose::Demo, Purpose::FraudRisk].into_iter().collect();
    assert_eq!(principal.recorded_purpose(), Purpose::FraudRisk);
}
