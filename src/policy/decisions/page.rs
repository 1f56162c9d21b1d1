//! Reading the log: a page at a time, or added up.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use storage::View;
use storage::ids::{LabelId, TenantId};

use super::segment::{self, Contents, SEGMENTS_MAX};
use super::{DecisionLog, Entry, On};
use crate::policy::{Action, Attributes};

/// Which decisions.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Of one token only.
    pub token: Option<String>,
    /// Of one action only.
    pub action: Option<Action>,
    /// Denials only.
    pub denied: bool,
    /// Of one request only, if it is named.
    pub request: Option<String>,
}

/// Where an entry is: its file and line. Stays as long as the file is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The number of the file.
    pub segment: u64,
    /// The line in it, from 1.
    pub line: u64,
}

/// A page of entries.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The entries, newest first.
    pub entries: Vec<(Place, Entry)>,
    /// Whether there are older ones.
    pub more: bool,
    /// What could not be read on the way, in words.
    pub damaged: Vec<String>,
}

/// How often each decision was made: of what a policy knows, on an action and a label.
#[derive(Clone, Debug, Default)]
pub struct Used {
    counts: HashMap<(Attributes, Action, Option<LabelId>, bool), u64>,
    seen: HashMap<String, Seen>,
    /// What could not be read, in words.
    pub damaged: Vec<String>,
}

/// As whom somebody was last seen.
#[derive(Clone, Debug)]
struct Seen {
    last_us: i64,
    attributes: Attributes,
}

impl DecisionLog {
    /// The newest entries before a place.
    ///
    /// # Errors
    /// If the files cannot be read at all.
    pub fn page(
        &self,
        view: &View,
        tenant: TenantId,
        wanted: &Wanted,
        before: Option<Place>,
        limit: usize,
    ) -> io::Result<Page> {
        let mut page = Page::default();
        let directory = self.directory_of(tenant);
        for number in segment::numbers(&directory)?.into_iter().rev() {
            if before.is_some_and(|before| number > before.segment) {
                continue;
            }
            let contents = self.contents(view, tenant, number, &mut page.damaged)?;
            for (line, entry) in contents.entries.into_iter().rev() {
                let place = Place { segment: number, line };
                if before.is_some_and(|before| place >= before) || !wanted.includes(&entry) {
                    continue;
                }
                if page.entries.len() == limit {
                    page.more = true;
                    return Ok(page);
                }
                page.entries.push((place, entry));
            }
        }
        Ok(page)
    }

    /// The entry at a place, if there is one.
    ///
    /// # Errors
    /// If its file cannot be read.
    pub fn entry(&self, view: &View, tenant: TenantId, place: Place) -> io::Result<Option<Entry>> {
        if !segment::numbers(&self.directory_of(tenant))?.contains(&place.segment) {
            return Ok(None);
        }
        let contents = self.contents(view, tenant, place.segment, &mut Vec::new())?;
        Ok(contents.entries.into_iter().find(|(line, _)| *line == place.line).map(|(_, entry)| entry))
    }

    /// How often each decision was made, as far back as files are kept.
    ///
    /// # Errors
    /// If the files cannot be read at all.
    pub fn used(&self, view: &View, tenant: TenantId) -> io::Result<Used> {
        let mut used = Used::default();
        for number in segment::numbers(&self.directory_of(tenant))? {
            let contents = self.contents(view, tenant, number, &mut used.damaged)?;
            contents.entries.iter().for_each(|(_, entry)| used.add(entry));
        }
        Ok(used)
    }

    /// What is wrong with a tenant's files: lines that cannot be read, closed files that are not what the ledger has, and
    /// those that are gone before their time.
    ///
    /// # Errors
    /// If the files or the view cannot be read at all.
    pub fn problems(&self, view: &View, tenant: TenantId) -> io::Result<Vec<String>> {
        let mut problems = Vec::new();
        let there = segment::numbers(&self.directory_of(tenant))?;
        for number in &there {
            match self.contents(view, tenant, *number, &mut problems) {
                // It was old enough to go since.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                read => drop(read?),
            }
        }
        let closed = view.decision_segments(tenant).map_err(io::Error::other)?;
        let newest = there.last().max(closed.last()).copied().unwrap_or(0);
        let kept = |number: &&u64| **number + SEGMENTS_MAX as u64 > newest;
        let gone = closed.iter().filter(kept).filter(|number| !there.contains(number));
        problems.extend(gone.map(|number| format!("decisions {number}: the file is missing")));
        Ok(problems)
    }

    /// The file of a segment.
    #[must_use]
    pub fn path_of(&self, tenant: TenantId, number: u64) -> PathBuf {
        segment::path(&self.directory_of(tenant), number)
    }

    pub(super) fn directory_of(&self, tenant: TenantId) -> PathBuf {
        self.directory.join(tenant.to_string())
    }

    /// Reads a file, and holds a closed one against the ledger.
    fn contents(
        &self,
        view: &View,
        tenant: TenantId,
        number: u64,
        damaged: &mut Vec<String>,
    ) -> io::Result<Contents> {
        let contents = segment::read(&self.directory_of(tenant), number)?;
        for (line, why) in &contents.damaged {
            damaged.push(format!("decisions {number}, line {line}: {why}"));
        }
        let recorded = view.decision_segment(tenant, number).map_err(io::Error::other)?;
        if recorded.is_some_and(|recorded| recorded != contents.sha256) {
            damaged.push(format!("decisions {number}: the file is not the one that the ledger has recorded"));
        }
        Ok(contents)
    }
}

impl Wanted {
    fn includes(&self, entry: &Entry) -> bool {
        self.token.as_ref().is_none_or(|token| *token == entry.token)
            && self.action.is_none_or(|action| action.as_str() == entry.action)
            && !(self.denied && entry.allowed)
            && self.request.as_ref().is_none_or(|request| entry.requests.contains(request))
    }
}

impl Used {
    /// How often somebody with these attributes was allowed this (or denied it).
    #[must_use]
    pub fn count(
        &self,
        attributes: &Attributes,
        action: Action,
        label: Option<LabelId>,
        allowed: bool,
    ) -> u64 {
        self.counts.get(&(attributes.clone(), action, label, allowed)).copied().unwrap_or_default()
    }

    /// What somebody had when he was last seen, with the purposes of all that he asked as such; by the id of his token.
    #[must_use]
    pub fn seen(&self, token: &str) -> Option<&Attributes> {
        self.seen.get(token).map(|seen| &seen.attributes)
    }

    /// What a newer program wrote in words that this one does not know is nobody's that could be asked about.
    fn add(&mut self, entry: &Entry) {
        let Ok(attributes) = entry.attributes() else { return };
        self.see(&entry.token, entry.last_us, &attributes);
        if matches!(entry.on, On::Filter { .. }) {
            return;
        }
        if let Ok(action) = entry.action.parse() {
            *self.counts.entry((attributes, action, entry.label(), entry.allowed)).or_default() +=
                entry.count;
        }
    }

    fn see(&mut self, token: &str, last_us: i64, attributes: &Attributes) {
        let Some(seen) = self.seen.get_mut(token) else {
            self.seen.insert(token.to_owned(), Seen { last_us, attributes: attributes.clone() });
            return;
        };
        let purposes =
            seen.attributes.purposes_in_use.iter().chain(attributes.purposes_in_use.iter()).collect();
        let as_before = Attributes { purposes_in_use: seen.attributes.purposes_in_use, ..attributes.clone() };
        if as_before == seen.attributes {
            seen.attributes.purposes_in_use = purposes;
        } else if last_us >= seen.last_us {
            seen.attributes = attributes.clone();
        }
        seen.last_us = seen.last_us.max(last_us);
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.segment, self.line)
    }
}

impl FromStr for Place {
    type Err = storage::Error;

    fn from_str(text: &str) -> storage::Result<Place> {
        let parts = text.split_once('.').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        let (segment, line) = parts
            .ok_or_else(|| storage::Error::invalid("no place in the decision log", text, "such as 3.17"))?;
        Ok(Place { segment, line })
    }
}
