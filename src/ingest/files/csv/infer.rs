//! What the columns of a file seem to be, by its first rows. Whatever is guessed here is shown as a mapping that can be
//! put right; nothing that is guessed loses a cell: one that does not fit its column's type stays text.

use std::collections::HashSet;

use storage::model::Classification;

use super::super::fatal::Fatal;
use super::cell::{self, Kind};
use super::dialect::Dialect;
use super::mapping::{Column, FORMAT, Ids, Mapping, Otherwise, Role};
use super::rows::{Found, Rows};
use super::{COLUMNS_MAX, Sample, plan};

/// Most distinct words of an enumeration.
const VALUES_MAX: usize = 24;
/// A word of an enumeration comes so often, on average.
const REPEATED_MIN: usize = 4;
/// The mean length of prose, in bytes.
const PROSE_BYTES_MIN: usize = 48;
/// What a file is called that has no name.
const NAMELESS: [&str; 3] = ["", "stdin", "body"];

/// Names of columns that are ids, in the order in which they are asked; what they name at both ends of a relation.
const IDS: [&str; 5] = ["id", "uuid", "guid", "key", "identifier"];
const FROMS: [&str; 4] = ["from", "from_id", "source_id", "source_ref"];
const TOS: [&str; 4] = ["to", "to_id", "target_id", "target_ref"];
const KINDS: [&str; 5] = ["relation", "relationship", "relationship_type", "kind", "type"];

/// A column as its cells show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Rows in which it is empty.
    pub(super) empty: usize,
    /// Distinct cells.
    pub(super) distinct: usize,
    /// The first distinct cells.
    pub(super) examples: Vec<String>,
    /// The words of an enumeration, in their order.
    values: Vec<String>,
    filled: usize,
    bytes: usize,
    has_spaces: bool,
}

/// The first rows of a file, column by column.
pub(super) struct Table {
    pub(super) has_header: bool,
    pub(super) trim: bool,
    pub(super) columns: Vec<Seen>,
    pub(super) rows: usize,
}

/// The mapping of a file that nobody has described.
pub(super) fn mapping(sample: &Sample, dialect: Dialect, name: &str) -> Result<Mapping, Fatal> {
    let table = Table::of(sample, dialect)?;
    let columns = columns(&table);
    let is_of_relations = columns.iter().any(|column| column.role == Role::From);
    let has = |role: Role| columns.iter().any(|column| column.role == role);
    let thing_type = (!has(Role::Type)).then(|| type_of(name, is_of_relations));
    let ids = (!is_of_relations && !has(Role::Id)).then_some(Ids::Digest);
    Ok(Mapping {
        format: FORMAT,
        thing_type,
        ids,
        delimiter: Some(dialect.delimiter.into()),
        quote: Some(dialect.quote.into()),
        header: table.has_header,
        trim: table.trim,
        columns,
    })
}

impl Table {
    pub(super) fn of(sample: &Sample, dialect: Dialect) -> Result<Table, Fatal> {
        let rows = rows(sample, dialect)?;
        let trim = is_padded(&rows);
        let cell = |row: &[String], place: usize| -> String {
            let cell = row.get(place).map_or("", String::as_str);
            if trim { cell.trim().to_owned() } else { cell.to_owned() }
        };
        let first = &rows[0];
        let has_header = is_header(first);
        let names = match has_header {
            true => plan::names(first.iter().map(String::as_str)),
            false => (1..=first.len()).map(|number| number.to_string()).collect(),
        };
        let body = &rows[usize::from(has_header)..];
        let fitting: Vec<_> = body.iter().filter(|row| row.len() == first.len()).collect();
        let columns = names.into_iter().enumerate();
        let columns = columns.map(|(place, name)| Seen::of(name, fitting.iter().map(|row| cell(row, place))));
        Ok(Table { has_header, trim, columns: columns.collect(), rows: body.len() })
    }
}

impl Seen {
    fn of(name: String, cells: impl Iterator<Item = String>) -> Seen {
        let mut fits = [Kind::Boolean, Kind::Integer, Kind::Number, Kind::Time].to_vec();
        let (mut distinct, mut order) = (HashSet::new(), Vec::new());
        let (mut empty, mut filled, mut bytes, mut has_spaces) = (0, 0, 0, false);
        for cell in cells {
            if cell.is_empty() {
                empty += 1;
                continue;
            }
            filled += 1;
            bytes += cell.len();
            has_spaces |= cell.contains(char::is_whitespace);
            fits.retain(|kind| kind.json(&cell, &[]).is_some());
            if distinct.insert(cell.clone()) && order.len() <= VALUES_MAX {
                order.push(cell);
            }
        }
        let is_enumeration = distinct.len() <= VALUES_MAX
            && distinct.len() * REPEATED_MIN <= filled
            && distinct.len() > 1
            && bytes < filled * PROSE_BYTES_MIN;
        let kind = match fits.first() {
            Some(kind) if filled > 0 => *kind,
            _ if is_enumeration => Kind::Enumeration,
            _ => Kind::Text,
        };
        let values = if kind == Kind::Enumeration { order.clone() } else { Vec::new() };
        order.truncate(3);
        Seen {
            name,
            kind,
            empty,
            distinct: distinct.len(),
            examples: order,
            values,
            filled,
            bytes,
            has_spaces,
        }
    }

    /// Whether it could be the id of what its rows are about.
    fn is_key(&self) -> bool {
        self.filled > 0 && self.empty == 0 && self.distinct == self.filled
    }

    fn is_prose(&self) -> bool {
        self.kind == Kind::Text
            && self.has_spaces
            && self.filled > 0
            && self.bytes / self.filled >= PROSE_BYTES_MIN
    }

    fn is_called(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.name.eq_ignore_ascii_case(name))
    }
}

fn columns(table: &Table) -> Vec<Column> {
    let seen = &table.columns;
    let called = |names: &[&str]| seen.iter().position(|column| column.filled > 0 && column.is_called(names));
    let ends = called(&FROMS)
        .zip(called(&TOS))
        .filter(|(from, to)| [*from, *to].iter().all(|end| seen[*end].empty == 0));
    let id = match ends {
        Some(_) => called(&["id"]).filter(|place| seen[*place].is_key()),
        None => key(seen),
    };
    let kinds: &[&str] = if ends.is_some() { &KINDS } else { &["type"] };
    let type_column = called(kinds).filter(|place| seen[*place].empty == 0 && !seen[*place].has_spaces);
    let role = |place: usize, column: &Seen| match (place, ends) {
        (place, _) if Some(place) == id => Role::Id,
        (place, Some((from, _))) if place == from => Role::From,
        (place, Some((_, to))) if place == to => Role::To,
        (place, _) if Some(place) == type_column => Role::Type,
        (_, Some(_)) if column.is_called(&["weight"]) && is_number(column) => Role::Weight,
        (_, Some(_)) if column.is_called(&["since"]) && column.kind == Kind::Time => Role::Since,
        (_, Some(_)) if column.is_called(&["until"]) && column.kind == Kind::Time => Role::Until,
        _ if column.is_called(&["observed_at"]) && column.kind == Kind::Time => Role::ObservedAt,
        _ if column.is_called(&["classification"]) && is_classification(column) => Role::Classification,
        _ if column.is_called(&["labels", "tags"]) && column.filled > 0 => Role::Label,
        _ if column.is_prose() => Role::Text,
        _ => Role::Attribute,
    };
    seen.iter().enumerate().map(|(place, column)| described(column, role(place, column))).collect()
}

fn described(seen: &Seen, role: Role) -> Column {
    let column = Column::new(&seen.name, role);
    match role {
        Role::Attribute if seen.kind != Kind::Text => Column {
            kind: Some(seen.kind),
            values: seen.values.clone(),
            otherwise: Some(Otherwise::Text),
            ..column
        },
        Role::Label => {
            let separator = [";", "|", ","].into_iter().find(|separator| {
                seen.examples.iter().chain(&seen.values).any(|cell| cell.contains(*separator))
            });
            Column { separator: Some(separator.unwrap_or(";").to_owned()), ..column }
        }
        _ => column,
    }
}

/// The column that tells rows apart: by its name, or else the first that can.
fn key(seen: &[Seen]) -> Option<usize> {
    let named = IDS
        .iter()
        .find_map(|name| seen.iter().position(|column| column.is_called(&[name]) && column.is_key()));
    named
        .or_else(|| {
            let by_suffix = |column: &Seen| {
                let name = column.name.to_ascii_lowercase();
                name.ends_with("_id")
                    || name.ends_with(" id")
                    || name.ends_with("-id")
                    || column.name.ends_with("Id")
            };
            seen.iter().position(|column| column.is_key() && by_suffix(column) && !column.has_spaces)
        })
        .or_else(|| {
            let is_word = |column: &Seen| {
                matches!(column.kind, Kind::Text | Kind::Integer) && !column.has_spaces && !column.is_prose()
            };
            seen.iter().position(|column| column.is_key() && is_word(column)).filter(|place| *place == 0)
        })
}

fn is_number(column: &Seen) -> bool {
    matches!(column.kind, Kind::Integer | Kind::Number)
}

fn is_classification(column: &Seen) -> bool {
    let known = |cell: &String| Classification::ALL.iter().any(|known| known.as_str() == cell);
    column.distinct <= Classification::ALL.len()
        && column.filled > 0
        && column.examples.iter().chain(&column.values).all(known)
}

/// What the rows of a file are called: by the file.
fn type_of(name: &str, is_of_relations: bool) -> String {
    let stem = name.split('.').next().unwrap_or_default().trim();
    if is_of_relations {
        return "related-to".to_owned();
    }
    if NAMELESS.contains(&stem) { "row".to_owned() } else { stem.chars().take(64).collect() }
}

/// The rows of the sample; the last one may be cut, and is left out.
fn rows(sample: &Sample, dialect: Dialect) -> Result<Vec<Vec<String>>, Fatal> {
    let mut reader = Rows::new(sample.bytes.as_slice(), dialect);
    let mut rows = Vec::new();
    let mut last_is_row = false;
    while let Some(found) = reader.next()? {
        last_is_row = matches!(found, Found::Row(_));
        if let Found::Row(row) = found {
            rows.push(row.cells().map(str::to_owned).collect::<Vec<_>>());
        }
    }
    if !sample.is_whole && last_is_row && rows.len() > 1 {
        rows.pop();
    }
    if rows.is_empty() {
        let found = format!("none of its first rows can be read; are there more than {COLUMNS_MAX} columns?");
        return Err(Fatal::NotCsv { found });
    }
    Ok(rows)
}

/// Whether the first row names columns: it holds no number, no time and hardly anything empty.
fn is_header(first: &[String]) -> bool {
    let is_name = |cell: &String| {
        let cell = cell.trim();
        !cell.is_empty()
            && !cell::is_number(cell)
            && cell::time_us(cell).is_none()
            && cell::boolean(cell).is_none()
    };
    let named = first.iter().filter(|cell| is_name(cell)).count();
    let empty = first.iter().filter(|cell| cell.trim().is_empty()).count();
    named + empty == first.len() && named > 0 && empty * 2 <= first.len()
}

/// Whether a space stands behind every delimiter, as some write it.
fn is_padded(rows: &[Vec<String>]) -> bool {
    let behind = || rows.iter().take(100).flat_map(|row| row.iter().skip(1)).filter(|cell| !cell.is_empty());
    behind().next().is_some() && behind().all(|cell| cell.starts_with(' '))
}
