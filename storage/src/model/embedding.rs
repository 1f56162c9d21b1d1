//! A vector that comes with what is said. Its components are said to nobody by mistake: it has a debug print of its own, and
//! no error names them.

use std::fmt;

use prost::Message;

use super::assertion::check_word;
use crate::error::{Error, Result};

/// Most components of a vector.
pub const EMBEDDING_COMPONENTS_MAX: usize = 4096;
/// Longest name of the model that made it, in bytes.
pub const EMBEDDING_MODEL_BYTES_MAX: usize = 256;

/// A vector of what one source says of one thing under one label, made elsewhere.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub struct Embedding {
    /// The name of the model that made it, 1 to 256 bytes.
    #[prost(string, tag = "1")]
    pub model: String,
    /// Its components as they came, of whatever length together.
    #[prost(float, repeated, tag = "2")]
    pub vector: Vec<f32>,
}

impl Embedding {
    /// Checks that it is a vector with a direction.
    pub(super) fn validate(&self) -> Result<()> {
        check_word("model of an embedding", &self.model, EMBEDDING_MODEL_BYTES_MAX)?;
        let components = self.vector.len();
        if !(1..=EMBEDDING_COMPONENTS_MAX).contains(&components) {
            let limit = format!("1 to {EMBEDDING_COMPONENTS_MAX} components");
            return Err(Error::invalid("embedding", &components.to_string(), limit));
        }
        if let Some(place) = self.vector.iter().position(|component| !component.is_finite()) {
            let limit = "a number of at most 3.4e38 each";
            return Err(Error::invalid("embedding", &format!("component {place}"), limit));
        }
        let length = self.vector.iter().map(|component| f64::from(*component).powi(2)).sum::<f64>().sqrt();
        if length < f64::from(f32::MIN_POSITIVE) {
            let limit = "a component other than 0: a zero vector points nowhere";
            return Err(Error::invalid("embedding", &format!("{components} zeros"), limit));
        }
        Ok(())
    }
}

impl fmt::Debug for Embedding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Embedding({} components of `{}`)", self.vector.len(), self.model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(vector: Vec<f32>) -> Embedding {
        Embedding { model: "small".to_owned(), vector }
    }

    #[test]
    fn what_points_nowhere_or_is_no_number_or_too_much_is_refused_without_its_components() {
        assert!(of(vec![0.0, -7.25]).validate().is_ok());
        assert!(of(vec![1.0; EMBEDDING_COMPONENTS_MAX]).validate().is_ok());
        let bad = [vec![], vec![0.0, -0.0], vec![1e-45], vec![7.25, f32::NAN], vec![7.25, f32::INFINITY]];
        for vector in bad.into_iter().chain([vec![7.25; EMBEDDING_COMPONENTS_MAX + 1]]) {
            let refused = of(vector).validate().expect_err("refused").to_string();
            assert!(refused.starts_with("embedding: `") && !refused.contains("7.25"), "{refused}");
        }
        assert!(Embedding { model: String::new(), vector: vec![1.0] }.validate().is_err());
    }

    #[test]
    fn a_debug_print_shows_no_component() {
        assert_eq!(format!("{:?}", of(vec![7.25, 7.25])), "Embedding(2 components of `small`)");
    }
}
