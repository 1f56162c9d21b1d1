use super::*;

fn course(bytes: Option<u64>) -> (Course, Arc<AtomicU64>) {
    let read = Arc::new(AtomicU64::new(0));
    (Course::new(Arc::clone(&read), bytes, None), read)
}

fn counts(read: u64) -> RunCounts {
    RunCounts { read, ..RunCounts::default() }
}

#[test]
fn a_rate_is_of_the_last_seconds_and_says_what_is_left() {
    let (course, read) = course(Some(1_000_000));
    let began = course.state().began;
    for second in 1..=20 {
        // Ten times as fast from the eleventh second on.
        let step = if second > 10 { 10_000 } else { 1_000 };
        read.fetch_add(step, Ordering::Relaxed);
        course.counted(counts(second * 10));
        course.look(began + Duration::from_secs(second));
    }
    let look = course.look(began + Duration::from_secs(20));
    assert_eq!((look.bytes_read, look.counts.read), (110_000, 200));
    assert!((look.bytes_per_second - 10_000.0).abs() < 1.0, "{look:?}");
    assert!((look.objects_per_second - 10.0).abs() < 0.1, "{look:?}");
    assert_eq!(look.left().expect("known").as_secs(), 89);
    assert!(course.state().samples.len() < 10, "the window is bounded");
}

#[test]
fn what_cannot_be_told_is_not_guessed() {
    let (endless, read) = course(None);
    read.store(5, Ordering::Relaxed);
    let later = Instant::now() + Duration::from_secs(1);
    assert_eq!(endless.look(later).left(), None, "it does not say how long it is");
    let (still, _) = course(Some(5));
    assert_eq!(still.look(later).left(), None, "nothing comes");
    let (done, read) = course(Some(5));
    read.store(5, Ordering::Relaxed);
    done.settles();
    assert_eq!(done.look(later).left(), None, "settling is not of bytes");
}

#[test]
fn an_import_is_listed_until_it_ends() {
    let going = Going::default();
    let key = (TenantId(1), RunId(7));
    let listed = going.list(key.0, key.1, Arc::default());
    assert!(going.course(key.0, key.1).is_some() && going.course(TenantId(2), key.1).is_none());
    drop(listed);
    assert!(going.course(key.0, key.1).is_none());
}
