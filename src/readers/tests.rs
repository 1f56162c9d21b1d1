use super::*;

const ONE: TenantId = TenantId(1);
const OTHER: TenantId = TenantId(2);

async fn settle() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn waiting_has_an_end_and_the_queue_too() {
    let readers = Arc::new(Readers::sharing(2));
    let mut held = Vec::new();
    for _ in 0..READERS_MAX {
        held.push(readers.enter(ONE).await.expect("a place"));
    }
    let waiting: Vec<_> = (0..WAITING_MAX + 1)
        .map(|_| {
            let readers = Arc::clone(&readers);
            tokio::spawn(async move { readers.enter(ONE).await.is_ok() })
        })
        .collect();
    settle().await;
    assert_eq!(readers.waiting(), WAITING_MAX, "one more was sent away at once");
    held.pop();
    let mut entered = 0;
    for turn in waiting {
        entered += u64::from(turn.await.expect("no panic"));
    }
    assert!(entered >= 1, "a place that is given back is taken");
    assert_eq!(readers.waiting(), 0);
    drop(held);
    assert_eq!(readers.busy(), 0, "those who gave up hold nothing");
}

#[tokio::test]
async fn a_tenant_comes_in_at_once_beside_one_that_floods() {
    let readers = Arc::new(Readers::sharing(2));
    drop(readers.enter(OTHER).await.expect("a place"));
    let mut first =
        vec![readers.enter(ONE).await.expect("a place"), readers.enter(ONE).await.expect("a place")];
    let flood: Vec<_> = (0..20)
        .map(|_| {
            let readers = Arc::clone(&readers);
            tokio::spawn(async move { readers.enter(ONE).await.map(drop).is_ok() })
        })
        .collect();
    settle().await;
    assert_eq!((readers.busy(), readers.waiting()), (2, 20), "beside another it has as many as is fair");
    let (place, _) = readers.enter(OTHER).await.expect("a place");
    assert_eq!(readers.busy(), 3);
    first.clear();
    for turn in flood {
        assert!(turn.await.expect("no panic"), "those who waited come in one after the other");
    }
    drop(place);
    assert_eq!((readers.busy(), readers.waiting()), (0, 0));
}

#[tokio::test]
async fn a_tenant_alone_may_have_every_place() {
    let readers = Readers::sharing(2);
    let mut held = Vec::new();
    for _ in 0..READERS_MAX {
        held.push(readers.enter(ONE).await.expect("a place"));
    }
    assert_eq!(readers.busy(), READERS_MAX);
}
