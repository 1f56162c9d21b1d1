//! What a source says of a thing: the assertion, whole as it came, and stored one label at a time.

use std::sync::Arc;

use prost::{Message, encoding};

use super::label::vocabulary;
use super::{Embedding, Label, LabelKind};
use crate::error::{Error, Result};

/// Longest id of a thing, in bytes of UTF-8.
pub const ID_BYTES_MAX: usize = 512;
/// Longest type or relation kind, in bytes.
pub const TYPE_BYTES_MAX: usize = 256;
/// Longest name of a claim, in bytes.
pub const CLAIM_NAME_BYTES_MAX: usize = 256;
/// Longest text, in bytes.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;
/// Largest assertion under one label, in bytes as stored.
pub const RECORD_BYTES_MAX: usize = 8 * 1024 * 1024;

vocabulary!(
    /// Whether a thing is a node or a link.
    Form, "form" {
        /// A node.
        Entity = 1 "entity",
        /// A link between things.
        Relation = 2 "relation",
    }
);

vocabulary!(
    /// Whether a source still stands by what it says.
    Status, "status" {
        /// It does.
        Active = 1 "active",
        /// It took it back.
        Revoked = 2 "revoked",
        /// It advises against use.
        Deprecated = 3 "deprecated",
    }
);

vocabulary!(
    /// The eight canonical types that custom ones may be mapped to.
    Base, "canonical type" {
        /// A human being.
        Person = 1 "Person",
        /// A group of people.
        Organization = 2 "Organization",
        /// Something of value: a device, an account, software.
        Asset = 3 "Asset",
        /// A place.
        Location = 4 "Location",
        /// Something that happened.
        Event = 5 "Event",
        /// A text or file.
        Document = 6 "Document",
        /// A statement about the world.
        Claim = 7 "Claim",
        /// An investigation.
        Case = 8 "Case",
    }
);

/// One property as a source gave it.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Claim {
    /// The property's name, 1 to 256 bytes.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The value: JSON text without white space between tokens, otherwise byte for byte as given.
    #[prost(string, tag = "2")]
    pub json: String,
}

/// One text to be searched, at most 1 MiB.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Text {
    /// The text.
    #[prost(string, tag = "1")]
    pub text: String,
    /// The claim that holds the same text, empty if the text is not a claim. Such a text is not exported twice.
    #[prost(string, tag = "2")]
    pub of_claim: String,
}

/// A link between two things, by their ids.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct EdgeSaid {
    /// The relation's kind, such as `uses`.
    #[prost(string, tag = "1")]
    pub kind: String,
    /// The id it leaves; empty: the thing that carries the edge.
    #[prost(string, tag = "2")]
    pub from: String,
    /// The id it points to.
    #[prost(string, tag = "3")]
    pub to: String,
}

/// What one source says of one thing under one label.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The label of these claims and texts.
    pub label: Arc<Label>,
    /// The properties.
    pub claims: Vec<Claim>,
    /// The texts to be searched.
    pub texts: Vec<Text>,
    /// The vector that came with them.
    pub embedding: Option<Embedding>,
}

/// What one source says of one thing, under all labels: the unit that replaces what it said before.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The thing's id: 1 to 512 bytes, no control characters.
    pub id: String,
    /// Entity or relation.
    pub form: Form,
    /// The type as given, such as `attack-pattern`; a relation's type is its kind.
    pub thing_type: String,
    /// The canonical type, if one was mapped.
    pub base: Option<Base>,
    /// Free tags (`labels` in JSON).
    pub tags: Vec<String>,
    /// Whether the source stands by it.
    pub status: Status,
    /// When the source saw it, microseconds since 1970; without one, when the node recorded it.
    pub observed_at_us: Option<i64>,
    /// The source's own version (STIX `modified`): an older one never replaces a newer one.
    pub version_us: Option<i64>,
    /// The links: none for an entity, one for a relation, several for a sighting.
    pub edges: Vec<EdgeSaid>,
    /// A relation's weight.
    pub weight: Option<f64>,
    /// Since when the relation holds, as text and as microseconds since 1970.
    pub since: Option<(String, i64)>,
    /// Until when the relation holds.
    pub until: Option<(String, i64)>,
    /// The claims and texts, at most one part for each label, at least one part.
    pub parts: Vec<Part>,
}

impl Said {
    /// Checks every limit of the model.
    ///
    /// # Errors
    /// `Invalid` with the first rule that is broken.
    pub fn validate(&self) -> Result<()> {
        check_id(&self.id)?;
        check_word("type", &self.thing_type, TYPE_BYTES_MAX)?;
        for edge in &self.edges {
            check_word("relation kind", &edge.kind, TYPE_BYTES_MAX)?;
            check_id(edge.from_or(&self.id))?;
            check_id(&edge.to)?;
        }
        if let Some(weight) = self.weight.filter(|weight| !weight.is_finite()) {
            return Err(Error::invalid("weight", &weight.to_string(), "a finite number"));
        }
        if self.form == Form::Relation && self.edges.is_empty() {
            return Err(Error::invalid("relation without ends", &self.id, "at least one edge"));
        }
        if self.parts.is_empty() {
            return Err(Error::invalid("nothing said", &self.id, "at least one part"));
        }
        self.check_labels_differ()?;
        self.parts.iter().try_for_each(Part::validate)
    }

    /// Parts are few: comparing each with those in front of it costs less than a set.
    fn check_labels_differ(&self) -> Result<()> {
        let twice = self
            .parts
            .iter()
            .enumerate()
            .any(|(place, part)| self.parts[..place].iter().any(|earlier| earlier.label == part.label));
        if twice {
            return Err(Error::invalid("label given twice", &self.id, "at most one part for each label"));
        }
        Ok(())
    }

    /// The bytes of the record for one part: of [`Said::assertion`], without copying it first.
    #[must_use]
    pub fn encode(&self, part: &Part) -> Vec<u8> {
        let known = |code: u8| u32::from(code);
        let own_bytes = self.id.len() + self.thing_type.len() + 256 * (1 + self.edges.len());
        let part_bytes = part.claims.iter().map(Message::encoded_len).sum::<usize>()
            + part.texts.iter().map(Message::encoded_len).sum::<usize>()
            + part.embedding.as_ref().map_or(0, Message::encoded_len)
            + 8 * (part.claims.len() + part.texts.len() + 1);
        let mut body = Vec::with_capacity(own_bytes + part_bytes);
        let to = &mut body;
        put_text(1, &self.id, to);
        put_code(2, known(self.form.code()), to);
        put_text(3, &self.thing_type, to);
        put_code(4, self.base.map_or(0, |base| known(base.code())), to);
        encoding::string::encode_repeated(5, &self.tags, to);
        put_code(6, known(self.status.code()), to);
        put_time(7, self.observed_at_us, to);
        put_time(8, self.version_us, to);
        encoding::message::encode_repeated(9, &self.edges, to);
        if let Some(weight) = &self.weight {
            encoding::double::encode(10, weight, to);
        }
        put_moment(11, self.since.as_ref(), to);
        put_moment(13, self.until.as_ref(), to);
        encoding::message::encode_repeated(15, &part.claims, to);
        encoding::message::encode_repeated(16, &part.texts, to);
        if let Some(embedding) = &part.embedding {
            encoding::message::encode(17, embedding, to);
        }
        body
    }

    /// The body of the record for one part.
    #[must_use]
    pub fn assertion(&self, part: &Part) -> Assertion {
        Assertion {
            id: self.id.clone(),
            form: self.form.code().into(),
            thing_type: self.thing_type.clone(),
            base: self.base.map_or(0, |base| base.code().into()),
            tags: self.tags.clone(),
            status: self.status.code().into(),
            observed_at_us: self.observed_at_us,
            version_us: self.version_us,
            edges: self.edges.clone(),
            weight: self.weight,
            since: self.since.as_ref().map(|(text, _)| text.clone()),
            since_us: self.since.as_ref().map(|(_, us)| *us),
            until: self.until.as_ref().map(|(text, _)| text.clone()),
            until_us: self.until.as_ref().map(|(_, us)| *us),
            claims: part.claims.clone(),
            texts: part.texts.clone(),
            embedding: part.embedding.clone(),
        }
    }
}

impl Part {
    fn validate(&self) -> Result<()> {
        for claim in &self.claims {
            check_word("property name", &claim.name, CLAIM_NAME_BYTES_MAX)?;
        }
        for text in &self.texts {
            if text.text.len() > TEXT_BYTES_MAX {
                let limit = format!("{} bytes, at most {TEXT_BYTES_MAX}", text.text.len());
                return Err(Error::invalid("text too long", &text.text, limit));
            }
        }
        self.embedding.as_ref().map_or(Ok(()), Embedding::validate)
    }
}

impl EdgeSaid {
    /// The id the edge leaves, where `carrier` is the id of the thing that carries it.
    #[must_use]
    pub fn from_or<'a>(&'a self, carrier: &'a str) -> &'a str {
        if self.from.is_empty() { carrier } else { &self.from }
    }
}

/// The stored body of a record: what one source says of one thing under one label.
#[derive(Clone, PartialEq, Message)]
pub struct Assertion {
    /// See [`Said::id`].
    #[prost(string, tag = "1")]
    pub id: String,
    /// Code of a [`Form`].
    #[prost(uint32, tag = "2")]
    pub form: u32,
    /// See [`Said::thing_type`].
    #[prost(string, tag = "3")]
    pub thing_type: String,
    /// Code of a [`Base`], 0 for none.
    #[prost(uint32, tag = "4")]
    pub base: u32,
    /// See [`Said::tags`].
    #[prost(string, repeated, tag = "5")]
    pub tags: Vec<String>,
    /// Code of a [`Status`].
    #[prost(uint32, tag = "6")]
    pub status: u32,
    /// See [`Said::observed_at_us`].
    #[prost(sint64, optional, tag = "7")]
    pub observed_at_us: Option<i64>,
    /// See [`Said::version_us`].
    #[prost(sint64, optional, tag = "8")]
    pub version_us: Option<i64>,
    /// See [`Said::edges`].
    #[prost(message, repeated, tag = "9")]
    pub edges: Vec<EdgeSaid>,
    /// See [`Said::weight`].
    #[prost(double, optional, tag = "10")]
    pub weight: Option<f64>,
    /// Text of [`Said::since`].
    #[prost(string, optional, tag = "11")]
    pub since: Option<String>,
    /// Microseconds of [`Said::since`].
    #[prost(sint64, optional, tag = "12")]
    pub since_us: Option<i64>,
    /// Text of [`Said::until`].
    #[prost(string, optional, tag = "13")]
    pub until: Option<String>,
    /// Microseconds of [`Said::until`].
    #[prost(sint64, optional, tag = "14")]
    pub until_us: Option<i64>,
    /// The properties.
    #[prost(message, repeated, tag = "15")]
    pub claims: Vec<Claim>,
    /// The texts to be searched.
    #[prost(message, repeated, tag = "16")]
    pub texts: Vec<Text>,
    /// See [`Part::embedding`].
    #[prost(message, optional, tag = "17")]
    pub embedding: Option<Embedding>,
}

impl Assertion {
    /// Reads a stored body.
    ///
    /// # Errors
    /// `Corrupt` if the bytes are not an assertion.
    pub fn from_body(bytes: &[u8]) -> Result<Assertion> {
        super::decode(bytes, "assertion")
    }

    /// Entity or relation.
    ///
    /// # Errors
    /// `Corrupt` if the stored code is unknown.
    pub fn form(&self) -> Result<Form> {
        Form::from_code(self.form)
    }

    /// Whether the source stands by it.
    ///
    /// # Errors
    /// `Corrupt` if the stored code is unknown.
    pub fn status(&self) -> Result<Status> {
        Status::from_code(self.status)
    }

    /// What was said, with the parts that it was said in: the way back from [`Said::assertion`].
    ///
    /// # Errors
    /// `Corrupt` if a stored code is unknown.
    pub fn said(&self, parts: Vec<Part>) -> Result<Said> {
        let base = (self.base != 0).then(|| Base::from_code(self.base)).transpose()?;
        Ok(Said {
            id: self.id.clone(),
            form: self.form()?,
            thing_type: self.thing_type.clone(),
            base,
            tags: self.tags.clone(),
            status: self.status()?,
            observed_at_us: self.observed_at_us,
            version_us: self.version_us,
            edges: self.edges.clone(),
            weight: self.weight,
            since: self.since.clone().zip(self.since_us),
            until: self.until.clone().zip(self.until_us),
            parts,
        })
    }

    /// The JSON text of a claim, if there is one by that name.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&str> {
        self.claims.iter().find(|claim| claim.name == name).map(|claim| claim.json.as_str())
    }
}

impl From<Form> for LabelKind {
    fn from(form: Form) -> LabelKind {
        match form {
            Form::Entity => LabelKind::Entity,
            Form::Relation => LabelKind::Relation,
        }
    }
}

/// As the field-numbered encoding has it: what is empty or zero is left out.
fn put_text(tag: u32, text: &String, to: &mut Vec<u8>) {
    if !text.is_empty() {
        encoding::string::encode(tag, text, to);
    }
}

fn put_code(tag: u32, code: u32, to: &mut Vec<u8>) {
    if code != 0 {
        encoding::uint32::encode(tag, &code, to);
    }
}

fn put_time(tag: u32, us: Option<i64>, to: &mut Vec<u8>) {
    if let Some(us) = us {
        encoding::sint64::encode(tag, &us, to);
    }
}

/// The text, and under the next number the microseconds.
fn put_moment(tag: u32, moment: Option<&(String, i64)>, to: &mut Vec<u8>) {
    if let Some((text, us)) = moment {
        encoding::string::encode(tag, text, to);
        encoding::sint64::encode(tag + 1, us, to);
    }
}

fn has_control(text: &str) -> bool {
    // Nearly all text is plain ASCII, and one pass without a branch tells.
    let odd = text.bytes().fold(false, |odd, byte| odd | !(b' '..0x7f).contains(&byte));
    odd && text.chars().any(char::is_control)
}

fn check_id(id: &str) -> Result<()> {
    if id.is_empty() || id.len() > ID_BYTES_MAX || has_control(id) {
        let limit = format!("1 to {ID_BYTES_MAX} bytes of UTF-8 without control characters");
        return Err(Error::invalid("id", id, limit));
    }
    Ok(())
}

pub(super) fn check_word(what: &'static str, word: &str, bytes_max: usize) -> Result<()> {
    if word.is_empty() || word.len() > bytes_max || has_control(word) {
        return Err(Error::invalid(what, word, format!("1 to {bytes_max} bytes without control characters")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
