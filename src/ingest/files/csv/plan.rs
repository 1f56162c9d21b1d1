//! A mapping met with a file: which cell of a row becomes what.

use std::io::Read;
use std::str::FromStr;

use index::text::CLAIM_BYTES_MAX;
use sha2::{Digest, Sha256};
use storage::model::{
    Claim, Classification, EdgeSaid, Form, LabelKind, Part, Said, Status, TEXT_BYTES_MAX, Text,
};

use super::super::fatal::Fatal;
use super::super::labels::Labels;
use super::super::reject::Reject;
use super::super::{Item, jsonl};
use super::cell::{Kind, boolean, is_integer, is_number, time_us};
use super::mapping::{Column, Mapping, Otherwise, Role};
use super::rows::{Found, Row, Rows};

/// What becomes of the rows of one file.
pub(super) struct Plan<'m> {
    mapping: &'m Mapping,
    /// The columns, in the order of the file.
    columns: Vec<&'m Column>,
    is_of_relations: bool,
}

/// What the cells of one row say, while they are looked at.
#[derive(Default)]
struct Heard {
    id: Option<String>,
    thing_type: Option<String>,
    from: String,
    to: String,
    tags: Vec<String>,
    claims: Vec<Claim>,
    texts: Vec<Text>,
    weight: Option<f64>,
    since: Option<(String, i64)>,
    until: Option<(String, i64)>,
    observed_at_us: Option<i64>,
    classification: Option<Classification>,
    personal: Option<bool>,
    /// Kinds and ids of what the thing is related to.
    related: Vec<(String, String)>,
}

impl<'m> Plan<'m> {
    /// Reads the header, if there is one, and finds every column in the mapping.
    pub(super) fn new<R: Read>(mapping: &'m Mapping, rows: &mut Rows<R>) -> Result<Plan<'m>, Fatal> {
        let columns = match mapping.header {
            true => named(mapping, &header(rows)?)?,
            false => numbered(mapping)?,
        };
        Ok(Plan { mapping, columns, is_of_relations: mapping.is_of_relations() })
    }

    /// Hands out what a row says, or why it is refused: as a whole.
    pub(super) fn said(&mut self, row: Row<'_>, labels: &mut Labels, items: &mut Vec<Item>) {
        let line = row.line;
        let before = items.len();
        if let Err(reject) = self.try_said(row, labels, items) {
            items.truncate(before);
            items.push(Item::Reject(reject.at(line)));
        }
    }

    fn try_said(&self, row: Row<'_>, labels: &mut Labels, items: &mut Vec<Item>) -> Result<(), Reject> {
        if row.len() != self.columns.len() {
            let (cells, columns) = (row.len(), self.columns.len());
            let reason = format!(
                "the row has {cells} cells, there are {columns} columns; quote a cell that holds the delimiter"
            );
            return Err(Reject::new("ragged_row", reason, &row.cells().collect::<Vec<_>>().join(" | ")));
        }
        let mut heard = Heard::default();
        for (place, column) in self.columns.iter().enumerate() {
            let cell = row.cell(place);
            let cell = if self.mapping.trim { cell.trim() } else { cell };
            if !cell.is_empty() {
                heard.hear(column, cell).map_err(|reject| reject.in_column(&column.name))?;
            }
        }
        let line = row.line;
        let mut say = |said: Said| {
            said.validate()?;
            items.push(Item::Said { line, said });
            Ok(())
        };
        if self.is_of_relations {
            return say(self.relation(heard, labels)?);
        }
        let id = match &self.mapping.ids {
            Some(_) => digest_id(&labels.source().name, row),
            None => heard.id.take().ok_or_else(|| self.missing(Role::Id, "id"))?,
        };
        let related = std::mem::take(&mut heard.related);
        let terms = (heard.classification, heard.personal);
        say(self.entity(id.clone(), heard, labels)?)?;
        related.into_iter().try_for_each(|(kind, to)| {
            let heard = Heard {
                from: id.clone(),
                to,
                classification: terms.0,
                personal: terms.1,
                ..Heard::default()
            };
            say(related_by(kind, heard, labels))
        })
    }

    fn entity(&self, id: String, mut heard: Heard, labels: &mut Labels) -> Result<Said, Reject> {
        let thing_type = self.thing_type(&mut heard)?;
        Ok(heard.said(id, Form::Entity, thing_type, Vec::new(), labels))
    }

    fn relation(&self, mut heard: Heard, labels: &mut Labels) -> Result<Said, Reject> {
        let kind = self.thing_type(&mut heard)?;
        for (end, role, name) in [(&heard.from, Role::From, "from"), (&heard.to, Role::To, "to")] {
            if end.is_empty() {
                return Err(self.missing(role, name));
            }
        }
        Ok(related_by(kind, heard, labels))
    }

    fn thing_type(&self, heard: &mut Heard) -> Result<String, Reject> {
        let of_all = || self.mapping.thing_type.clone();
        heard.thing_type.take().or_else(of_all).ok_or_else(|| self.missing(Role::Type, "type"))
    }

    /// A cell that must not be empty is.
    fn missing(&self, role: Role, name: &str) -> Reject {
        let column = self.columns.iter().find(|column| column.role == role);
        let reject = Reject::new("missing_property", format!("the {name} is empty"), "");
        match column {
            Some(column) => reject.in_column(&column.name),
            None => reject,
        }
    }
}

impl Heard {
    fn hear(&mut self, column: &Column, cell: &str) -> Result<(), Reject> {
        if cell.len() > TEXT_BYTES_MAX {
            let reason = format!("a cell of {} bytes, at most {TEXT_BYTES_MAX}", cell.len());
            return Err(Reject::new("cell_too_large", reason, cell));
        }
        let with_prefix = |cell: &str| [column.prefix.as_deref().unwrap_or_default(), cell].concat();
        match column.role {
            Role::Ignore => {}
            Role::Id => self.id = Some(with_prefix(cell)),
            Role::Type => self.thing_type = Some(cell.to_owned()),
            Role::From => self.from = with_prefix(cell),
            Role::To => self.to = with_prefix(cell),
            Role::Label => self.tags.extend(values(column, cell).map(str::to_owned)),
            Role::Relation => {
                let ends = values(column, cell).map(|end| (column.target().to_owned(), with_prefix(end)));
                self.related.extend(ends);
            }
            Role::Attribute => self.claims.push(attribute(column, cell)?),
            Role::Text => self.prose(column.target(), cell),
            Role::Weight => self.weight = Some(weight(cell)?),
            Role::Since => self.since = Some((cell.to_owned(), time(cell)?)),
            Role::Until => self.until = Some((cell.to_owned(), time(cell)?)),
            Role::ObservedAt => self.observed_at_us = Some(time(cell)?),
            Role::Classification => self.classification = Some(Classification::from_str(cell)?),
            Role::Personal => {
                let reject =
                    || Reject::new("bad_boolean", format!("must be {}", Kind::Boolean.must_be()), cell);
                self.personal = Some(boolean(cell).ok_or_else(reject)?);
            }
        }
        Ok(())
    }

    /// A claim is searched as it stands, unless it is long: only then it is kept as a text as well.
    fn prose(&mut self, name: &str, cell: &str) {
        let json = super::cell::quoted(cell);
        if json.len() > CLAIM_BYTES_MAX {
            self.texts.push(Text { text: cell.to_owned(), of_claim: name.to_owned() });
        }
        self.claims.push(Claim { name: name.to_owned(), json });
    }

    fn said(
        self,
        id: String,
        form: Form,
        thing_type: String,
        edges: Vec<EdgeSaid>,
        labels: &mut Labels,
    ) -> Said {
        let classification = self.classification.unwrap_or(labels.source().classification);
        let label =
            labels.of(LabelKind::from(form), &thing_type, classification, self.personal.unwrap_or_default());
        Said {
            id,
            form,
            thing_type,
            base: None,
            tags: self.tags,
            status: Status::Active,
            observed_at_us: self.observed_at_us,
            version_us: None,
            edges,
            weight: self.weight,
            since: self.since,
            until: self.until,
            parts: vec![Part { label, claims: self.claims, texts: self.texts, embedding: None }],
        }
    }
}

/// A relation of that kind; the same relation of the same source is the same, as it is in JSONL.
fn related_by(kind: String, mut heard: Heard, labels: &mut Labels) -> Said {
    let edge = EdgeSaid { kind, from: std::mem::take(&mut heard.from), to: std::mem::take(&mut heard.to) };
    let since = heard.since.as_ref().map(|(text, _)| text.as_str());
    let id = heard.id.take().unwrap_or_else(|| jsonl::relation_id(&labels.source().name, &edge, since));
    heard.said(id, Form::Relation, edge.kind.clone(), vec![edge], labels)
}

/// The id of a row that has none. Part of the format: never change it.
fn digest_id(source: &str, row: Row<'_>) -> String {
    let mut hash = Sha256::new();
    for field in [source].into_iter().chain(row.cells()) {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    let digest = hash.finalize();
    let half = digest.first_chunk().expect("SHA-256 has 32 bytes");
    format!("row--{:032x}", u128::from_be_bytes(*half))
}

fn attribute(column: &Column, cell: &str) -> Result<Claim, Reject> {
    let kind = column.kind.unwrap_or(Kind::Text);
    let json = |cell: &str| {
        let of_kind = kind.json(cell, &column.values);
        let text = (column.otherwise == Some(Otherwise::Text)).then(|| super::cell::quoted(cell));
        of_kind.or(text).ok_or_else(|| {
            let code = match kind {
                Kind::Integer => "bad_integer",
                Kind::Number => "bad_number",
                Kind::Boolean => "bad_boolean",
                Kind::Time => "bad_timestamp",
                Kind::Enumeration => "bad_value",
                Kind::Text => "bad_property",
            };
            Reject::new(code, format!("must be {}", kind.must_be()), cell)
        })
    };
    let json = match column.separator {
        None => json(cell)?,
        Some(_) => format!("[{}]", values(column, cell).map(json).collect::<Result<Vec<_>, _>>()?.join(",")),
    };
    Ok(Claim { name: column.target().to_owned(), json })
}

/// The values in a cell; those of several are without the spaces around them.
fn values<'a>(column: &'a Column, cell: &'a str) -> impl Iterator<Item = &'a str> {
    let several = column.separator.as_deref().map(|separator| cell.split(separator).map(str::trim));
    let one = column.separator.is_none().then_some(cell);
    several.into_iter().flatten().filter(|value| !value.is_empty()).chain(one)
}

fn weight(cell: &str) -> Result<f64, Reject> {
    let number = (is_integer(cell) || is_number(cell)).then(|| cell.parse().ok()).flatten();
    number.ok_or_else(|| Reject::new("bad_weight", format!("must be {}", Kind::Number.must_be()), cell))
}

fn time(cell: &str) -> Result<i64, Reject> {
    time_us(cell)
        .ok_or_else(|| Reject::new("bad_timestamp", format!("must be {}", Kind::Time.must_be()), cell))
}

/// The names in the first row.
pub(super) fn header<R: Read>(rows: &mut Rows<R>) -> Result<Vec<String>, Fatal> {
    let names = match rows.next()? {
        Some(Found::Row(row)) => names(row.cells()),
        Some(Found::Rejected(reject)) => {
            return Err(Fatal::NotCsv { found: format!("its first row cannot be read: {}", reject.reason) });
        }
        None => return Err(Fatal::NotCsv { found: "it has no rows".to_owned() }),
    };
    let twice = names.iter().enumerate().find(|(place, name)| names[..*place].contains(name));
    match twice {
        Some((_, name)) => Err(Fatal::Columns {
            problem: format!("two columns are called `{name}`; give one of them another name"),
        }),
        None => Ok(names),
    }
}

/// The names of columns; one that has none is called by its number.
pub(super) fn names<'a>(cells: impl Iterator<Item = &'a str>) -> Vec<String> {
    let name = |(place, cell): (usize, &str)| match cell.trim() {
        "" => format!("column {}", place + 1),
        name => name.to_owned(),
    };
    cells.enumerate().map(name).collect()
}

fn named<'m>(mapping: &'m Mapping, names: &[String]) -> Result<Vec<&'m Column>, Fatal> {
    let absent = mapping.columns.iter().find(|column| !names.contains(&column.name));
    if let Some(column) = absent {
        let problem = format!(
            "the mapping has a column `{}`, and the file has none; its columns are `{}`",
            column.name,
            names.join("`, `")
        );
        return Err(Fatal::Columns { problem });
    }
    let find = |name: &String| {
        mapping.columns.iter().find(|column| column.name == *name).ok_or_else(|| Fatal::Columns {
            problem: format!(
                "the mapping has no column `{name}`; add it, or say that it is left out: as = \"ignore\""
            ),
        })
    };
    names.iter().map(find).collect()
}

fn numbered(mapping: &Mapping) -> Result<Vec<&Column>, Fatal> {
    let find = |number: usize| {
        let name = number.to_string();
        mapping.columns.iter().find(|column| column.name == name).ok_or_else(|| Fatal::Columns {
            problem: format!(
                "the columns of a file without header are called `1`, `2` and so on; there is no `{name}`"
            ),
        })
    };
    (1..=mapping.columns.len()).map(find).collect()
}
