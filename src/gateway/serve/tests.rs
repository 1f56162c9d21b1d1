use std::net::Ipv4Addr;

use super::*;
use crate::gateway::serve::places::Place;

fn address(last: u8) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, last).into()
}

fn admit(places: &Arc<Places>, last: u8) -> Place {
    match places.admit(address(last)) {
        Admission::Admitted(place, _) => place,
        Admission::Full => panic!("full"),
        Admission::AddressFull => panic!("the address is full"),
    }
}

fn is_closed(place: &Place) -> bool {
    use std::future::Future as _;
    let waker = std::task::Waker::noop();
    std::pin::pin!(place.activity.closed()).poll(&mut std::task::Context::from_waker(waker)).is_ready()
}

#[test]
fn whoever_has_been_quiet_longest_leaves_for_one_who_comes() {
    let places = Places::new(3, 3, &CancellationToken::new());
    let (first, second) = (admit(&places, 1), admit(&places, 2));
    let asking = first.activity.begin();
    std::thread::sleep(Duration::from_millis(5));
    let third = admit(&places, 3);
    let fourth = admit(&places, 4);
    assert!(is_closed(&second), "it was the longest that nobody heard of");
    assert!(![&first, &third, &fourth].into_iter().any(is_closed) && !fourth.is_reserve);
    drop(asking);
    assert_eq!(places.held(), 3);
    drop(second);
    assert_eq!(places.held(), 3, "a place is given back once");
}

#[test]
fn who_is_being_served_stays_and_others_get_the_reserve_or_nothing() {
    let places = Places::new(2, 100, &CancellationToken::new());
    let served: Vec<_> = (1..3).map(|last| admit(&places, last)).collect();
    let _asking: Vec<_> = served.iter().map(|place| place.activity.begin()).collect();
    let mut reserve = Vec::new();
    let refused = loop {
        match places.admit(address(3)) {
            Admission::Admitted(place, left) => {
                assert!(place.is_reserve && left == 0);
                reserve.push((place.activity.begin(), place));
            }
            other => break other,
        }
    };
    assert!(matches!(refused, Admission::Full) && reserve.len() == 32, "{}", reserve.len());
    assert!(!served.iter().any(is_closed));
}

#[test]
fn one_address_does_not_take_the_places_of_all() {
    let places = Places::new(100, 2, &CancellationToken::new());
    let own = [admit(&places, 1), admit(&places, 1)];
    let other = admit(&places, 2);
    let next = admit(&places, 1);
    assert_eq!(own.iter().filter(|place| is_closed(place)).count(), 1, "its own oldest leaves");
    assert!(!is_closed(&other) && !is_closed(&next));
    let _asking: Vec<_> = own.iter().chain([&next]).map(|place| place.activity.begin()).collect();
    assert!(matches!(places.admit(address(1)), Admission::AddressFull));
    let subnet = |last: u16| {
        "2001:db8::"
            .parse::<std::net::Ipv6Addr>()
            .map(|net| IpAddr::V6((net.to_bits() + u128::from(last)).into()))
    };
    let network: Vec<_> = (1..=3).map(|last| places.admit(subnet(last).expect("an address"))).collect();
    assert_eq!(places.held(), 5, "an IPv6 network is one client");
    drop(network);
    assert_eq!(places.held(), 3, "a place that is dropped is given back");
}

#[test]
fn time_runs_only_while_it_is_the_clients_turn() {
    let patience = Patience {
        header: Duration::from_millis(20),
        idle: Duration::from_millis(60),
        write: Duration::from_millis(20),
        write_bytes_min: 10,
    };
    let sleep = |ms| std::thread::sleep(Duration::from_millis(ms));
    let activity = Arc::new(Activity::new(std::time::Instant::now(), &CancellationToken::new()));
    assert_eq!(activity.overdue(&patience), None);
    sleep(25);
    assert_eq!(activity.overdue(&patience).map(|why| why.as_str()), Some("slow_header"), "it never asked");
    let working = activity.begin();
    sleep(70);
    assert_eq!(activity.overdue(&patience), None, "we are at work");
    activity.stalled();
    activity.wrote(100);
    sleep(25);
    assert_eq!(activity.overdue(&patience), None, "it reads, slowly");
    sleep(25);
    assert_eq!(activity.overdue(&patience).map(|why| why.as_str()), Some("slow_reader"));
    activity.flushed();
    drop(working);
    assert_eq!(activity.overdue(&patience), None, "a pause between two requests is longer");
    activity.head_came(None);
    sleep(25);
    assert_eq!(activity.overdue(&patience).map(|why| why.as_str()), Some("slow_header"));
    drop(activity.begin());
    sleep(65);
    assert_eq!(activity.overdue(&patience).map(|why| why.as_str()), Some("idle"));
}
