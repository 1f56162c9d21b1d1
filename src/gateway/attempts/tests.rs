use super::*;

fn peer(text: &str) -> IpAddr {
    network(text.parse().unwrap())
}

#[test]
fn an_address_that_fails_too_often_waits_and_no_other_does() {
    let attempts = Attempts::default();
    let (one, other) = (peer("192.0.2.1"), peer("192.0.2.2"));
    for _ in 0..PER_ADDRESS_MAX {
        attempts.admit(one).unwrap();
        attempts.failed(one);
    }
    let refused = attempts.admit(one).unwrap_err();
    assert_eq!((refused.status, refused.code), (StatusCode::TOO_MANY_REQUESTS, "sign_in_limited"));
    attempts.admit(other).unwrap();
    attempts.window.lock().unwrap().began = Instant::now().checked_sub(WINDOW);
    attempts.admit(one).unwrap();
}

#[test]
fn many_addresses_together_wait_as_well() {
    let attempts = Attempts::default();
    for n in 0..TOTAL_MAX {
        attempts.failed(IpAddr::from(n.to_be_bytes()));
    }
    assert!(attempts.admit(peer("192.0.2.1")).is_err());
}

#[test]
fn a_network_is_one_address() {
    assert_eq!(peer("2001:db8::1"), peer("2001:db8::2"));
    assert_ne!(peer("2001:db8::1"), peer("2001:db8:0:1::1"));
    assert_eq!(peer("::ffff:192.0.2.1"), peer("192.0.2.1"));
}
