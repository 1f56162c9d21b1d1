//! Refuses a text that Cedar's parser would not survive, before the parser sees it.
//!
//! Cedar 4.14 parses, validates and drops expressions by recursion. With the 2 MiB of a thread its parser overflows
//! the stack between 100 and 200 nested brackets, and that ends the process; its strict validator, when short of
//! stack, gives up and reports *no* error. So what makes an expression deeper is counted first, and a policy within
//! the limit gets a stack that is known to be enough.

use super::check::PolicyProblem;

pub use storage::model::POLICY_BYTES_MAX;

/// The most policies in a text: deciding a label takes time for each.
pub const POLICIES_MAX: usize = 256;

/// The most brackets, operators, dots and `if`s in one policy: its expressions cannot be deeper than that.
pub const POLICY_STEPS_MAX: usize = 200;

/// Measured: parsing 200 nested brackets needs 3 MiB.
const LOAD_STACK_BYTES: usize = 16 * 1024 * 1024;

/// Measured: deciding 200 nested conditions needs less than 1 MiB; a thread has 2.
const DECIDE_STACK_BYTES: usize = 1024 * 1024;

/// Runs `load`, which recurses into a text within the limits, with the stack that it may need.
pub(super) fn with_stack_to_load<T>(load: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(LOAD_STACK_BYTES, LOAD_STACK_BYTES, load)
}

/// Runs `decide`, which recurses into a loaded policy, with the stack that it may need.
pub(super) fn with_stack_to_decide<T>(decide: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(DECIDE_STACK_BYTES, 2 * DECIDE_STACK_BYTES, decide)
}

/// The first limit that the text goes over.
pub(super) fn exceeded(text: &str) -> Option<PolicyProblem> {
    if text.len() > POLICY_BYTES_MAX {
        let bytes = text.len();
        let message = format!("text of {bytes} bytes; at most {POLICY_BYTES_MAX}");
        return Some(problem(1, message));
    }
    let (mut line, mut policies, mut steps) = (1, 0, 0);
    for token in Tokens(text) {
        match token {
            "\n" => line += 1,
            ";" => (policies, steps) = (policies + 1, 0),
            _ => steps += usize::from(deepens(token)),
        }
        if policies > POLICIES_MAX {
            return Some(problem(line, format!("more than {POLICIES_MAX} policies; join some")));
        }
        if steps > POLICY_STEPS_MAX {
            let message =
                format!("more than {POLICY_STEPS_MAX} brackets and operators in one policy; make it several");
            return Some(problem(line, message));
        }
    }
    None
}

fn problem(line: usize, message: String) -> PolicyProblem {
    PolicyProblem { line, policy: None, message }
}

fn deepens(token: &str) -> bool {
    token == "if" || token.len() == 1 && "([{.+-*/%<>=!&|".contains(token)
}

/// Words, single symbols and line ends; what is inside strings and comments is none. Reads both exactly as Cedar
/// does: whoever could make us see a string where Cedar sees code would be past the limit.
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let first = self.0.chars().next()?;
            let length = match first {
                '"' => string_bytes(self.0),
                '/' if self.0.starts_with("//") => bytes_until(self.0, |c| matches!(c, '\n' | '\r')),
                c if is_word(c) => bytes_until(self.0, |c| !is_word(c)),
                c => c.len_utf8(),
            };
            let (token, rest) = self.0.split_at(length);
            self.0 = rest;
            if first != '"' && !token.starts_with("//") {
                return Some(token);
            }
        }
    }
}

/// To the closing quote that no backslash precedes, or to the end, where Cedar stops reading.
fn string_bytes(text: &str) -> usize {
    let mut escaped = true; // the opening quote
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn bytes_until(text: &str, end: impl Fn(char) -> bool) -> usize {
    text.find(end).unwrap_or(text.len())
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

#[cfg(test)]
mod tests;
