use super::*;

fn buckets() -> Buckets<u64> {
    Buckets::new(2.0, 3.0)
}

#[test]
fn a_bucket_holds_a_burst_and_fills_with_time() {
    let (buckets, now) = (buckets(), Instant::now());
    for _ in 0..3 {
        assert_eq!(buckets.take(1, now), Ok(()));
    }
    assert_eq!(buckets.take(1, now), Err(Duration::from_millis(500)));
    assert_eq!(buckets.take(2, now), Ok(()), "another's bucket is full");
    assert_eq!(buckets.take(1, now + Duration::from_millis(500)), Ok(()));
    assert!(buckets.take(1, now + Duration::from_millis(600)).is_err());
    for _ in 0..3 {
        assert_eq!(
            buckets.take(1, now + Duration::from_secs(60)),
            Ok(()),
            "no more than a burst is saved up"
        );
    }
    assert!(buckets.take(1, now + Duration::from_secs(60)).is_err());
}

#[test]
fn memory_is_bounded_and_an_empty_bucket_outlives_full_ones() {
    let (buckets, now) = (buckets(), Instant::now());
    for _ in 0..4 {
        let _ = buckets.take(0, now + Duration::from_secs(10));
    }
    for key in 1..3 * BUCKETS_MAX as u64 {
        let _ = buckets.take(key, now);
        assert!(buckets.levels.lock().expect("no panic").len() <= BUCKETS_MAX);
    }
    let _ = (0..BUCKETS_MAX as u64).map(|key| buckets.take(key + 1_000_000, now + Duration::from_secs(10)));
    assert!(buckets.take(7, now + Duration::from_secs(10)).is_ok());
}

#[test]
fn a_network_is_one_address() {
    let network = |text: &str| network(text.parse().expect("an address"));
    assert_eq!(network("2001:db8::1"), network("2001:db8::2"));
    assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
    assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
}
