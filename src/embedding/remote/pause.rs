//! After a failure the embedder is left alone for a while, for longer each time.

use std::time::{Duration, Instant};

use super::answer::Refusal;

/// After the first failure,
const FIRST: Duration = Duration::from_millis(500);
/// and at most; unless it says itself for how long,
const LONGEST: Duration = Duration::from_secs(60);
/// which it is believed up to here.
const SAID_MAX: Duration = Duration::from_secs(600);

/// Why and until when it is not asked.
#[derive(Default)]
pub(super) struct Pause {
    failures: u32,
    until: Option<(Instant, Refusal)>,
}

impl Pause {
    /// Why it is not asked now.
    pub(super) fn holds(&self, now: Instant) -> Option<Refusal> {
        self.until.as_ref().filter(|(until, _)| now < *until).map(|(_, refusal)| refusal.clone())
    }

    pub(super) fn begin(&mut self, refusal: &Refusal, now: Instant) {
        // What is told again while the pause lasts is no other failure.
        if self.holds(now).is_some() {
            return;
        }
        let pause = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        let pause = match refusal {
            Refusal::Status { again: Some(said), .. } => pause.max((*said).min(SAID_MAX)),
            _ => pause,
        };
        self.failures += 1;
        self.until = Some((now + pause, refusal.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_are_what_the_embedder_says() {
        let (mut pause, mut now) = (Pause::default(), Instant::now());
        let mut lengths = Vec::new();
        for _ in 0..10 {
            pause.begin(&Refusal::Broken, now);
            let begun = now;
            while pause.holds(now).is_some() {
                now += Duration::from_millis(500);
            }
            lengths.push((now - begun).as_millis());
        }
        assert_eq!(lengths[..5], [500, 1000, 2000, 4000, 8000]);
        assert_eq!(lengths.last(), Some(&60_000));
        let said = |again: u64| Refusal::Status { status: 429, again: Some(Duration::from_secs(again)) };
        pause.begin(&said(100), now);
        assert!(pause.holds(now + Duration::from_secs(99)).is_some());
        pause.begin(&said(100), now + Duration::from_secs(99));
        assert!(
            pause.holds(now + Duration::from_secs(101)).is_none(),
            "a pause is not made longer by who waits"
        );
        let mut pause = Pause::default();
        pause.begin(&said(1 << 40), now);
        assert!(pause.holds(now + SAID_MAX).is_none());
    }
}
