//! What a person or a script sees: tables on a terminal, tab-separated lines in a pipe, JSON on request.

use std::io::{self, IsTerminal, Write};

use serde_json::Value;

use super::Failure;

/// Longest cell of a table on a terminal, in characters.
const CELL_CHARS_MAX: usize = 60;

/// Where and how to print.
pub(super) struct Output {
    pub(super) json: bool,
    pub(super) quiet: bool,
    /// Whether stdout is a terminal.
    terminal: bool,
    colour: bool,
}

impl Output {
    pub(super) fn new(json: bool, quiet: bool) -> Output {
        let terminal = io::stdout().is_terminal();
        let colour = terminal && std::env::var_os("NO_COLOR").is_none();
        Output { json, quiet, terminal, colour }
    }

    /// Prints the result: as JSON if asked for, else as `text` makes it.
    pub(super) fn result(&self, value: &Value, text: impl FnOnce(&Output)) {
        if self.json { self.line(&value.to_string()) } else { text(self) }
    }

    /// Prints a line of the result. A reader that went away, such as `head`, ends the program quietly.
    pub(super) fn line(&self, text: &str) {
        let mut out = io::stdout().lock();
        if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
            std::process::exit(0);
        }
    }

    /// Prints a line that is not part of the result.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            self.error_line(text);
        }
    }

    /// Prints a failure, always.
    pub(super) fn failure(&self, failure: &Failure) {
        match self.json {
            true => self.error_line(&failure.body().to_string()),
            false => self.error_line(&format!("error: {}", failure.message)),
        }
    }

    fn error_line(&self, text: &str) {
        // There is nowhere left to say that stderr is gone.
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// Prints rows: aligned and counted as so many of a `noun` on a terminal, separated by tabs and never cut in a pipe.
    pub(super) fn table(&self, heads: &[&str], rows: &[Vec<String>], noun: &str) {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| on_one_line(cell)).collect()).collect();
        if !self.terminal {
            rows.iter().for_each(|row| self.line(&row.join("\t")));
            return;
        }
        let rows = &rows[..];
        let widths: Vec<usize> = (0..heads.len()).map(|column| width(heads[column], rows, column)).collect();
        let heads: Vec<String> = heads.iter().map(|head| head.to_uppercase()).collect();
        self.line(&self.dim(&aligned(&heads, &widths)));
        rows.iter().for_each(|row| self.line(&aligned(row, &widths)));
        let several = if rows.len() == 1 { "" } else { "s" };
        self.line(&self.dim(&format!("{} {noun}{several}", rows.len())));
    }

    /// Whether a person reads it as it comes.
    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// A text with ranges of bytes made to stand out.
    pub(super) fn marked(&self, text: &str, marks: &[(usize, usize)]) -> String {
        let mut out = String::new();
        let mut at = 0;
        for (start, end) in marks {
            let (Some(before), Some(mark)) = (text.get(at..*start), text.get(*start..*end)) else { continue };
            out.push_str(&harmless(before));
            out.push_str(&self.bold(&harmless(mark)));
            at = *end;
        }
        out.push_str(&harmless(text.get(at..).unwrap_or_default()));
        out
    }

    pub(super) fn bold(&self, text: &str) -> String {
        if self.colour { format!("\x1b[1;33m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(super) fn dim(&self, text: &str) -> String {
        if self.colour { format!("\x1b[2m{text}\x1b[0m") } else { text.to_owned() }
    }
}

fn width(head: &str, rows: &[Vec<String>], column: usize) -> usize {
    let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
    cells.chain([head.chars().count()]).max().unwrap_or_default().min(CELL_CHARS_MAX)
}

fn aligned(row: &[String], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths).map(|(cell, width)| {
        let cell = if cell.chars().count() > *width {
            cell.chars().take(width.saturating_sub(3)).chain("...".chars()).collect()
        } else {
            cell.clone()
        };
        format!("{cell:width$}")
    });
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// A cell as it stands in a row: what would break the row is written out.
fn on_one_line(cell: &str) -> String {
    if !cell.contains(char::is_control) {
        return cell.to_owned();
    }
    cell.chars()
        .map(|char| if char.is_control() { char.escape_default().to_string() } else { char.into() })
        .collect()
}

/// A text without what would steer a terminal.
fn harmless(text: &str) -> String {
    text.chars().filter(|char| !char.is_control() || "\n\t".contains(*char)).collect()
}

/// A value as text: strings without quotes, everything else as JSON. Sources say what they like, but steer no terminal.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => harmless(text),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
