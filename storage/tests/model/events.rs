//! The reference for events: each is taken once, and of one request all or none.

use std::collections::BTreeMap;

use storage::commands::{Applied, Assert, Effect, Event, IfEndMissing, TakeEvents, WINDOW_DAYS};
use storage::ids::Lsn;
use storage::model::{Form, Said};

use crate::reference::{Answer, Tenant, is_invalid};

const DAY_US: i64 = 24 * 3_600_000_000;

/// What was taken: by source, origin and id; what it said, on which day, and where the log ended then. Readers do not
/// see it; it shows in answers alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken(BTreeMap<(u32, String, String), (Vec<Said>, i64, u64)>);

impl PartialEq for Taken {
    fn eq(&self, _: &Taken) -> bool {
        true
    }
}

impl Tenant {
    pub(crate) fn take_events(&mut self, c: &TakeEvents, time_us: i64) -> Answer {
        let before = self.clone();
        let answer = self.take(c, time_us);
        if answer.is_err() {
            *self = before;
        }
        answer
    }

    fn take(&mut self, c: &TakeEvents, time_us: i64) -> Answer {
        let today = self.now(time_us) / DAY_US;
        let (mut new, mut known_at, mut refused): (Vec<&Event>, u64, bool) = (Vec::new(), 0, false);
        for event in &c.events {
            let name = (c.source.0, event.origin.clone(), event.id.clone());
            match self.taken.0.get(&name).filter(|(_, day, _)| today - day <= i64::from(WINDOW_DAYS)) {
                Some((said, _, lsn)) => {
                    refused |= *said != event.said;
                    known_at = known_at.max(*lsn);
                }
                None => {
                    self.taken.0.insert(name, (event.said.clone(), today, 0));
                    new.push(event);
                }
            }
        }
        refused |= !self.all_is_said(c, &new, time_us);
        if refused {
            return Err("events_rejected");
        }
        let accepted = new.len();
        let lsn = if accepted > 0 { self.log.len() as u64 } else { known_at };
        self.taken.0.values_mut().filter(|taken| taken.2 == 0).for_each(|taken| taken.2 = lsn);
        let (accepted, duplicates) = (accepted as u32, (c.events.len() - accepted) as u32);
        Ok(Applied { lsn: Lsn(lsn), effect: Effect::Events { accepted, duplicates } })
    }

    /// Entities first, so that a relation may come before its ends.
    fn all_is_said(&mut self, c: &TakeEvents, events: &[&Event], time_us: i64) -> bool {
        let mut taken = true;
        for form in [Form::Entity, Form::Relation] {
            for said in events.iter().flat_map(|event| &event.said).filter(|said| said.form == form) {
                let assert = Assert {
                    tenant: c.tenant,
                    source: c.source,
                    actor: c.actor,
                    purpose: c.purpose,
                    said: said.clone(),
                    if_end_missing: IfEndMissing::Refuse,
                };
                taken &= !is_invalid(said) && self.assert(&assert, time_us).is_ok();
            }
        }
        taken
    }
}
