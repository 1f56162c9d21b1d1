//! One entity (or relation) as a reader sees it: what each source says, and the receipt that proves it.

use storage::Result;
use storage::ids::{LabelId, Lsn, ThingId};
use storage::model::{Assertion, Label, Status};
use storage::rows::{SaidRow, ThingRow};

use super::{Other, Reader};

/// A thing as a reader sees it.
#[derive(Clone, Debug)]
pub struct Entity {
    /// Its id.
    pub id: String,
    /// Its type, as given.
    pub thing_type: String,
    /// The best visible name: `name`, then `title`, then the id.
    pub title: String,
    /// What it joins, if it is a relation.
    pub joins: Option<(Other, Other)>,
    /// Free tags of all visible sources.
    pub tags: Vec<String>,
    /// Active if any visible source stands by it.
    pub status: Status,
    /// What each source says, the one to be shown first in front.
    pub statements: Vec<Statement>,
    /// Every visible claim; of claims by one name the shown one comes first.
    pub attributes: Vec<Attribute>,
    /// Where its newest visible assertion is in the ledger.
    pub receipt: Receipt,
}

/// Something that a source says of a thing under one label.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Who says it.
    pub source: String,
    /// Whether the source stands by it.
    pub status: Status,
    /// When the source saw it, or else when it was recorded; microseconds since 1970.
    pub observed_at_us: i64,
    /// When it was recorded, microseconds since 1970.
    pub recorded_us: i64,
    /// The record.
    pub lsn: Lsn,
    /// On which terms it was given.
    pub label: Label,
}

/// A claim: who says it, when, and where that is recorded.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// The property.
    pub name: String,
    /// Its value as JSON text.
    pub value: String,
    /// Who says so.
    pub source: String,
    /// When the source saw it, or else when it was recorded; microseconds since 1970.
    pub observed_at_us: i64,
    /// The record.
    pub lsn: Lsn,
    /// Whether this is the value that is shown where there is room for one.
    pub shown: bool,
}

/// A place in a ledger.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The ledger.
    pub origin: String,
    /// The leaf, from 0.
    pub index: u64,
    /// The record, from 1.
    pub lsn: Lsn,
    /// What policy may ask about it.
    pub label: LabelId,
}

/// One step in the history of a thing.
#[derive(Clone, Debug)]
pub struct Change {
    /// The record that said it.
    pub lsn: Lsn,
    /// When it was recorded, microseconds since 1970.
    pub recorded_us: i64,
    /// Who said it.
    pub source: String,
    /// Whether the source stood by it.
    pub status: Status,
    /// When something else was said instead; `None` if it stands.
    pub replaced_us: Option<i64>,
    /// What was said, name and JSON text.
    pub claims: Vec<(String, String)>,
}

/// An assertion with its place.
pub(super) struct Made {
    pub(super) said: SaidRow,
    pub(super) assertion: Assertion,
    source: String,
}

impl Made {
    fn observed_at_us(&self) -> i64 {
        self.assertion.observed_at_us.unwrap_or(self.said.recorded_us)
    }
}

impl Reader<'_> {
    /// A thing by its id, now or at a time; `None` if there is none that the reader may see.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn entity(&self, id: &str, as_of_us: Option<i64>) -> Result<Option<Entity>> {
        let Some((thing, row)) = self.find(id, as_of_us)? else { return Ok(None) };
        let statements = self.statements(thing, &row, as_of_us)?;
        let Some(newest) = statements.iter().map(|statement| &statement.said).max_by_key(|said| said.lsn)
        else {
            return Ok(None);
        };
        Ok(Some(Entity {
            title: title(&statements).unwrap_or_else(|| row.id.clone()),
            thing_type: self.view.word(self.tenant, row.symbol())?,
            joins: self.joined(&statements[0].said)?,
            tags: tags(&statements),
            status: status(&statements),
            statements: statements.iter().map(|made| self.statement(made)).collect::<Result<_>>()?,
            attributes: attributes(&statements),
            receipt: Receipt {
                origin: self.view.origin(self.tenant)?,
                index: newest.lsn().leaf_index(),
                lsn: newest.lsn(),
                label: newest.label(),
            },
            id: row.id,
        }))
    }

    fn statement(&self, made: &Made) -> Result<Statement> {
        Ok(Statement {
            source: made.source.clone(),
            status: made.assertion.status()?,
            observed_at_us: made.observed_at_us(),
            recorded_us: made.said.recorded_us,
            lsn: made.said.lsn(),
            label: self.view.label(self.tenant, made.said.label())?,
        })
    }

    /// The title of a thing, for lists.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn title(&self, thing: ThingId, row: &ThingRow) -> Result<String> {
        Ok(title(&self.statements(thing, row, None)?).unwrap_or_else(|| row.id.clone()))
    }

    /// Everything that was ever said of a thing, oldest first; `None` if the reader may not know of it.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn history(&self, id: &str) -> Result<Option<Vec<Change>>> {
        let Some((thing, row)) = self.find(id, None)? else { return Ok(None) };
        let (form, allowed) = (row.form()?, self.allowed(&row)?);
        let before = self.view.before(self.tenant, thing)?;
        let replaced = before.into_iter().map(|before| (before.said, Some(before.replaced_us)));
        let all = row.said.into_iter().map(|said| (said, None)).chain(replaced);
        let mut changes = Vec::new();
        for (said, replaced_us) in all {
            // What a relation said once names the ends that it had then.
            if !allowed.contains(said.label()) || !self.ends_are_visible(thing, &said, None)? {
                continue;
            }
            let Some(assertion) = self.view.assertion(self.tenant, said.lsn())? else { continue };
            self.note(form, &said);
            changes.push(Change {
                lsn: said.lsn(),
                recorded_us: said.recorded_us,
                source: self.source_name(said.source)?,
                status: assertion.status()?,
                replaced_us,
                claims: assertion.claims.into_iter().map(|claim| (claim.name, claim.json)).collect(),
            });
        }
        changes.sort_by_key(|change| change.lsn);
        Ok(Some(changes))
    }

    /// The visible statements, the one to be shown first: what was observed last, then recorded last.
    pub(super) fn statements(
        &self,
        thing: ThingId,
        row: &ThingRow,
        as_of_us: Option<i64>,
    ) -> Result<Vec<Made>> {
        let mut statements = Vec::new();
        for said in self.readable(thing, row, as_of_us)? {
            if let Some(assertion) = self.view.assertion(self.tenant, said.lsn())? {
                let source = self.source_name(said.source)?;
                self.note(row.form()?, &said);
                statements.push(Made { said, assertion, source });
            }
        }
        statements.sort_by_key(|statement| {
            std::cmp::Reverse((statement.said.is_active(), statement.observed_at_us(), statement.said.lsn))
        });
        Ok(statements)
    }
}

pub(super) fn title(statements: &[Made]) -> Option<String> {
    ["name", "title"].into_iter().find_map(|name| {
        let texts = statements.iter().filter_map(|statement| statement.assertion.claim(name));
        texts
            .filter_map(|json| serde_json::from_str::<String>(json).ok())
            .find(|text| !text.trim().is_empty())
    })
}

fn tags(statements: &[Made]) -> Vec<String> {
    let mut tags = Vec::new();
    for tag in statements.iter().flat_map(|statement| &statement.assertion.tags) {
        if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    tags
}

pub(super) fn status(statements: &[Made]) -> Status {
    let first = statements.first().and_then(|statement| statement.assertion.status().ok());
    first.unwrap_or(Status::Active)
}

fn attributes(statements: &[Made]) -> Vec<Attribute> {
    let mut attributes: Vec<Attribute> = Vec::new();
    for statement in statements {
        for claim in &statement.assertion.claims {
            let shown = !attributes.iter().any(|attribute| attribute.name == claim.name);
            attributes.push(Attribute {
                name: claim.name.clone(),
                value: claim.json.clone(),
                source: statement.source.clone(),
                observed_at_us: statement.observed_at_us(),
                lsn: statement.said.lsn(),
                shown,
            });
        }
    }
    attributes.sort_by(|a, b| a.name.cmp(&b.name));
    attributes
}
