//! Rows of a base with changes over them: a change wins, and one without a value removes.

use std::iter::Peekable;
use std::ops::ControlFlow;

use super::Visit;
use crate::error::Result;

/// What became of a key.
pub(crate) type Change<'c> = (&'c [u8], Option<&'c [u8]>);

type Row = (Vec<u8>, Vec<u8>);

/// Visits a range of `base` in key order, with the changes to that range, which come in that order, too.
pub(crate) fn scan<'c>(
    changed: impl Iterator<Item = Change<'c>>,
    base: impl FnOnce(Visit<'_>) -> Result<()>,
    visit: Visit<'_>,
) -> Result<()> {
    let mut changed = changed.peekable();
    let mut stopped = false;
    base(&mut |key, value| {
        let mut flow = visit_while(&mut changed, |changed| changed < key, visit)?;
        if flow.is_continue() {
            flow = match changed.next_if(|(changed, _)| *changed == key) {
                Some((key, Some(value))) => visit(key, value)?,
                Some((_, None)) => ControlFlow::Continue(()),
                None => visit(key, value)?,
            };
        }
        stopped = flow.is_break();
        Ok(flow)
    })?;
    if !stopped {
        let _ = visit_while(&mut changed, |_| true, visit)?;
    }
    Ok(())
}

fn visit_while<'c>(
    changed: &mut Peekable<impl Iterator<Item = Change<'c>>>,
    is_due: impl Fn(&[u8]) -> bool,
    visit: Visit<'_>,
) -> Result<ControlFlow<()>> {
    while let Some((key, change)) = changed.next_if(|(key, _)| is_due(key)) {
        if let Some(value) = change
            && visit(key, value)?.is_break()
        {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// The last row from `from` up to `at`; `base` and `changed` say which is their last up to a key.
pub(crate) fn last_at<'c>(
    from: &[u8],
    at: &[u8],
    base: impl Fn(&[u8]) -> Result<Option<Row>>,
    changed: impl Fn(&[u8]) -> Option<Change<'c>>,
) -> Result<Option<Row>> {
    let mut at = at.to_vec();
    while at.as_slice() >= from {
        let stored = base(&at)?;
        let is_covered = |by: &[u8]| stored.as_ref().is_none_or(|(key, _)| key.as_slice() <= by);
        match changed(&at) {
            Some((key, Some(value))) if is_covered(key) => return Ok(Some((key.to_vec(), value.to_vec()))),
            Some((key, None)) if is_covered(key) => match before(key) {
                Some(below) => at = below,
                None => return Ok(None),
            },
            _ => return Ok(stored),
        }
    }
    Ok(None)
}

/// A bound that excludes `key` and keeps every key of the same length below it.
fn before(key: &[u8]) -> Option<Vec<u8>> {
    let mut below = key.to_vec();
    for byte in below.iter_mut().rev() {
        if *byte > 0 {
            *byte -= 1;
            return Some(below);
        }
        *byte = u8::MAX;
    }
    None
}
