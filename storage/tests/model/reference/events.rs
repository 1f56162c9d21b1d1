//! Events: each is taken once within a window, and of one request all or none.

use std::collections::BTreeMap;

use storage::commands::{Applied, Assert, Effect, Event, IfEndMissing, TakeEvents, WINDOW_DAYS};
use storage::ids::Lsn;
use storage::model::Form;

use super::{Answer, DAY_US, Model, is_invalid, refuse_if};

/// Tenant, source, origin and id of an event.
type EventName = (u32, u32, String, String);

/// Events that were taken: the day they came, where the log ended then, and what they said.
#[derive(Clone, Debug, Default)]
pub(super) struct Taken(BTreeMap<EventName, (i64, u64, Vec<Vec<u8>>)>);

impl Taken {
    /// Forgets those of a source.
    pub(super) fn forget(&mut self, tenant: u32, source: u32) {
        self.0.retain(|(of_tenant, of_source, ..), _| (*of_tenant, *of_source) != (tenant, source));
    }
}

/// Only answers tell of them.
impl PartialEq for Taken {
    fn eq(&self, _: &Taken) -> bool {
        true
    }
}

impl Model {
    pub(super) fn take_events(&mut self, c: &TakeEvents, time_us: i64) -> Answer {
        let mut tenant = self.tenant(c.tenant)?.clone();
        let day = tenant.now(time_us) / DAY_US;
        let (mut new, mut taken, mut known, mut is_refused) = (Vec::new(), BTreeMap::new(), 0, false);
        for event in &c.events {
            let name = (c.tenant.0, c.source.0, event.origin.clone(), event.id.clone());
            let before = self.taken.0.get(&name).filter(|(came, ..)| day - came <= i64::from(WINDOW_DAYS));
            match before.or(taken.get(&name)) {
                Some((_, lsn, said)) if *said == told(event) => known = known.max(*lsn),
                Some(_) => is_refused = true,
                None => {
                    taken.insert(name, (day, 0, told(event)));
                    new.push(event);
                }
            }
        }
        for form in [Form::Entity, Form::Relation] {
            for said in new.iter().flat_map(|event| &event.said).filter(|said| said.form == form) {
                let (source, actor, said) = (c.source, c.actor, said.clone());
                let (tenant_id, purpose) = (c.tenant, c.purpose);
                let if_end_missing = IfEndMissing::Refuse;
                let assert = Assert { tenant: tenant_id, source, actor, purpose, said, if_end_missing };
                is_refused |= is_invalid(&assert.said) || tenant.assert(&assert, time_us).is_err();
            }
        }
        refuse_if(is_refused, "events_rejected")?;
        let (accepted, all) = (new.len() as u32, c.events.len() as u32);
        let lsn = if accepted > 0 { tenant.log.len() as u64 } else { known };
        *self.tenant(c.tenant)? = tenant;
        self.taken.0.extend(taken.into_iter().map(|(name, (day, _, said))| (name, (day, lsn, said))));
        Ok(Applied { lsn: Lsn(lsn), effect: Effect::Events { accepted, duplicates: all - accepted } })
    }
}

/// What tells an event from another of the same id.
fn told(event: &Event) -> Vec<Vec<u8>> {
    event.said.iter().flat_map(|said| said.parts.iter().map(|part| said.encode(part))).collect()
}
