//! Takes in events: all of a request or none of them, and each once, however often it is sent.
//!
//! Which events were taken is kept beside what they said and commits with it, in a table by day, for a window of time.

use std::collections::HashMap;
use std::ops::{ControlFlow, RangeInclusive};

use sha2::{Digest, Sha256};

use super::assert::{self, Assert, IfEndMissing};
use super::{Applied, Effect};
use crate::batch::Batch;
use crate::error::{Error, EventRejected, Result};
use crate::ids::{ActorId, Lsn, SourceId, TenantId};
use crate::model::{Form, Said, exactly};
use crate::tables::{Key, Table, key_u32};
use crate::tx::{Read, Tx};

/// An event that was taken is known again for so many days after the day on which it came.
pub const WINDOW_DAYS: u32 = 7;
const DAY_US: i64 = 86_400_000_000;
/// Rows that have left the window are removed by those who come: so many for each event.
const FORGET_FOR_EACH: usize = 4;

/// Takes in the events of one request.
#[derive(Clone, Debug)]
pub struct TakeEvents {
    /// Whose events.
    pub tenant: TenantId,
    /// The source that says what they say.
    pub source: SourceId,
    /// Who sent them.
    pub actor: ActorId,
    /// The purpose code they are recorded for.
    pub purpose: u8,
    /// The events. What they say of entities is said first, so that relations may come before their ends.
    pub events: Vec<Event>,
}

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Who it came from, in the words of the event.
    pub origin: String,
    /// Its id, unique for its origin.
    pub id: String,
    /// What it says.
    pub said: Vec<Said>,
    /// Tells whether another event of the same id says the same.
    digest: [u8; 16],
}

/// What is known of an event that was taken.
struct Taken {
    /// Where the log ended when it had been taken.
    lsn: Lsn,
    /// The event's own.
    digest: [u8; 16],
}

impl Event {
    /// An event that says this. What is changed in `said` later, such as a time that its sender stamped on it, does not
    /// make it another event.
    #[must_use]
    pub fn new(origin: String, id: String, said: Vec<Said>) -> Event {
        let mut hash = Sha256::new();
        for part in said.iter().flat_map(|said| said.parts.iter().map(move |part| said.encode(part))) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(&part);
        }
        Event { origin, id, said, digest: first_half(&hash.finalize()) }
    }
}

pub(super) fn execute(batch: &mut Batch<'_>, command: &TakeEvents) -> Result<Applied> {
    batch.all_or_nothing(|batch| take(batch, command))
}

fn take(batch: &mut Batch<'_>, command: &TakeEvents) -> Result<Applied> {
    let today = day(batch.time_us(command.tenant)?);
    let days = days(batch, command.tenant, today)?;
    let mut rejects = Vec::new();
    let mut taken = HashMap::new();
    let (mut new, mut known_lsn) = (Vec::new(), Lsn::NONE);
    for (place, event) in command.events.iter().enumerate() {
        let (name, digest) = (name(event), event.digest);
        let known = match taken.get(&name) {
            Some(digest) => Some(Taken { lsn: Lsn::NONE, digest: *digest }),
            None => known(batch, command, &name, &days)?,
        };
        match known {
            Some(known) if known.digest == digest => known_lsn = known_lsn.max(known.lsn),
            Some(_) => rejects.push(reused(place, event)),
            None => {
                taken.insert(name, digest);
                new.push((place, event));
            }
        }
    }
    say(batch, command, &new, &mut rejects)?;
    if !rejects.is_empty() {
        rejects.sort_by_key(|reject| reject.index);
        return Err(Error::EventsRejected { rejects, of: command.events.len() });
    }
    let accepted = new.len() as u32;
    let lsn = if accepted > 0 { batch.counters(command.tenant)?.head() } else { known_lsn };
    remember(batch, command, today, lsn, taken)?;
    forget(batch, command.tenant, today, FORGET_FOR_EACH * command.events.len())?;
    let duplicates = command.events.len() as u32 - accepted;
    Ok(Applied { lsn, effect: Effect::Events { accepted, duplicates } })
}

fn reused(index: usize, event: &Event) -> EventRejected {
    let id = event.id.clone();
    EventRejected { index, id: id.clone(), error: Error::EventReused { id } }
}

/// Says what the events say; what is refused is a reject of its event.
fn say(
    batch: &mut Batch<'_>,
    command: &TakeEvents,
    events: &[(usize, &Event)],
    rejects: &mut Vec<EventRejected>,
) -> Result<()> {
    let all = || events.iter().flat_map(|(place, event)| event.said.iter().map(move |said| (*place, said)));
    for form in [Form::Entity, Form::Relation] {
        for (place, said) in all().filter(|(_, said)| said.form == form) {
            let assert = Assert {
                tenant: command.tenant,
                source: command.source,
                actor: command.actor,
                purpose: command.purpose,
                said: said.clone(),
                if_end_missing: IfEndMissing::Refuse,
            };
            match assert::execute(batch, &assert) {
                Ok(_) => {}
                Err(error) if error.is_refusal() => {
                    rejects.push(EventRejected { index: place, id: said.id.clone(), error });
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// The days of the window, from the first on which an event came.
fn days(tx: &dyn Read, tenant: TenantId, today: u32) -> Result<RangeInclusive<u32>> {
    let mut first = today;
    let from = Key::of(tenant).and(&today.saturating_sub(WINDOW_DAYS));
    tx.scan(Table::Events, from.bytes(), Some(Key::of(tenant).and(&today).bytes()), &mut |key, _| {
        first = key_u32(key, 4);
        Ok(ControlFlow::Break(()))
    })?;
    Ok(first..=today)
}

/// An event by its name, if it was taken on one of these days.
fn known(
    tx: &dyn Read,
    command: &TakeEvents,
    name: &[u8; 16],
    days: &RangeInclusive<u32>,
) -> Result<Option<Taken>> {
    for day in days.clone() {
        if let Some(row) = tx.get(Table::Events, key(command, day, name).bytes())? {
            return Taken::decode(&row).map(Some);
        }
    }
    Ok(None)
}

fn remember(
    batch: &mut Batch<'_>,
    command: &TakeEvents,
    today: u32,
    lsn: Lsn,
    taken: HashMap<[u8; 16], [u8; 16]>,
) -> Result<()> {
    batch.counters(command.tenant)?.events += taken.len() as u64;
    for (name, digest) in taken {
        let row = Taken { lsn, digest }.encode();
        batch.put(Table::Events, key(command, today, &name).bytes(), row);
    }
    Ok(())
}

/// Removes rows of days that have left the window, oldest first, up to `limit`.
fn forget(batch: &mut Batch<'_>, tenant: TenantId, today: u32, limit: usize) -> Result<()> {
    let from = Key::of(tenant);
    let to = Key::of(tenant).and(&today.saturating_sub(WINDOW_DAYS));
    let mut old = Vec::new();
    batch.scan(Table::Events, from.bytes(), Some(to.bytes()), &mut |key, _| {
        old.push(key.to_vec());
        Ok(if old.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    batch.counters(tenant)?.events -= old.len() as u64;
    old.iter().for_each(|key| batch.delete(Table::Events, key));
    Ok(())
}

fn key(command: &TakeEvents, day: u32, name: &[u8; 16]) -> Key {
    Key::of(command.tenant).and(&day).and(&command.source).and(name.as_slice())
}

/// The day of a time, counted from 1970.
fn day(time_us: i64) -> u32 {
    u32::try_from(time_us / DAY_US).unwrap_or_default()
}

/// What an event is known by, within its source.
fn name(event: &Event) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update((event.origin.len() as u64).to_be_bytes());
    hash.update(&event.origin);
    hash.update(&event.id);
    first_half(&hash.finalize())
}

fn first_half(digest: &[u8]) -> [u8; 16] {
    digest[..16].try_into().expect("a digest has 32 bytes")
}

impl Taken {
    fn encode(&self) -> Vec<u8> {
        [self.lsn.0.to_be_bytes().as_slice(), &self.digest].concat()
    }

    fn decode(row: &[u8]) -> Result<Taken> {
        let row: [u8; 24] = exactly(row, "event row")?;
        let (lsn, digest) = row.split_at(8);
        let lsn = Lsn(u64::from_be_bytes(exactly(lsn, "event row")?));
        Ok(Taken { lsn, digest: exactly(digest, "event row")? })
    }
}

/// Where the log ended when the event of a row had been taken.
///
/// # Errors
/// `Corrupt` if it is no row of an event.
pub(crate) fn taken_at(key: &[u8], row: &[u8]) -> Result<Lsn> {
    if key.len() != 4 + 4 + 4 + 16 {
        return Err(Error::Corrupt { what: "event row", detail: format!("a key of {} bytes", key.len()) });
    }
    Ok(Taken::decode(row)?.lsn)
}
