//! What a question is narrowed to, by words and by meaning alike.

use async_graphql::Enum;
use index::text::TimeRange;
use storage::model::{Classification, Form};

use crate::gateway::errors::Failure;
use crate::gateway::graphql::DateTime;
use crate::search::Question;

/// What kind of thing is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum ThingForm {
    Entity,
    Relation,
}

/// What hits have and have not, as the arguments of a search say it.
pub(super) struct Narrowed {
    pub(super) types: Option<Vec<String>>,
    pub(super) not_types: Option<Vec<String>>,
    pub(super) sources: Option<Vec<String>>,
    pub(super) not_sources: Option<Vec<String>>,
    pub(super) classifications: Option<Vec<String>>,
    pub(super) form: Option<ThingForm>,
    pub(super) since: Option<DateTime>,
    pub(super) before: Option<DateTime>,
    pub(super) include_revoked: Option<bool>,
}

impl Narrowed {
    /// A question of some words among what hits may be.
    pub(super) fn question(self, text: String) -> Result<Question, Failure> {
        let classifications = self.classifications.unwrap_or_default();
        let classifications = classifications.iter().map(|name| name.parse::<Classification>());
        Ok(Question {
            text,
            types: self.types.unwrap_or_default(),
            not_types: self.not_types.unwrap_or_default(),
            sources: self.sources.unwrap_or_default(),
            not_sources: self.not_sources.unwrap_or_default(),
            classifications: classifications.collect::<storage::Result<_>>()?,
            form: self.form.map(Into::into),
            time: range(self.since, self.before)?,
            include_revoked: self.include_revoked.unwrap_or_default(),
            ..Question::default()
        })
    }
}

/// The time from one end to the other; an end that is not given is open.
fn range(since: Option<DateTime>, before: Option<DateTime>) -> Result<Option<TimeRange>, Failure> {
    if since.is_none() && before.is_none() {
        return Ok(None);
    }
    let from_us = since.map_or(i64::MIN, |time| time.0);
    let to_us = before.map_or(i64::MAX, |time| time.0);
    if from_us >= to_us {
        return Err(Failure::bad_request("`since` must be before `before`"));
    }
    Ok(Some(TimeRange { from_us, to_us }))
}

impl From<ThingForm> for Form {
    fn from(form: ThingForm) -> Form {
        match form {
            ThingForm::Entity => Form::Entity,
            ThingForm::Relation => Form::Relation,
        }
    }
}
