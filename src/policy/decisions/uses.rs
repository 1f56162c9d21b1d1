//! What one request was shown, gathered while it is answered and noted when it ends.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use storage::ids::LabelId;

use super::{DecisionLog, Made, On, Who};
use crate::policy::{Action, Allowed, Decision, InForce, Principal};

/// What one request was shown. Dropping it notes it, so that no way out of a request forgets to.
#[derive(Debug)]
pub struct Uses {
    log: Arc<DecisionLog>,
    who: Who,
    request: Option<Arc<str>>,
    made: RefCell<Shown>,
}

/// What was decided of what, and how often.
type Shown = HashMap<(Action, On), (Arc<Decision>, u64)>;

impl Uses {
    /// Nothing yet, of a principal whose labels `in_force` decided.
    #[must_use]
    pub fn new(log: Arc<DecisionLog>, principal: &Principal, in_force: &InForce) -> Uses {
        let request = principal.request.clone();
        Uses { log, who: Who::of(principal, in_force), request, made: RefCell::default() }
    }

    /// Something with this label was asked for: it was shown if `allowed` has the label, else it was denied.
    pub fn used(&self, action: Action, allowed: &Allowed, label: LabelId) {
        if let Some(decision) = allowed.decision(label) {
            self.count((action, On::Label(label.0)), || Arc::clone(decision));
        }
    }

    /// A search or list was asked, and carries the labels that may be seen.
    pub fn filtered(&self, action: Action, allowed: &Allowed) {
        let (of, allowed) = allowed.decided();
        let decision = || Arc::new(Decision { allowed: allowed > 0, policies: Vec::new() });
        self.count((action, On::Filter { allowed, of }), decision);
    }

    fn count(&self, what: (Action, On), decision: impl FnOnce() -> Arc<Decision>) {
        self.made.borrow_mut().entry(what).or_insert_with(|| (decision(), 0)).1 += 1;
    }
}

impl Drop for Uses {
    fn drop(&mut self) {
        let made = self.made.take();
        if !made.is_empty() {
            let requests: Vec<_> = self.request.iter().cloned().collect();
            let made = made.into_iter().map(|(what, (decision, count))| {
                (what, Made { decision, count, requests: requests.clone() })
            });
            self.log.add(&self.who, made);
        }
    }
}
