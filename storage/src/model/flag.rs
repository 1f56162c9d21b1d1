//! Flags: what is turned on or set for a tenant, by somebody who may.

use std::fmt;
use std::str::FromStr;

use prost::Message;

use crate::error::{Error, Result};

/// Something that can be set for a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// Whether searches may look for meaning as well as for words: `on` or `off`.
    VectorPreview,
    /// What words count in such a search, against meaning: from 0 to 1.
    KeywordWeight,
}

impl Flag {
    /// Every flag, in order.
    pub const ALL: &'static [Flag] = &[Flag::VectorPreview, Flag::KeywordWeight];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Flag::VectorPreview => "vector-preview",
            Flag::KeywordWeight => "keyword-weight",
        }
    }

    /// Checks a value; none is the way back to what is so for everybody.
    ///
    /// # Errors
    /// `Invalid` with what it may be.
    pub fn check(self, value: Option<&str>) -> Result<()> {
        let Some(value) = value else { return Ok(()) };
        let (fits, limit) = match self {
            Flag::VectorPreview => (matches!(value, "on" | "off"), "on or off"),
            Flag::KeywordWeight => (weight(value).is_some(), "a number from 0 to 1"),
        };
        if fits { Ok(()) } else { Err(Error::invalid(self.as_str(), value, limit)) }
    }
}

/// A weight that was set: a number from 0 to 1; `None` if the text is none.
#[must_use]
pub fn weight(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|weight| (0.0..=1.0).contains(weight))
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Flag {
    type Err = Error;

    fn from_str(text: &str) -> Result<Flag> {
        let found = Flag::ALL.iter().copied().find(|flag| flag.as_str() == text);
        found.ok_or_else(|| {
            let known: Vec<_> = Flag::ALL.iter().map(|flag| flag.as_str()).collect();
            Error::invalid("flag", text, format!("one of {}", known.join(", ")))
        })
    }
}

/// A flag as it was set: the body of its record.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct FlagSet {
    /// Its name.
    #[prost(string, tag = "1")]
    pub flag: String,
    /// What it was set to; none if it was set back.
    #[prost(string, optional, tag = "2")]
    pub value: Option<String>,
}

impl FlagSet {
    /// Reads the body of the record of a flag.
    ///
    /// # Errors
    /// `Corrupt` if the bytes are not one.
    pub fn from_body(bytes: &[u8]) -> Result<FlagSet> {
        super::decode(bytes, "flag")
    }
}
