use super::*;

#[test]
fn a_request_is_for_one_of_its_tokens_purposes() {
    let carried = [Purpose::Demo, Purpose::ThreatIntel].into_iter().collect();
    assert_eq!(purpose_in_use(carried, None), Ok(Purpose::ThreatIntel));
    assert_eq!(
        purpose_in_use(carried, Some(Purpose::Demo)),
        Ok(Purpose::Demo)
    );
    let refused = purpose_in_use(carried, Some(Purpose::Training)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "purpose `training` is not among this token's (threat-intel, demo); ask for one of those"
    );
    assert_eq!(
        purpose_in_use(Purposes::default(), None),
        Err(PurposeRefused::NoneCarried)
    );
}
