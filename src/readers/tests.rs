use super::*;

#[tokio::test]
async fn waiting_has_an_end_and_the_queue_too() {
    let readers = Arc::new(Readers::default());
    let mut held = Vec::new();
    for _ in 0..READERS_MAX {
        held.push(readers.enter().await.expect("a place"));
    }
    let waiting: Vec<_> = (0..WAITING_MAX + 1)
        .map(|_| {
            let readers = Arc::clone(&readers);
            tokio::spawn(async move { readers.enter().await.is_ok() })
        })
        .collect();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(readers.waiting(), WAITING_MAX, "one more was sent away at once");
    held.pop();
    let mut entered = 0;
    for turn in waiting {
        entered += u64::from(turn.await.expect("no panic"));
    }
    assert!(entered >= 1, "a place that is given back is taken");
    assert_eq!(readers.waiting(), 0);
}
