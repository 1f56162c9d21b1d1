//! From a question to what is looked up, and how much each part counts.
//!
//! Any word may match (OR), BM25 sums, and of short questions those documents come first that have more
//! of the words. Requiring all of them would leave an analyst who adds one word too many with nothing.

use std::collections::HashSet;

use tantivy::query::{
    Bm25Weight, BooleanQuery, BoostQuery, EnableScoring, Occur, PhraseQuery, Query as EngineQuery, TermQuery,
    Weight,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Score, Searcher, Term};

use super::question::{Question, Word};
use super::schema::{Fields, stemmed, words};
use super::terms::{self, Known};
use super::visible::Visible;
use super::why::Where;
use crate::error::Result;

/// A word in the title counts this many times one in the body; titles are short, so BM25 favours them already
/// (Cranfield, nDCG@10: 0.393 at 1.2, 0.381 at 2, 0.371 at 3).
const TITLE_BOOST: f32 = 1.2;
/// The id itself comes before all texts that mention it.
const ID_BOOST: f32 = 10.0;
/// What a corrected word counts, by its distance from what was typed.
const TYPO_BOOST: [f32; 2] = [0.5, 0.25];
/// What a word counts that only begins like the last one typed.
const PREFIX_BOOST: f32 = 0.4;
/// Words shorter than this are not corrected: nearly everything is near them.
const TYPO_CHARS_MIN: usize = 5;
/// Words shorter than this are corrected by one letter only.
const TWO_TYPOS_CHARS_MIN: usize = 9;
/// How many words one beginning may stand for,
const GROWN_MAX: usize = 12;
/// and one mistyped word: who may see little is corrected often, and pays for each of them.
const CORRECTIONS_MAX: usize = 2;

/// What is looked up for a question in one index.
pub(super) struct Plan {
    /// What decides which documents match.
    pub(super) driver: Driver,
    /// What a document scores by, in a fixed order.
    pub(super) leaves: Vec<Leaf>,
    /// How many words were asked for.
    pub(super) words: usize,
    /// The words as they were asked for.
    pub(super) asked: Vec<String>,
    /// The stems that are looked up: what a snippet marks.
    pub(super) stems: HashSet<String>,
}

pub(super) enum Driver {
    /// Every document.
    All,
    /// No document.
    Nothing,
    /// Any leaf: blocks that cannot reach the best are passed over.
    AnyLeaf(Box<dyn Weight>),
    /// Any leaf, and every match is wanted.
    EveryLeaf(Box<dyn Weight>),
    /// A condition, which is walked from end to end.
    Condition(Box<dyn Weight>),
}

/// One term.
pub(super) struct Leaf {
    pub(super) weight: Box<dyn Weight>,
    /// Which of the words it stands for, none for an id.
    pub(super) word: Option<usize>,
    /// How many documents have it.
    pub(super) docs: u64,
    /// No document scores more by it.
    pub(super) score_max: Score,
    /// What it looks for, and where.
    pub(super) found: String,
    pub(super) place: Where,
}

struct Lookup {
    term: Term,
    found: String,
    place: Where,
    boost: f32,
    word: Option<usize>,
}

/// How a plan is made.
pub(super) struct Planner<'a> {
    pub(super) searcher: &'a Searcher,
    pub(super) fields: &'a Fields,
    pub(super) visible: &'a [Visible<'a>],
    /// The last word may be the beginning of a longer one.
    pub(super) prefix: bool,
    /// All matches are wanted, not the best.
    pub(super) everything: bool,
}

impl Planner<'_> {
    pub(super) fn plan(&self, question: &Question) -> Result<Plan> {
        let mut terms = Vec::new();
        let mut stems = HashSet::new();
        for (at, word) in question.words.iter().enumerate() {
            let is_last = at + 1 == question.words.len();
            for (stem, boost) in self.stems(word, self.prefix && is_last)? {
                terms.push(self.lookup(Where::Title, &stem, boost * TITLE_BOOST, Some(at)));
                terms.push(self.lookup(Where::Body, &stem, boost, Some(at)));
                stems.insert(stem);
            }
        }
        for id in &question.ids {
            terms.push(self.lookup(Where::Id, id, ID_BOOST, None));
        }
        let terms = self.present(terms)?;
        let leaves = terms.iter().map(|term| self.leaf(term)).collect::<Result<Vec<_>>>()?;
        let asked = question.words.iter().map(|word| word.folded.clone()).collect();
        Ok(Plan { driver: self.driver(question, &terms)?, leaves, words: question.words.len(), asked, stems })
    }

    fn lookup(&self, place: Where, text: &str, boost: f32, word: Option<usize>) -> Lookup {
        let field = match place {
            Where::Title => self.fields.title,
            Where::Body => self.fields.body,
            Where::Id => self.fields.id,
        };
        Lookup { term: Term::from_field_text(field, text), found: text.to_owned(), place, boost, word }
    }

    /// The word itself if anybody visible has it, else what it may have been meant to be.
    fn stems(&self, word: &Word, prefix: bool) -> Result<Vec<(String, f32)>> {
        let mut stems = Vec::new();
        if self.has(&word.stem)? {
            stems.push((word.stem.clone(), 1.0));
        }
        if prefix {
            let longer = terms::beginning_with(self.searcher, self.fields.word, &word.folded)?;
            self.add_stems(&mut stems, longer, GROWN_MAX, PREFIX_BOOST)?;
        }
        if stems.is_empty() {
            self.add_corrections(&mut stems, &word.folded)?;
        }
        Ok(stems)
    }

    fn add_corrections(&self, stems: &mut Vec<(String, f32)>, word: &str) -> Result<()> {
        let chars = word.chars().count();
        let distance_max = match chars {
            ..TYPO_CHARS_MIN => 0,
            TYPO_CHARS_MIN..TWO_TYPOS_CHARS_MIN => 1,
            TWO_TYPOS_CHARS_MIN.. => 2,
        };
        for distance in 1..=distance_max {
            let near = terms::near(self.searcher, self.fields.word, word, distance)?;
            self.add_stems(stems, near, CORRECTIONS_MAX, TYPO_BOOST[usize::from(distance) - 1])?;
            if !stems.is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn add_stems(
        &self,
        stems: &mut Vec<(String, f32)>,
        found: Vec<Known>,
        max: usize,
        boost: f32,
    ) -> Result<()> {
        let field = self.fields.word;
        let mut analyzer = stemmed();
        for word in terms::seen_of(self.searcher, self.visible, field, found, max)? {
            for stem in words(&mut analyzer, &word) {
                if !stems.iter().any(|(known, _)| *known == stem) {
                    stems.push((stem, boost));
                }
            }
        }
        Ok(())
    }

    fn has(&self, stem: &str) -> Result<bool> {
        let has = |field| terms::is_seen(self.searcher, self.visible, &Term::from_field_text(field, stem));
        Ok(has(self.fields.body)? || has(self.fields.title)?)
    }

    fn present(&self, terms: Vec<Lookup>) -> Result<Vec<Lookup>> {
        let mut present = Vec::with_capacity(terms.len());
        for term in terms {
            if self.searcher.doc_freq(&term.term)? > 0 {
                present.push(term);
            }
        }
        Ok(present)
    }

    fn leaf(&self, term: &Lookup) -> Result<Leaf> {
        let scoring = EnableScoring::enabled_from_searcher(self.searcher);
        let bm25 = Bm25Weight::for_terms(self.searcher, std::slice::from_ref(&term.term))?;
        // In a text that is nothing but the word, without end.
        let score_max = bm25.boost_by(term.boost).score(0, u32::MAX);
        let weight = term.query().weight(scoring)?;
        let docs = self.searcher.doc_freq(&term.term)?;
        Ok(Leaf { weight, word: term.word, docs, score_max, found: term.found.clone(), place: term.place })
    }

    fn driver(&self, question: &Question, terms: &[Lookup]) -> Result<Driver> {
        let any = BooleanQuery::union(terms.iter().map(Lookup::query).collect());
        let conditions = question.phrases.len() + question.excluded.len();
        if question.is_open() && terms.is_empty() && conditions == 0 {
            return Ok(Driver::All);
        }
        if conditions == 0 && terms.is_empty() {
            return Ok(Driver::Nothing);
        }
        if conditions == 0 && !self.everything {
            let scoring = EnableScoring::enabled_from_searcher(self.searcher);
            return Ok(Driver::AnyLeaf(any.weight(scoring)?));
        }
        let scoring = EnableScoring::disabled_from_searcher(self.searcher);
        if conditions == 0 {
            return Ok(Driver::EveryLeaf(any.weight(scoring)?));
        }
        Ok(Driver::Condition(self.condition(question, any).weight(scoring)?))
    }

    fn condition(&self, question: &Question, any: BooleanQuery) -> BooleanQuery {
        let mut clauses: Vec<(Occur, Box<dyn EngineQuery>)> = Vec::new();
        if question.is_open() {
            clauses.push((Occur::Must, Box::new(tantivy::query::AllQuery)));
        } else if question.phrases.is_empty() {
            clauses.push((Occur::Must, Box::new(any)));
        }
        for phrase in &question.phrases {
            clauses.push((Occur::Must, self.phrase(phrase)));
        }
        for phrase in &question.excluded {
            clauses.push((Occur::MustNot, self.phrase(phrase)));
        }
        BooleanQuery::new(clauses)
    }

    fn phrase(&self, stems: &[String]) -> Box<dyn EngineQuery> {
        let in_field = |field: Field| -> Box<dyn EngineQuery> {
            let mut terms: Vec<Term> = stems.iter().map(|stem| Term::from_field_text(field, stem)).collect();
            match terms.len() {
                1 => Box::new(TermQuery::new(terms.remove(0), IndexRecordOption::Basic)),
                _ => Box::new(PhraseQuery::new(terms)),
            }
        };
        Box::new(BooleanQuery::union(vec![in_field(self.fields.title), in_field(self.fields.body)]))
    }
}

impl Lookup {
    /// With frequencies: only such terms take part in the pruned walk.
    fn query(&self) -> Box<dyn EngineQuery> {
        let term = TermQuery::new(self.term.clone(), IndexRecordOption::WithFreqs);
        Box::new(BoostQuery::new(Box::new(term), self.boost))
    }
}
