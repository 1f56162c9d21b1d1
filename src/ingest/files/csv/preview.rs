//! What an import of a CSV file would make of it, by its first rows.

use serde::Serialize;

use super::cell::Kind;
use super::dialect::Written;
use super::infer::{Seen, Table};
use super::mapping::{Column, Declared, Mapping, Role};
use super::{Known, Sample};
use crate::ingest::files::Fatal;

/// A file as it would be taken.
#[derive(Clone, Debug, Serialize)]
pub struct Description {
    /// How it is written.
    pub dialect: Written,
    /// Whether its first row names the columns.
    pub header: bool,
    /// Rows that were looked at.
    pub sampled_rows: usize,
    /// The columns, in the order of the file.
    pub columns: Vec<ColumnSeen>,
    /// What each column is, as a text to be edited and given to the import.
    pub mapping: String,
    /// Whether nobody declared it.
    pub inferred: bool,
    /// What the reader should know.
    pub notes: Vec<String>,
}

/// A column, and what becomes of it.
#[derive(Clone, Debug, Serialize)]
pub struct ColumnSeen {
    /// Its name.
    pub name: String,
    /// What its cells are: `id`, `integer`, `number`, `boolean`, `time`, `enumeration` or `text`.
    #[serde(rename = "type")]
    pub seen_as: &'static str,
    /// Rows in which it is empty.
    pub empty: usize,
    /// Distinct cells.
    pub distinct: usize,
    /// The first of them.
    pub examples: Vec<String>,
    /// What it becomes, in words.
    pub becomes: String,
}

impl Description {
    /// Describes what `known` makes of the file that begins with `sample`.
    pub(in crate::ingest) fn of(sample: &Sample, known: &Known) -> Result<Description, Fatal> {
        let Declared { mapping, used } = &known.declared;
        let table = Table::of(sample, known.dialect)?;
        let columns = table.columns.iter().map(|seen| ColumnSeen::of(seen, mapping)).collect();
        Ok(Description {
            dialect: known.dialect.written(&sample.bytes),
            header: mapping.header,
            sampled_rows: table.rows,
            columns,
            mapping: mapping.to_string(),
            inferred: used.inferred,
            notes: notes(&table, mapping),
        })
    }
}

impl ColumnSeen {
    fn of(seen: &Seen, mapping: &Mapping) -> ColumnSeen {
        let column = mapping.columns.iter().find(|column| column.name == seen.name);
        let is_id = column.is_some_and(|column| matches!(column.role, Role::Id | Role::From | Role::To));
        ColumnSeen {
            name: seen.name.clone(),
            seen_as: if is_id { "id" } else { kind_name(seen.kind) },
            empty: seen.empty,
            distinct: seen.distinct,
            examples: seen.examples.iter().map(|cell| cell.chars().take(80).collect()).collect(),
            becomes: column.map_or_else(|| "nothing: it is not in the mapping".to_owned(), becomes),
        }
    }
}

fn becomes(column: &Column) -> String {
    let target = column.target();
    match column.role {
        Role::Id => "the id".to_owned(),
        Role::Type => "the type".to_owned(),
        Role::Attribute => {
            format!("attribute `{target}`, {}", kind_name(column.kind.unwrap_or(Kind::Text)))
        }
        Role::Text => format!("attribute `{target}`, prose"),
        Role::Relation => format!("relations `{target}` to what its cells name"),
        Role::From => "the end that the relation leaves".to_owned(),
        Role::To => "the end that the relation points to".to_owned(),
        Role::Weight => "the weight".to_owned(),
        Role::Since => "since when it holds".to_owned(),
        Role::Until => "until when it holds".to_owned(),
        Role::ObservedAt => "when the source saw it".to_owned(),
        Role::Label => "labels".to_owned(),
        Role::Classification => "the classification".to_owned(),
        Role::Personal => "whether it is personal data".to_owned(),
        Role::Ignore => "nothing: it is left out".to_owned(),
    }
}

fn notes(table: &Table, mapping: &Mapping) -> Vec<String> {
    let mut notes = Vec::new();
    if mapping.ids.is_some() {
        notes.push(
            "no column tells the rows apart, so the id of each is made from all its cells; rows that are alike are one thing"
                .to_owned(),
        );
    }
    if table.has_header != mapping.header {
        let seems = if table.has_header { "to name the columns" } else { "to be data already" };
        notes.push(format!("the first row seems {seems}; the mapping says header = {}", mapping.header));
    }
    notes
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Integer => "integer",
        Kind::Number => "number",
        Kind::Boolean => "boolean",
        Kind::Time => "time",
        Kind::Enumeration => "enumeration",
    }
}
