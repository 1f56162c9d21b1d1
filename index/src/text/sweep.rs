//! Letting go of what was erased: its documents, and then the segments that still hold their words.
//!
//! What is erased is named by no record, so the index is compared with what is there. A deleted document keeps its words
//! in its segment until that is merged; whoever must be sure that they are gone has it merged.

use std::ops::ControlFlow;

use storage::View;
use storage::ids::{LabelId, Lsn, ThingId};
use storage::record::Record;
use tantivy::columnar::Column;
use tantivy::merge_policy::NoMergePolicy;

use super::TextIndex;
use super::schema::column;
use crate::error::Result;
use crate::follower::Applied;

impl TextIndex {
    /// Forgets documents of what the view does not show.
    pub(super) fn sweep(&mut self, view: &View, record: &Record) -> Result<Applied> {
        // What the last one looked at was a view that held this record, too; and since then nothing is put that is not there.
        if record.lsn <= self.swept {
            return Ok(Applied::Ignored);
        }
        let gone = self.forget_gone(view, record.lsn)?;
        self.swept = view.head(self.owner.tenant)?.head();
        self.nothing_erased_is_left(view)?;
        Ok(if gone == 0 { Applied::Ignored } else { Applied::Indexed })
    }

    pub(super) fn nothing_erased_is_left(&mut self, view: &View) -> Result<()> {
        self.erased = Some(view.head(self.owner.tenant)?.erased);
        self.is_behind_erasure = false;
        Ok(())
    }

    /// Forgets documents of what the view does not cite, of records up to one; how many.
    pub(super) fn forget_gone(&mut self, view: &View, upto: Lsn) -> Result<usize> {
        let present = self.present(view, upto)?;
        let gone: Vec<_> =
            self.documents()?.into_iter().filter(|key| present.binary_search(key).is_err()).collect();
        for (thing, label) in &gone {
            self.forget_label(*thing, *label)?;
        }
        Ok(gone.len())
    }

    /// What may have a document of a record up to one, in order: 16 bytes each.
    fn present(&self, view: &View, upto: Lsn) -> Result<Vec<(ThingId, LabelId)>> {
        let (mut present, mut said_since) = (Vec::new(), Vec::new());
        view.things(self.owner.tenant, &mut |thing, row| {
            for said in row.said.iter().filter(|_| !row.is_deleted()) {
                let of = if said.lsn() <= upto { &mut present } else { &mut said_since };
                of.push((thing, said.label()));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        // The view may be newer: what was said again since has a document of what it replaced, if that is still there.
        for (thing, label) in said_since {
            let before = view.before(self.owner.tenant, thing)?;
            if before.iter().any(|before| before.said.label() == label && before.said.lsn() <= upto) {
                present.push((thing, label));
            }
        }
        present.sort_unstable();
        Ok(present)
    }

    /// What has a document, committed or not.
    fn documents(&self) -> Result<Vec<(ThingId, LabelId)>> {
        let mut documents: Vec<_> = self.put.iter().copied().collect();
        for segment in self.engine.searcher().segment_readers() {
            let things: Column<u64> = segment.fast_fields().u64(column::THING)?;
            let labels: Column<u64> = segment.fast_fields().u64(column::LABEL)?;
            for document in segment.doc_ids_alive() {
                if let (Some(thing), Some(label)) = (things.first(document), labels.first(document)) {
                    documents.push((ThingId(thing), LabelId(label as u32)));
                }
            }
        }
        Ok(documents)
    }

    /// Holds every file against its checksum, as when the index was opened; why it cannot be trusted, if it cannot. Everything
    /// applied before must be committed.
    ///
    /// # Errors
    /// `Io` if the writer cannot be closed: it deletes files that it has merged.
    pub fn check(&mut self) -> Result<Option<String>> {
        self.close_writer()?;
        Ok(self.home.damage(&self.owner))
    }

    /// Rewrites whatever holds words of deleted documents, and deletes the old files. Everything applied before must be
    /// committed. Readers that still hold an older state keep its files until they let go of it.
    ///
    /// # Errors
    /// `Io` if a merge failed; the index stays as it was.
    pub fn scrub(&mut self) -> Result<()> {
        self.close_writer()?;
        let segments = self.index.searchable_segment_metas()?;
        let deleted: Vec<_> =
            segments.iter().filter(|segment| segment.has_deletes()).map(|segment| segment.id()).collect();
        drop(segments);
        let writer = self.writer()?;
        writer.set_merge_policy(Box::new(NoMergePolicy));
        if !deleted.is_empty() {
            writer.merge(&deleted).wait()?;
        }
        // Readers have to let go of the old files before those are looked for.
        self.publish()?;
        self.writer()?.garbage_collect_files().wait()?;
        self.close_writer()
    }
}
