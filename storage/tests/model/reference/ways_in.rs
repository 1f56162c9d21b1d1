//! Who comes in: tokens, their links and sessions, and whom an outside issuer names.

use storage::commands::{CreateToken, DenySubject, DenyToken, Effect, MakeLink, Seen, SignIn, SignOut};
use storage::ids::{ActorId, TenantId};
use storage::model::{LinkMade, SignedIn, SignedOut, Subject};
use storage::record::Kind;

use super::{Answer, HOUR_US, MINUTE_US, Model, Token, What, refuse_if};

impl Model {
    pub(super) fn create_token(&mut self, c: &CreateToken, time_us: i64) -> Answer {
        refuse_if(self.tokens.contains_key(&c.spec.id), "exists")?;
        let actor = self.next_actor();
        let tenant = self.tenant(c.tenant)?;
        let created_us = tenant.log(Kind::Token, c.actor, time_us, What::Token(c.spec.clone()));
        let answer = tenant.answer(Effect::Done);
        let (tenant, spec) = (c.tenant.0, c.spec.clone());
        let token = Token {
            tenant,
            actor,
            spec,
            created_us,
            revoked_us: None,
            made_by: c.actor.0,
            used_us: None,
            links: Vec::new(),
            sessions: Vec::new(),
        };
        self.tokens.insert(c.spec.id.clone(), token);
        answer
    }

    pub(super) fn revoke_token(&mut self, id: TenantId, actor: ActorId, token: &str, time_us: i64) -> Answer {
        let known = self.tokens.get(token).filter(|t| t.tenant == id.0).ok_or("not_found")?;
        let is_revoked = known.revoked_us.is_some();
        let tenant = self.tenant(id)?;
        if is_revoked {
            return tenant.answer(Effect::Unchanged);
        }
        let now_us = tenant.log(Kind::TokenRevoked, actor, time_us, What::Id(token.to_owned()));
        let answer = tenant.answer(Effect::Done);
        let token = self.tokens.get_mut(token).expect("found above");
        token.revoked_us = Some(now_us);
        token.links.clear();
        token.sessions.clear();
        answer
    }

    /// A token of the tenant that lets somebody in, and the time.
    fn live(&mut self, id: TenantId, token: &str, time_us: i64) -> Result<(&mut Token, i64), &'static str> {
        let known = self.tokens.get(token).is_some_and(|t| t.tenant == id.0);
        refuse_if(!known, "not_found")?;
        let token = self.tokens.get_mut(token).expect("known");
        refuse_if(token.revoked_us.is_some() || time_us >= token.spec.expires_at_us, "not_found")?;
        Ok((token, time_us))
    }

    /// Eight links at most: a ninth takes the place of the oldest.
    pub(super) fn make_link(&mut self, c: &MakeLink, time_us: i64) -> Answer {
        let (token, now_us) = self.live(c.tenant, &c.token, time_us)?;
        token.links.retain(|(_, expires_us)| now_us < *expires_us);
        if token.links.len() == 8 {
            token.links.remove(0);
        }
        token.links.push((c.code_sha256[0], c.expires_us));
        let (code_sha256, expires_us) = (c.code_sha256.to_vec(), c.expires_us);
        let made = LinkMade { token: c.token.clone(), code_sha256, expires_us };
        self.say(c.tenant, c.actor, Kind::LinkMade, time_us, What::LinkMade(made))
    }

    /// Sixteen sessions at most: the one that was unused for longest gives way.
    pub(super) fn sign_in(&mut self, c: &SignIn, time_us: i64) -> Answer {
        let (token, now_us) = self.live(c.tenant, &c.token, time_us)?;
        if let Some(code) = c.code_sha256 {
            let good = |(known, expires_us): &(u8, i64)| *known == code[0] && now_us < *expires_us;
            let found = token.links.iter().position(good).ok_or("not_found")?;
            token.links.remove(found);
        }
        token.sessions.retain(|session| is_good(session, now_us));
        if token.sessions.len() == 16 {
            let oldest = token.sessions.iter().map(|(_, _, seen_us, _)| *seen_us).min();
            let oldest = token.sessions.iter().position(|session| Some(session.2) == oldest);
            token.sessions.remove(oldest.expect("there are sixteen"));
        }
        let ends_us = token.spec.expires_at_us.min(now_us + 7 * 24 * HOUR_US);
        token.sessions.push((c.session_sha256[0], now_us, now_us, ends_us));
        token.used_us = Some(now_us);
        let (actor, session_sha256) = (ActorId(token.actor), c.session_sha256.to_vec());
        let code_sha256 = c.code_sha256.map(|code| code.to_vec());
        let signed_in = SignedIn { token: c.token.clone(), session_sha256, code_sha256, ends_us };
        self.say(c.tenant, actor, Kind::SignedIn, time_us, What::SignedIn(signed_in))
    }

    pub(super) fn sign_out(&mut self, c: &SignOut, time_us: i64) -> Answer {
        let token = self.tokens.get_mut(&c.token).filter(|t| t.tenant == c.tenant.0).ok_or("not_found")?;
        let before = token.sessions.len();
        token.sessions.retain(|(secret, ..)| *secret != c.session_sha256[0]);
        if token.sessions.len() == before {
            return self.tenant(c.tenant)?.answer(Effect::Unchanged);
        }
        let (actor, session_sha256) = (ActorId(token.actor), c.session_sha256.to_vec());
        let signed_out = SignedOut { token: c.token.clone(), session_sha256 };
        self.say(c.tenant, actor, Kind::SignedOut, time_us, What::SignedOut(signed_out))
    }

    /// Noted when ten minutes have passed since the last time.
    pub(super) fn seen(&mut self, c: &Seen, time_us: i64) -> Answer {
        let token = self.tokens.get(&c.token).filter(|t| t.tenant == c.tenant.0).ok_or("not_found")?;
        let mut token = token.clone();
        let tenant = self.tenant(c.tenant)?;
        let now_us = time_us;
        let mut changed = false;
        if token.used_us.is_none_or(|used_us| now_us - used_us >= 10 * MINUTE_US) {
            token.used_us = Some(now_us);
            changed = true;
        }
        let secret = c.session_sha256.map(|secret| secret[0]);
        for session in token.sessions.iter_mut().filter(|session| Some(session.0) == secret) {
            if is_good(session, now_us) && now_us - session.2 >= 10 * MINUTE_US {
                session.2 = now_us;
                changed = true;
            }
        }
        let answer = tenant.answer(if changed { Effect::Done } else { Effect::Unchanged });
        self.tokens.insert(c.token.clone(), token);
        answer
    }

    pub(super) fn meet(&mut self, id: TenantId, subject: &Subject, time_us: i64) -> Answer {
        let actor = self.next_actor();
        let tenant = self.tenant(id)?;
        let since_us = tenant.log(Kind::SubjectMet, ActorId(actor), time_us, What::Subject(subject.clone()));
        let answer = tenant.answer(Effect::Done);
        self.subjects.insert((id.0, subject.clone()), (actor, since_us, None));
        answer
    }

    /// Who is denied before they came has an actor as well.
    pub(super) fn deny(&mut self, c: &DenySubject, time_us: i64) -> Answer {
        let key = (c.tenant.0, c.subject.clone());
        self.tenant(c.tenant)?;
        if !self.subjects.contains_key(&key) {
            refuse_if(!c.denied, "not_found")?;
            self.meet(c.tenant, &c.subject, time_us)?;
        }
        if self.subjects[&key].2.is_some() == c.denied {
            return self.tenant(c.tenant)?.answer(Effect::Unchanged);
        }
        let kind = if c.denied { Kind::SubjectDenied } else { Kind::SubjectAdmitted };
        let tenant = self.tenant(c.tenant)?;
        let now_us = tenant.log(kind, c.actor, time_us, What::Subject(c.subject.clone()));
        let answer = tenant.answer(Effect::Done);
        self.subjects.get_mut(&key).expect("met above").2 = c.denied.then_some(now_us);
        answer
    }

    pub(super) fn deny_token(&mut self, c: &DenyToken, time_us: i64) -> Answer {
        self.tenant(c.tenant)?;
        if !self.denied_tokens.insert((c.tenant.0, c.token.clone())) {
            return self.tenant(c.tenant)?.answer(Effect::Unchanged);
        }
        self.say(c.tenant, c.actor, Kind::OutsideTokenDenied, time_us, What::Subject(c.token.clone()))
    }
}

fn is_good((_, _, seen_us, ends_us): &(u8, i64, i64, i64), now_us: i64) -> bool {
    now_us < *ends_us && now_us - seen_us < 12 * HOUR_US
}
