use super::*;

/// A reader that has stopped reading holds up nobody who logs, and hears later how much it missed.
#[test]
fn a_line_too_many_is_dropped_and_counted() {
    let (queue, waiting) = sync_channel(2);
    let mut lines = Lines { queue, dropped: Arc::default() };
    for _ in 0..5 {
        lines.write_all(b"line\n").expect("never fails");
    }
    let dropped = Arc::clone(&lines.dropped);
    drop(lines);
    let mut written = Vec::new();
    write_all(&waiting, &dropped, &mut written);
    let written = String::from_utf8(written).expect("UTF-8");
    assert_eq!(written.matches("line\n").count(), 2, "{written}");
    assert!(written.contains("\"lines\":3"), "{written}");
}
