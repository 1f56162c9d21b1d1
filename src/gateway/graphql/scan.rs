//! Looks at a document before the parser does, and refuses what parser or validator would not survive.
//!
//! async-graphql 7.2 parses values by recursion: a list of 600 in each other, 1.2 kB, overflows the stack of a thread
//! and ends the process. Its checks of depth and directives walk fragments again wherever they are spread: a chain of
//! 26 fragments, each spread twice, 855 bytes, took 12.5 s. So what makes either happen is counted first, in one pass
//! that allocates nothing but the names of fragments. Tokens are read exactly as the parser reads them: whoever could
//! make us see a string where it sees code would be past the limits.

use std::collections::HashMap;

/// The longest document, in bytes.
pub(super) const DOCUMENT_BYTES_MAX: usize = 32 * 1024;
/// Words, numbers, strings and signs in a document.
const TOKENS_MAX: usize = 4096;
/// Brackets of any kind in each other.
const NESTING_MAX: usize = 32;
/// Fragments that a document defines.
const FRAGMENTS_MAX: usize = 32;
/// Places where fragments are spread.
const SPREADS_MAX: usize = 64;
/// Fields under another name.
const ALIASES_MAX: usize = 50;
/// Directives on anything.
const DIRECTIVES_MAX: usize = 32;
/// Operations in a document, of which one is run.
const OPERATIONS_MAX: usize = 16;
/// The longest name, in bytes.
const NAME_BYTES_MAX: usize = 128;
/// Tokens of a document with every fragment written out where it is spread.
const EXPANDED_TOKENS_MAX: usize = 16 * 1024;

/// Refuses a document that is beyond a limit, with what is too much of and how much may be.
///
/// Takes time in proportion to the text, whatever is in it.
pub(super) fn check(text: &str) -> Result<(), String> {
    if text.len() > DOCUMENT_BYTES_MAX {
        return Err(format!("a document of {} bytes; at most {DOCUMENT_BYTES_MAX}", text.len()));
    }
    let mut scan = Scan::default();
    let mut tokens = Tokens { rest: text };
    while let Some(token) = tokens.next()? {
        scan.take(token)?;
    }
    scan.expanded()
}

/// What was counted so far.
#[derive(Default)]
struct Scan<'a> {
    tokens: usize,
    aliases: usize,
    directives: usize,
    spreads: usize,
    brackets: Vec<char>,
    definitions: Vec<Definition<'a>>,
    /// The token before.
    before: Option<Token<'a>>,
}

/// An operation or a fragment.
#[derive(Default)]
struct Definition<'a> {
    /// Of a fragment only.
    name: Option<&'a str>,
    tokens: usize,
    spreads: Vec<&'a str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Name(&'a str),
    Sign(char),
    Spread,
    /// A string or a number.
    Value,
}

impl<'a> Scan<'a> {
    fn take(&mut self, token: Token<'a>) -> Result<(), String> {
        self.tokens += 1;
        within(self.tokens, TOKENS_MAX, "words and signs")?;
        self.begin_definition(token)?;
        match token {
            Token::Name(name) => self.name(name)?,
            Token::Sign(sign) => self.sign(sign)?,
            Token::Spread | Token::Value => {}
        }
        if let Some(definition) = self.definitions.last_mut() {
            definition.tokens += 1;
        }
        self.before = Some(token);
        Ok(())
    }

    /// Outside of every bracket a `fragment`, an operation or a bare `{` begins something new.
    fn begin_definition(&mut self, token: Token<'a>) -> Result<(), String> {
        let ended = matches!(self.before, None | Some(Token::Sign('}')));
        if !self.brackets.is_empty() || !ended {
            return Ok(());
        }
        self.definitions.push(Definition::default());
        let fragments = self.definitions.iter().filter(|definition| definition.name.is_some()).count();
        let fragment = usize::from(token == Token::Name("fragment"));
        within(fragments + fragment, FRAGMENTS_MAX, "fragments")?;
        within(self.definitions.len() - fragments - fragment, OPERATIONS_MAX, "operations")
    }

    fn name(&mut self, name: &'a str) -> Result<(), String> {
        if name.len() > NAME_BYTES_MAX {
            return Err(format!("a name of {} bytes; at most {NAME_BYTES_MAX}", name.len()));
        }
        let outside = self.brackets.is_empty();
        let Some(definition) = self.definitions.last_mut() else { return Ok(()) };
        match self.before {
            Some(Token::Name("fragment")) if outside && definition.tokens == 1 => {
                definition.name = Some(name);
            }
            Some(Token::Spread) if name != "on" => {
                definition.spreads.push(name);
                self.spreads += 1;
                within(self.spreads, SPREADS_MAX, "spread fragments")?;
            }
            _ => {}
        }
        Ok(())
    }

    fn sign(&mut self, sign: char) -> Result<(), String> {
        match sign {
            '{' | '(' | '[' => {
                self.brackets.push(sign);
                within(self.brackets.len(), NESTING_MAX, "brackets in each other")?;
            }
            '}' | ')' | ']' => {
                self.brackets.pop();
            }
            // In arguments a colon stands between a name and its value.
            ':' if !self.brackets.is_empty() && !self.brackets.contains(&'(') => {
                self.aliases += 1;
                within(self.aliases, ALIASES_MAX, "aliases")?;
            }
            '@' => {
                self.directives += 1;
                within(self.directives, DIRECTIVES_MAX, "directives")?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The whole with every fragment written out: counted from sums, not by writing it out.
    fn expanded(&self) -> Result<(), String> {
        let by_name: HashMap<&str, usize> = self
            .definitions
            .iter()
            .enumerate()
            .filter_map(|(place, definition)| Some((definition.name?, place)))
            .collect();
        let mut sums = vec![Sum::Unknown; self.definitions.len()];
        let mut whole: usize = 0;
        for place in 0..self.definitions.len() {
            whole = whole.saturating_add(self.sum(place, &by_name, &mut sums)?);
        }
        within(whole, EXPANDED_TOKENS_MAX, "words and signs with every fragment written out")
    }

    /// Recurses once for each fragment, of which there are few.
    fn sum(&self, place: usize, by_name: &HashMap<&str, usize>, sums: &mut [Sum]) -> Result<usize, String> {
        match sums[place] {
            Sum::Known(sum) => return Ok(sum),
            Sum::Begun => return Err("a fragment that spreads itself; it would never end".to_owned()),
            Sum::Unknown => sums[place] = Sum::Begun,
        }
        let mut sum = self.definitions[place].tokens;
        for spread in &self.definitions[place].spreads {
            // A fragment that nobody defined is the validator's to name.
            if let Some(&fragment) = by_name.get(spread) {
                sum = sum.saturating_add(self.sum(fragment, by_name, sums)?);
            }
        }
        sums[place] = Sum::Known(sum);
        Ok(sum)
    }
}

#[derive(Clone, Copy)]
enum Sum {
    Unknown,
    Begun,
    Known(usize),
}

fn within(count: usize, max: usize, what: &str) -> Result<(), String> {
    if count <= max { Ok(()) } else { Err(format!("more than {max} {what}; ask for less at a time")) }
}

struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Result<Option<Token<'a>>, String> {
        self.skip_ignored();
        let Some(first) = self.rest.chars().next() else { return Ok(None) };
        Ok(Some(match first {
            '"' => {
                let bytes = string_bytes(self.rest).ok_or("a string without an end; close it")?;
                self.take(bytes);
                Token::Value
            }
            '.' if self.rest.starts_with("...") => {
                self.take(3);
                Token::Spread
            }
            c if is_name_start(c) => {
                let bytes = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
                Token::Name(self.take(bytes))
            }
            c if c == '-' || c.is_ascii_digit() => {
                let number = |c: char| matches!(c, '-' | '+' | '.' | 'e' | 'E') || c.is_ascii_digit();
                let bytes = self.rest.find(|c| !number(c)).unwrap_or(self.rest.len());
                self.take(bytes);
                Token::Value
            }
            c => {
                self.take(c.len_utf8());
                Token::Sign(c)
            }
        }))
    }

    fn skip_ignored(&mut self) {
        loop {
            self.rest = self.rest.trim_start_matches([' ', ',', '\t', '\u{feff}', '\n', '\r']);
            if !self.rest.starts_with('#') {
                return;
            }
            let line = self.rest.find(['\n', '\r']).unwrap_or(self.rest.len());
            self.take(line);
        }
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }
}

/// The length of the string that the text begins with, quotes included; `None` if it does not end.
fn string_bytes(text: &str) -> Option<usize> {
    if text.starts_with(r#"""""#) {
        return block_string_bytes(text);
    }
    let mut escaped = true; // the opening quote
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            '\n' | '\r' => return None,
            _ => {}
        }
    }
    None
}

fn block_string_bytes(text: &str) -> Option<usize> {
    let mut at = 3;
    loop {
        let quotes = at + text.get(at..)?.find(r#"""""#)?;
        at = quotes + 3;
        if !text[..quotes].ends_with('\\') {
            return Some(at);
        }
    }
}

fn is_name_start(c: char) -> bool {
    c == '_' || c.is_ascii_alphabetic()
}

fn is_name(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

#[cfg(test)]
mod tests;
