//! The time of the day at which vector segments are built.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Error, Result, ensure};

const MINUTES: u16 = 24 * 60;

/// From a minute of the day until before another, by the machine's clock; it may go over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    from: u16,
    until: u16,
}

impl Window {
    /// Whether a minute of the day, from 0, is in it.
    #[must_use]
    pub fn has(self, minute: u16) -> bool {
        let since = |minute: u16| (minute + MINUTES - self.from) % MINUTES;
        since(minute) < since(self.until)
    }

    /// Whether it is now.
    #[must_use]
    pub fn is_now(self) -> bool {
        let now = jiff::ZonedDateTime::now();
        self.has(now.hour() as u16 * 60 + now.minute() as u16)
    }
}

impl FromStr for Window {
    type Err = Error;

    fn from_str(text: &str) -> Result<Window> {
        let (from, until) = text.split_once('-').with_context(|| wrong(text))?;
        let window = Window { from: minute(from, text)?, until: minute(until, text)? };
        ensure!(window.from != window.until, "{}", wrong(text));
        Ok(window)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from, until] = [self.from, self.until].map(|minute| (minute / 60, minute % 60));
        write!(f, "{:02}:{:02}-{:02}:{:02}", from.0, from.1, until.0, until.1)
    }
}

fn minute(text: &str, whole: &str) -> Result<u16> {
    let (hour, minute) = text.trim().split_once(':').with_context(|| wrong(whole))?;
    let hour: u16 = hour.parse().with_context(|| wrong(whole))?;
    let minute: u16 = minute.parse().with_context(|| wrong(whole))?;
    ensure!(hour < 24 && minute < 60, "{}", wrong(whole));
    Ok(hour * 60 + minute)
}

fn wrong(text: &str) -> String {
    format!("not a time of the day: `{text}`; write it as 02:00-04:00")
}

#[cfg(test)]
mod tests {
    use super::Window;

    fn window(text: &str) -> Window {
        text.parse().expect("a window")
    }

    #[test]
    fn a_window_has_its_first_minute_and_not_its_last() {
        let early = window("02:00-04:30");
        let had: Vec<u16> = (0..super::MINUTES).filter(|minute| early.has(*minute)).collect();
        assert_eq!(had, (120..270).collect::<Vec<_>>());
        assert_eq!(early.to_string(), "02:00-04:30");
    }

    #[test]
    fn a_window_goes_over_midnight() {
        let night = window("23:00-1:00");
        let had: Vec<u16> = (0..super::MINUTES).filter(|minute| night.has(*minute)).collect();
        assert_eq!(had, (0..60).chain(1380..1440).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_no_window_is_refused_and_named() {
        for text in ["", "02:00", "02:00-24:00", "02:60-03:00", "2-4", "02:00-02:00"] {
            let refused = text.parse::<Window>().expect_err(text).to_string();
            assert!(refused.contains(&format!("`{text}`")), "{refused}");
        }
    }
}
