//! A source: who says it, and on which terms.

use prost::Message;

use super::{Classification, Licence, Purposes, Retention};
use crate::error::{Error, Result};

/// A source as declared: its terms become part of the label of everything it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSpec {
    /// The name, unique in the tenant: 1 to 128 characters.
    pub name: String,
    /// What its data may be used for; never empty.
    pub purposes: Purposes,
    /// What its licence allows.
    pub licence: Licence,
    /// How long its data are kept.
    pub retention: Retention,
    /// The classification of what does not carry one itself.
    pub classification: Classification,
    /// Whether all of it is personal data.
    pub personal: bool,
}

#[derive(Clone, PartialEq, Message)]
struct SourceBody {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint32, tag = "2")]
    purposes: u32,
    #[prost(uint32, tag = "3")]
    licence: u32,
    #[prost(uint32, tag = "4")]
    retention: u32,
    #[prost(uint32, tag = "5")]
    classification: u32,
    #[prost(bool, tag = "6")]
    personal: bool,
}

impl SourceSpec {
    /// Checks the name and that a purpose is given.
    ///
    /// # Errors
    /// `Invalid` with the rule that is broken.
    pub fn validate(&self) -> Result<()> {
        let name_ok =
            (1..=128).contains(&self.name.chars().count()) && !self.name.chars().any(char::is_control);
        if !name_ok {
            return Err(Error::invalid(
                "source name",
                &self.name,
                "1 to 128 characters, no control characters",
            ));
        }
        if self.purposes.is_empty() {
            return Err(Error::invalid(
                "source without purpose",
                &self.name,
                "every source needs purpose and licence",
            ));
        }
        Ok(())
    }

    /// The stored bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        SourceBody {
            name: self.name.clone(),
            purposes: self.purposes.bits().into(),
            licence: self.licence.code().into(),
            retention: self.retention.code().into(),
            classification: self.classification.code().into(),
            personal: self.personal,
        }
        .encode_to_vec()
    }

    /// Reads what [`SourceSpec::encode`] wrote.
    ///
    /// # Errors
    /// `Corrupt` if the bytes are not a source.
    pub fn decode(bytes: &[u8]) -> Result<SourceSpec> {
        let body: SourceBody = super::decode(bytes, "source")?;
        Ok(SourceSpec {
            name: body.name,
            purposes: Purposes::from_bits(body.purposes as u8),
            licence: Licence::from_code(body.licence)?,
            retention: Retention::from_code(body.retention)?,
            classification: Classification::from_code(body.classification)?,
            personal: body.personal,
        })
    }
}
