//! From what an index found to what a person reads: a title, a snippet, who says it. It is read back through what the reader
//! may see, and what was taken back since the index saw it is left out.

use std::ops::Range;

use index::text::{Highlighter, Snippet, passages};
use index::vector::embedded;
use storage::View;
use storage::ids::{LabelId, ThingId};
use storage::model::{Assertion, Status};
use storage::rows::{SaidRow, ThingRow};

use super::{Hit, Legs};
use crate::app::App;
use crate::gateway::Failure;
use crate::policy::{Action, Allowed, Principal};
use crate::read::Reader;

/// Length of a snippet, in characters.
const SNIPPET_CHARS_MAX: usize = 240;

/// Makes hits readable for one reader.
pub(super) struct Describe<'a> {
    app: &'a App,
    principal: &'a Principal,
    view: &'a View,
    reader: Reader<'a>,
    highlighter: &'a Highlighter,
}

/// What was found: a thing, the label of the assertion that is shown, and its nearest passage if meaning found it.
pub(super) struct Place {
    pub(super) thing: ThingId,
    pub(super) label: LabelId,
    pub(super) passage: Option<Range<u32>>,
}

impl<'a> Describe<'a> {
    pub(super) fn new(
        app: &'a App,
        principal: &'a Principal,
        view: &'a View,
        highlighter: &'a Highlighter,
    ) -> Result<Describe<'a>, Failure> {
        Ok(Describe { app, principal, view, reader: app.reader(view, principal)?, highlighter })
    }

    /// Notes which labels were let through.
    pub(super) fn filtered(&self, allowed: &Allowed) {
        self.reader.uses().filtered(Action::EntitySearch, allowed);
    }

    /// A hit as a person reads it; `None` if it was taken back since the index saw it, or may not be seen after all.
    pub(super) fn hit(
        &self,
        allowed: &Allowed,
        place: &Place,
        (score, legs): (f64, Legs),
    ) -> Result<Option<Hit>, Failure> {
        let &Place { thing, label, .. } = place;
        let Some((row, said)) = self.said(allowed, (thing, label))? else { return Ok(None) };
        let (said, tenant) = (&said, self.principal.tenant);
        let assertion = self.view.assertion(tenant, said.lsn())?;
        let observed_us = assertion.as_ref().and_then(|assertion| assertion.observed_at_us);
        let title = self.reader.title(thing, &row)?;
        let snippet = assertion.and_then(|assertion| self.snippet(&assertion, place, &title));
        let (snippet, marks) = snippet.map(with_ellipses).unwrap_or_default();
        self.reader.uses().used(Action::EntitySearch, allowed, label);
        Ok(Some(Hit {
            joins: self.reader.joined(said)?,
            source: self.reader.source_of(said)?,
            observed_us: observed_us.unwrap_or(said.recorded_us),
            classification: self.view.label(tenant, label)?.classification,
            status: Status::from_code(said.status)?,
            title,
            thing_type: self.view.word(tenant, row.symbol())?,
            id: row.id,
            snippet,
            marks,
            score,
            legs,
            why: None,
            cursor: None,
        }))
    }

    /// Whether a thing would be a hit.
    pub(super) fn is_shown(&self, allowed: &Allowed, of: (ThingId, LabelId)) -> Result<bool, Failure> {
        Ok(self.said(allowed, of)?.is_some())
    }

    /// What is shown of a thing: the assertion with that label.
    fn said(
        &self,
        allowed: &Allowed,
        (thing, label): (ThingId, LabelId),
    ) -> Result<Option<(ThingRow, SaidRow)>, Failure> {
        if !allowed.contains(label) {
            self.app.metrics.denied_after_filter.inc();
            return Ok(None);
        }
        let row = self.view.thing(self.principal.tenant, thing)?;
        let readable = self.reader.readable(thing, &row, None)?;
        Ok(readable.into_iter().find(|said| said.label() == label).map(|said| (row, said)))
    }

    /// Where the words are; where none is, the passage that is nearest.
    fn snippet(&self, assertion: &Assertion, place: &Place, title: &str) -> Option<Snippet> {
        let of_words = self.highlighter.best(&passages(assertion), SNIPPET_CHARS_MAX);
        let has_words = of_words.as_ref().is_some_and(|snippet| !snippet.marks.is_empty());
        let passage = place.passage.as_ref().filter(|_| !has_words);
        match passage.and_then(|passage| nearest(assertion, passage, title)) {
            Some(passage) => Some(self.highlighter.snippet(&passage, SNIPPET_CHARS_MAX)),
            None => of_words,
        }
    }
}

/// The passage of an assertion that is nearest to a question, without the title that stands above it.
fn nearest(assertion: &Assertion, passage: &Range<u32>, title: &str) -> Option<String> {
    let text = embedded(assertion);
    let text = text.get(passage.start as usize..passage.end as usize)?;
    let below = text.strip_prefix(title).and_then(|rest| rest.strip_prefix('\n'));
    Some(below.unwrap_or(text).to_owned())
}

/// The snippet's text with a mark where it was cut, and the places of its words in that.
fn with_ellipses(snippet: Snippet) -> (String, Vec<Range<usize>>) {
    let before = if snippet.cut_before { "… " } else { "" };
    let after = if snippet.cut_after { " …" } else { "" };
    let text = format!("{before}{}{after}", snippet.text.trim_end());
    let shifted = snippet.marks.into_iter().map(|mark| mark.start + before.len()..mark.end + before.len());
    (text, shifted.collect())
}
