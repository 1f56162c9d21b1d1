//! The labels of what one source says; the same label is the same `Arc`.

use std::collections::HashMap;
use std::sync::Arc;

use storage::model::{Classification, Label, LabelKind, Retention, SourceSpec};

/// Types remembered at most. A tenant has fewer labels; a hostile file could invent a type a line.
const TYPES_MAX: usize = 4096;

/// Makes labels from the terms of a source.
pub(super) struct Labels {
    source: SourceSpec,
    by_type: HashMap<String, Vec<Arc<Label>>>,
}

impl Labels {
    pub(super) fn new(source: SourceSpec) -> Labels {
        Labels { source, by_type: HashMap::new() }
    }

    /// The terms that the labels are made from.
    pub(super) fn source(&self) -> &SourceSpec {
        &self.source
    }

    /// The label of a thing; `personal` adds to what the source declares and takes nothing away.
    pub(super) fn of(
        &mut self,
        kind: LabelKind,
        thing_type: &str,
        classification: Classification,
        personal: bool,
    ) -> Arc<Label> {
        let personal = personal || self.source.personal;
        let same = |label: &&Arc<Label>| {
            label.kind == kind && label.classification == classification && label.personal == personal
        };
        if let Some(label) = self.by_type.get(thing_type).and_then(|of| of.iter().find(same)) {
            return Arc::clone(label);
        }
        let label = Arc::new(self.make(kind, thing_type, classification, personal));
        self.remember(&label);
        label
    }

    fn make(
        &self,
        kind: LabelKind,
        thing_type: &str,
        classification: Classification,
        personal: bool,
    ) -> Label {
        Label {
            kind,
            thing_type: thing_type.into(),
            classification,
            licence: self.source.licence,
            purposes: self.source.purposes,
            retention: retention(self.source.retention, personal),
            personal,
            source: self.source.name.clone(),
            compartments: Vec::new(),
        }
    }

    fn remember(&mut self, label: &Arc<Label>) {
        if self.by_type.len() >= TYPES_MAX {
            self.by_type.clear();
        }
        let of_type = self.by_type.entry(label.thing_type.clone()).or_default();
        of_type.push(Arc::clone(label));
    }
}

/// Personal data are kept 30 days, not longer; a source that keeps less, or must keep all, stays with that.
fn retention(declared: Retention, personal: bool) -> Retention {
    match declared {
        Retention::Standard365d | Retention::Long1825d if personal => Retention::Short30d,
        declared => declared,
    }
}
