//! The mapping: what each column of a CSV file is. A text (TOML or JSON) that people edit, keep and give to the next
//! import; its digest is recorded with the run.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use storage::{Error, Result};

use super::COLUMNS_MAX;
use super::cell::Kind;

/// The newest format of a mapping.
pub(super) const FORMAT: u32 = 1;
/// Longest text of a mapping, in bytes.
pub const MAPPING_BYTES_MAX: usize = 256 * 1024;
/// Most values of an enumeration.
const VALUES_MAX: usize = 1000;
const IS_A: &str = "mapping";

/// What each column is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The format of the mapping itself.
    pub format: u32,
    /// The type of every thing, or the kind of every relation, unless a column says it.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub thing_type: Option<String>,
    /// `digest`: no column is the id; a row is known by what it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Ids>,
    /// Between two cells; looked up in the file, unless it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// Around a cell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<char>,
    /// Whether the first row names the columns; without one they are called `1`, `2` and so on.
    #[serde(default = "yes")]
    pub header: bool,
    /// Whether spaces around a cell are none of it.
    #[serde(default, skip_serializing_if = "is_no")]
    pub trim: bool,
    /// The columns, in any order; each of the file has to be here.
    #[serde(rename = "column")]
    pub columns: Vec<Column>,
}

/// What one column is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name in the file.
    pub name: String,
    /// What it is for.
    #[serde(rename = "as")]
    pub role: Role,
    /// The attribute's name or the relation's kind, if not the column's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// What its cells are; text, unless it is said.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The values of an enumeration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// What becomes of a cell that is not of the type: the row is refused, unless it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Otherwise>,
    /// Put in front of ids: `h-` makes `h-7` of `7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Between several values in one cell: of labels, relations and attributes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
}

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The id of the thing.
    Id,
    /// Its type, or the relation's kind.
    Type,
    /// A property.
    Attribute,
    /// A property that is prose, to be searched however long it is.
    Text,
    /// The id of something that the thing is related to.
    Relation,
    /// The id that a relation leaves: then each row is a relation.
    From,
    /// The id that it points to.
    To,
    /// Its weight.
    Weight,
    /// Since when it holds.
    Since,
    /// Until when it holds.
    Until,
    /// When the source saw it.
    ObservedAt,
    /// Free tags.
    Label,
    /// How far it may travel.
    Classification,
    /// Whether it is personal data.
    Personal,
    /// Left out.
    Ignore,
}

/// Where ids come from if not from a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ids {
    /// From the cells of the row.
    Digest,
}

/// What becomes of a cell that is not of its column's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Otherwise {
    /// Its row is refused.
    Reject,
    /// It stays text.
    Text,
}

/// A mapping, and the text that it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// The mapping.
    pub mapping: Mapping,
    /// Which one it is.
    pub used: Used,
}

/// Which mapping was used, as the run records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// SHA-256 of its text.
    pub sha256: [u8; 32],
    /// Its format.
    pub format: u32,
    /// Whether nobody declared it: it was made from the file.
    pub inferred: bool,
}

impl Declared {
    /// Reads a mapping: JSON if it begins with `{`, else TOML.
    ///
    /// # Errors
    /// `Invalid`, with what is wrong where.
    pub fn parse(text: &str) -> Result<Declared> {
        if text.len() > MAPPING_BYTES_MAX {
            let value = format!("{} bytes", text.len());
            return Err(Error::invalid(IS_A, &value, format!("at most {MAPPING_BYTES_MAX} bytes")));
        }
        let bad = |error: &dyn std::fmt::Display| {
            let first = text.lines().next().unwrap_or_default();
            Error::invalid(IS_A, first, error.to_string().trim_end().to_owned())
        };
        let mapping: Mapping = match text.trim_start().starts_with('{') {
            true => serde_json::from_str(text).map_err(|error| bad(&error))?,
            false => toml::from_str(text).map_err(|error| bad(&error))?,
        };
        mapping.check()?;
        Ok(Declared { used: Used::of(text, mapping.format, false), mapping })
    }

    /// A mapping that was made from a file.
    pub(super) fn inferred(mapping: Mapping) -> Declared {
        Declared { used: Used::of(&mapping.to_string(), mapping.format, true), mapping }
    }
}

impl Used {
    fn of(text: &str, format: u32, inferred: bool) -> Used {
        Used { sha256: Sha256::digest(text).into(), format, inferred }
    }
}

impl Mapping {
    /// Whether each row is a relation between two things.
    pub(super) fn is_of_relations(&self) -> bool {
        self.has(Role::From) || self.has(Role::To)
    }

    pub(super) fn has(&self, role: Role) -> bool {
        self.columns.iter().any(|column| column.role == role)
    }

    fn check(&self) -> Result<()> {
        let wrong = |value: &str, limit: String| Err(Error::invalid(IS_A, value, limit));
        if self.format != FORMAT {
            return wrong(&self.format.to_string(), format!("`format` is {FORMAT}"));
        }
        if self.columns.len() > COLUMNS_MAX {
            return wrong(&format!("{} columns", self.columns.len()), format!("at most {COLUMNS_MAX}"));
        }
        for (name, given) in [("delimiter", self.delimiter), ("quote", self.quote)] {
            if let Some(given) = given.filter(|given| !given.is_ascii() || "\r\n".contains(*given)) {
                return wrong(&given.to_string(), format!("the {name} is one ASCII character"));
            }
        }
        if self.delimiter.is_some() && self.delimiter == self.quote {
            return wrong(
                &self.delimiter.unwrap_or_default().to_string(),
                "quote and delimiter differ".to_owned(),
            );
        }
        self.check_roles()?;
        self.columns.iter().try_for_each(|column| self.check_column(column))
    }

    fn check_roles(&self) -> Result<()> {
        let wrong = |value: &str, limit: &str| Err(Error::invalid(IS_A, value, limit));
        let once = [
            (Role::Id, "id"),
            (Role::Type, "type"),
            (Role::From, "from"),
            (Role::To, "to"),
            (Role::Weight, "weight"),
            (Role::Since, "since"),
            (Role::Until, "until"),
            (Role::ObservedAt, "observed_at"),
            (Role::Classification, "classification"),
            (Role::Personal, "personal"),
        ];
        for (role, name) in once {
            if self.columns.iter().filter(|column| column.role == role).count() > 1 {
                return wrong(name, "one column at most");
            }
        }
        if self.is_of_relations() {
            if !(self.has(Role::From) && self.has(Role::To)) {
                return wrong("from, to", "rows that are relations have both");
            }
            if self.has(Role::Relation) {
                return wrong("relation", "rows that are relations have none besides");
            }
        } else if [Role::Weight, Role::Since, Role::Until].into_iter().any(|role| self.has(role)) {
            return wrong("weight, since, until", "columns of rows that are relations, with `from` and `to`");
        } else if self.has(Role::Id) == self.ids.is_some() {
            return wrong("id", "one column is the id, or else `ids = \"digest\"` is said");
        }
        if self.has(Role::Type) == self.thing_type.is_some() {
            return wrong("type", "one column is the type, or else `type = ...` is said for all");
        }
        Ok(())
    }

    fn check_column(&self, column: &Column) -> Result<()> {
        let wrong = |limit: &str| Err(Error::invalid("mapping of a column", &column.name, limit.to_owned()));
        if self.columns.iter().filter(|other| other.name == column.name).count() > 1 {
            return wrong("it is mapped twice; leave one out");
        }
        let is = |roles: &[Role]| roles.contains(&column.role);
        if column.is_claim()
            && self
                .columns
                .iter()
                .filter(|other| other.is_claim() && other.target() == column.target())
                .count()
                > 1
        {
            return wrong("two columns become one attribute; give one of them another name with `to`");
        }
        if column.to.is_some() && !is(&[Role::Attribute, Role::Text, Role::Relation]) {
            return wrong("`to` is for attributes, texts and relations");
        }
        if (column.kind.is_some() || column.otherwise.is_some()) && !is(&[Role::Attribute]) {
            return wrong("`type` and `otherwise` are for attributes");
        }
        if (column.kind == Some(Kind::Enumeration)) == column.values.is_empty() {
            return wrong("an enumeration has `values`, and nothing else has");
        }
        if column.values.len() > VALUES_MAX {
            return wrong(&format!("an enumeration has at most {VALUES_MAX} values"));
        }
        if column.prefix.is_some() && !is(&[Role::Id, Role::Relation, Role::From, Role::To]) {
            return wrong("`prefix` is for ids");
        }
        if column.separator.is_some() && !is(&[Role::Label, Role::Relation, Role::Attribute]) {
            return wrong("`separator` is for labels, relations and attributes");
        }
        if column.separator.as_deref() == Some("") {
            return wrong("`separator` is not empty");
        }
        Ok(())
    }
}

impl Column {
    /// A column of that name and role, and nothing more.
    pub(super) fn new(name: &str, role: Role) -> Column {
        Column {
            name: name.to_owned(),
            role,
            to: None,
            kind: None,
            values: Vec::new(),
            otherwise: None,
            prefix: None,
            separator: None,
        }
    }

    fn is_claim(&self) -> bool {
        matches!(self.role, Role::Attribute | Role::Text)
    }

    /// The attribute's name or the relation's kind.
    pub(super) fn target(&self) -> &str {
        self.to.as_deref().unwrap_or(&self.name)
    }
}

/// The TOML that [`Declared::parse`] reads.
impl std::fmt::Display for Mapping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&toml::to_string(self).map_err(|_| std::fmt::Error)?)
    }
}

fn yes() -> bool {
    true
}

fn is_no(flag: &bool) -> bool {
    !*flag
}
