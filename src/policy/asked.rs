//! Which actions were decided on labels while something was read: so that whoever answers can see that policy was
//! asked for what he declares.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::Action;

thread_local! {
    static ASKED: RefCell<BTreeSet<Action>> = const { RefCell::new(BTreeSet::new()) };
}

/// Reads something on this thread; gives what was found and the actions that were asked for.
pub(crate) fn during<T>(reading: impl FnOnce() -> T) -> (T, BTreeSet<Action>) {
    ASKED.take();
    let found = reading();
    (found, ASKED.take())
}

/// Notes that an action is decided on labels.
pub(crate) fn note(action: Action) {
    ASKED.with_borrow_mut(|asked| asked.insert(action));
}
