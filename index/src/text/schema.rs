//! The fields of a document, and how text becomes words.

use tantivy::Index;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RawTokenizer, RemoveLongFilter, SimpleTokenizer, Stemmer,
    TextAnalyzer,
};

/// Counts every change of fields or analysis: an index of another version is built anew.
pub(super) const VERSION: u32 = 2;
/// Longest word that is indexed, in bytes: a SHA-512 in hex still fits.
const WORD_BYTES_MAX: usize = 128;
/// Longest id that is found as a whole, in bytes.
pub(super) const ID_BYTES_MAX: usize = 512;

const STEMMED: &str = "stemmed";
const FOLDED: &str = "folded";
const WHOLE: &str = "whole";

/// One document is one present assertion: what one source says of one thing under one label.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    /// (thing, label): what a document is deleted by; of all labels, by the range. The only unique term that
    /// every document costs beside its id: such terms are what filling an index is slowest at.
    pub(super) key: Field,
    pub(super) thing: Field,
    /// A column, and for each label the documents under it: who may see few is answered from those.
    pub(super) label: Field,
    /// Names and aliases, stemmed.
    pub(super) title: Field,
    /// Texts and claims, stemmed.
    pub(super) body: Field,
    /// Every word of title and body as it is written: typos are corrected against these.
    pub(super) word: Field,
    /// The words of the title as they are written.
    pub(super) name: Field,
    /// The title as a whole.
    pub(super) head: Field,
    /// Ids of the thing, inside and outside.
    pub(super) id: Field,
    pub(super) kind: Field,
    pub(super) source: Field,
    pub(super) time: Field,
    /// See [`REVOKED`] and [`RELATION`].
    pub(super) flags: Field,
}

/// Names of the columns that are read for every hit.
pub(super) mod column {
    pub(crate) const THING: &str = "thing";
    pub(crate) const LABEL: &str = "label";
    pub(crate) const KIND: &str = "kind";
    pub(crate) const SOURCE: &str = "source";
    pub(crate) const TIME: &str = "time";
    pub(crate) const FLAGS: &str = "flags";
}

/// The source no longer stands by it.
pub(super) const REVOKED: u64 = 1;
/// It is a relation.
pub(super) const RELATION: u64 = 2;

pub(super) fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let raw_column = TextOptions::default().set_fast("raw");
    let fields = Fields {
        key: schema.add_bytes_field("key", INDEXED),
        thing: schema.add_u64_field(column::THING, FAST),
        label: schema.add_u64_field(column::LABEL, NumericOptions::default().set_fast().set_indexed()),
        title: schema.add_text_field("title", ranked(STEMMED, IndexRecordOption::WithFreqsAndPositions)),
        body: schema.add_text_field("body", ranked(STEMMED, IndexRecordOption::WithFreqsAndPositions)),
        word: schema.add_text_field("word", listed(FOLDED, IndexRecordOption::Basic)),
        name: schema.add_text_field("name", listed(FOLDED, IndexRecordOption::Basic)),
        head: schema.add_text_field("head", listed(WHOLE, IndexRecordOption::Basic)),
        // With frequencies: only such terms take part in the pruned walk.
        id: schema.add_text_field("id", listed(WHOLE, IndexRecordOption::WithFreqs)),
        kind: schema.add_text_field(column::KIND, raw_column.clone()),
        source: schema.add_text_field(column::SOURCE, raw_column),
        time: schema.add_i64_field(column::TIME, FAST),
        flags: schema.add_u64_field(column::FLAGS, FAST),
    };
    (schema.build(), fields)
}

fn ranked(tokenizer: &str, record: IndexRecordOption) -> TextOptions {
    TextOptions::default().set_indexing_options(indexing(tokenizer, record).set_fieldnorms(true))
}

fn listed(tokenizer: &str, record: IndexRecordOption) -> TextOptions {
    TextOptions::default().set_indexing_options(indexing(tokenizer, record).set_fieldnorms(false))
}

fn indexing(tokenizer: &str, record: IndexRecordOption) -> TextFieldIndexing {
    TextFieldIndexing::default().set_tokenizer(tokenizer).set_index_option(record)
}

/// Teaches an index our analysis: it is not part of the stored schema.
pub(super) fn register(index: &Index) {
    index.tokenizers().register(STEMMED, stemmed());
    index.tokenizers().register(FOLDED, folded());
    index.tokenizers().register(WHOLE, whole());
}

/// Words in lower case, without accents, cut to their English stem.
pub(super) fn stemmed() -> TextAnalyzer {
    TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(WORD_BYTES_MAX + 1))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .filter(Stemmer::new(Language::English))
        .build()
}

/// Words in lower case, without accents.
pub(super) fn folded() -> TextAnalyzer {
    TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(WORD_BYTES_MAX + 1))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .build()
}

/// The text as one word, in lower case, without accents.
pub(super) fn whole() -> TextAnalyzer {
    TextAnalyzer::builder(RawTokenizer::default())
        .filter(RemoveLongFilter::limit(ID_BYTES_MAX + 1))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .build()
}

/// The words that an analysis makes of a text.
pub(super) fn words(analyzer: &mut TextAnalyzer, text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut stream = analyzer.token_stream(text);
    while let Some(token) = stream.next() {
        words.push(token.text.clone());
    }
    words
}
