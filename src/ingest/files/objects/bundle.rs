//! Walks a STIX bundle to the elements of its `objects`, whatever the order of its keys.

use std::io::Read;

use super::super::fatal::Fatal;
use super::nesting::Nesting;
use super::window::Window;
use super::{Reject, Step, Taken, take, too_large};

/// Where in the bundle the window stands.
#[derive(Default)]
pub(super) struct Bundle {
    at: At,
    type_seen: bool,
    objects_seen: bool,
}

#[derive(Clone, Copy, Default)]
enum At {
    #[default]
    Start,
    Members,
    Elements,
    After,
}

impl Bundle {
    /// Goes to the next element of `objects`.
    ///
    /// Commas are passed over without asking whether they are where they should be: nothing is lost by it. A bundle
    /// without `objects` is empty, as STIX 2.1 allows.
    pub(super) fn step<R: Read>(&mut self, window: &mut Window<R>) -> Result<Step, Fatal> {
        loop {
            let next = skip_space(window)?;
            let step = match self.at {
                At::Start => self.start(window, next)?,
                At::Members => self.member(window, next)?,
                At::Elements => self.element(window, next)?,
                At::After => Some(self.after(window, next)?),
            };
            if let Some(step) = step {
                return Ok(step);
            }
        }
    }

    fn start<R: Read>(&mut self, window: &mut Window<R>, next: Option<u8>) -> Result<Option<Step>, Fatal> {
        let found = match next {
            Some(b'{') => {
                window.pass(1);
                self.at = At::Members;
                return Ok(None);
            }
            None => "the file is empty".into(),
            Some(b'[') => "the file is a list".into(),
            Some(0xFE | 0xFF) => "the file is UTF-16, it must be UTF-8".into(),
            Some(_) => format!("the file starts with `{}`", shown_ahead(window)),
        };
        Err(Fatal::NotABundle { found })
    }

    fn member<R: Read>(&mut self, window: &mut Window<R>, next: Option<u8>) -> Result<Option<Step>, Fatal> {
        match next {
            None => return Err(truncated(window, "the bundle is not closed by `}`")),
            Some(b',') => window.pass(1),
            Some(b'}') => {
                window.pass(1);
                self.at = At::After;
            }
            Some(b'"') => self.property(window)?,
            Some(_) => return Err(broken(window, "a property name was expected")),
        }
        Ok(None)
    }

    fn property<R: Read>(&mut self, window: &mut Window<R>) -> Result<(), Fatal> {
        let name = value(window, b'"')?;
        let Ok(name) = serde_json::from_slice::<String>(&name) else {
            return Err(broken(window, "the property name before is not JSON"));
        };
        if skip_space(window)? != Some(b':') {
            return Err(broken(window, "a `:` after the property name was expected"));
        }
        window.pass(1);
        let Some(next) = skip_space(window)? else {
            return Err(truncated(window, "a property has no value"));
        };
        if name == "objects" {
            return self.objects(window, next);
        }
        let value = value(window, next)?;
        self.check(&name, &String::from_utf8_lossy(&value))
    }

    fn objects<R: Read>(&mut self, window: &mut Window<R>, next: u8) -> Result<(), Fatal> {
        if next != b'[' {
            return Err(broken(window, "`objects` must be a list"));
        }
        if self.objects_seen {
            return Err(broken(window, "a bundle has one `objects`"));
        }
        window.pass(1);
        self.objects_seen = true;
        self.at = At::Elements;
        Ok(())
    }

    /// Looks at the two properties that say what the file is.
    fn check(&mut self, name: &str, value: &str) -> Result<(), Fatal> {
        match name {
            "type" if value != r#""bundle""# => {
                Err(Fatal::NotABundle { found: format!("its type is {value}") })
            }
            "type" => {
                self.type_seen = true;
                Ok(())
            }
            "spec_version" if value == r#""2.0""# => {
                Err(Fatal::Stix20 { sign: "the bundle's `spec_version` is 2.0".into() })
            }
            _ => Ok(()),
        }
    }

    fn element<R: Read>(&mut self, window: &mut Window<R>, next: Option<u8>) -> Result<Option<Step>, Fatal> {
        match next {
            None => Err(truncated(window, "`objects` is not closed by `]`")),
            Some(b',') => {
                window.pass(1);
                Ok(None)
            }
            Some(b']') => {
                window.pass(1);
                self.at = At::Members;
                Ok(None)
            }
            Some(b'{') => object(window).map(Some),
            Some(other) => stray(window, other).map(Some),
        }
    }

    fn after<R: Read>(&self, window: &mut Window<R>, next: Option<u8>) -> Result<Step, Fatal> {
        if next.is_some() {
            return Err(broken(window, "nothing was expected after the bundle, one file holds one bundle"));
        }
        if !self.type_seen {
            let found = "it has no `type`".into();
            return Err(Fatal::NotABundle { found });
        }
        Ok(Step::End)
    }
}

fn object<R: Read>(window: &mut Window<R>) -> Result<Step, Fatal> {
    let mut nesting = Nesting::object();
    let taken = take(window, |bytes| nesting.advance(bytes))?;
    if !taken.ended {
        let line = taken.line;
        let expected = format!(
            "the object that starts on line {line} does not end (or a quote or brace is missing in it)"
        );
        return Err(truncated(window, &expected));
    }
    Ok(match &taken.too_large {
        Some(shown) => Step::Rejected(too_large("object", &taken, shown)),
        None => Step::Object,
    })
}

/// Passes over an element that is no object, or over what is left of a broken one.
fn stray<R: Read>(window: &mut Window<R>, first: u8) -> Result<Step, Fatal> {
    let taken = take_value(window, first)?;
    let shown = taken.too_large.as_deref().unwrap_or(window.marked());
    let shown = String::from_utf8_lossy(shown);
    let reason = "an element of `objects` is not an object";
    Ok(Step::Rejected(Reject::new("not_an_object", reason, &shown).at(taken.line)))
}

/// The bytes of the value that starts here; none of one that is over the limit, since nobody asks for it.
fn value<R: Read>(window: &mut Window<R>, first: u8) -> Result<Vec<u8>, Fatal> {
    let taken = take_value(window, first)?;
    if !taken.ended {
        return Err(truncated(window, "a property of the bundle does not end"));
    }
    Ok(match taken.too_large {
        Some(_) => Vec::new(),
        None => window.marked().to_vec(),
    })
}

fn take_value<R: Read>(window: &mut Window<R>, first: u8) -> Result<Taken, Fatal> {
    let mut nesting = match first {
        b'{' | b'[' => Nesting::any(),
        b'"' => Nesting::string(),
        _ => return take_scalar(window),
    };
    take(window, |bytes| nesting.advance(bytes))
}

/// Takes at least one byte, so that whatever stands here is passed.
fn take_scalar<R: Read>(window: &mut Window<R>) -> Result<Taken, Fatal> {
    window.pass(1);
    take(window, |bytes| bytes.iter().position(|byte| b",]}{\" \t\r\n".contains(byte)))
}

/// The next byte that is not white space, with the mark on it.
fn skip_space<R: Read>(window: &mut Window<R>) -> Result<Option<u8>, Fatal> {
    while let Some(byte) = window.peek()? {
        if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            window.mark();
            return Ok(Some(byte));
        }
        let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        window.pass(window.ahead().iter().take_while(blank).count());
        window.mark();
    }
    window.mark();
    Ok(None)
}

fn truncated<R: Read>(window: &mut Window<R>, expected: &str) -> Fatal {
    window.mark();
    Fatal::Truncated { offset: window.offset(), line: window.mark_line(), expected: expected.into() }
}

/// The error where the window stands; at the end of the file that is a truncation.
fn broken<R: Read>(window: &mut Window<R>, expected: &'static str) -> Fatal {
    match window.peek() {
        Ok(Some(_)) => {}
        Ok(None) => return truncated(window, expected),
        Err(error) => return error.into(),
    }
    window.mark();
    Fatal::Broken { offset: window.offset(), line: window.mark_line(), expected, found: shown_ahead(window) }
}

/// What comes next, to be shown. A reader that fails here fails again at the next look.
fn shown_ahead<R: Read>(window: &mut Window<R>) -> String {
    const SHOWN_BYTES: usize = 40;
    while window.ahead().len() < SHOWN_BYTES && matches!(window.more(), Ok(true)) {}
    let ahead = window.ahead();
    let shown = String::from_utf8_lossy(&ahead[..ahead.len().min(SHOWN_BYTES)]);
    shown.lines().next().unwrap_or_default().into()
}
