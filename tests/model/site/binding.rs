//! A browser that binds its logins, with a key in software.

use super::{COPY, DEVICE, REMEMBER, SESSION, Site};
use crate::common::Reply;
use crate::common::device::{Key, find_challenge};
use crate::history::{Bind, Browser};

/// What a browser knows about its binding.
#[derive(Clone, Default)]
pub(super) struct Notes {
    /// The challenge of the last offer.
    pub(super) offer: Option<String>,
    /// The name of the binding.
    pub(super) id: Option<String>,
    pub(super) challenge: Option<String>,
    pub(super) proof: Option<String>,
}

impl Site {
    /// What a browser does about its binding; 0 if it has nothing to send.
    pub(super) fn bind(&mut self, browser: Browser, bind: Bind) -> u16 {
        match bind {
            Bind::Register { lost } => self.unless_lost(browser, lost, Self::register),
            Bind::Prove { lost } => self.unless_lost(browser, lost, Self::prove),
            Bind::Ask => self.refresh(browser, None),
            Bind::Refresh => match self.refresh(browser, None) {
                403 => self.prove(browser),
                status => status,
            },
            Bind::Replay => match self.notes[&browser].proof.clone() {
                Some(proof) => self.refresh(browser, Some(&proof)),
                None => 0,
            },
        }
    }

    /// A request whose answer may get lost on its way.
    fn unless_lost(
        &mut self,
        browser: Browser,
        lost: bool,
        request: fn(&mut Self, Browser) -> u16,
    ) -> u16 {
        let before = (self.jars[&browser].clone(), self.notes[&browser].clone());
        let status = request(self, browser);
        if lost {
            let (jar, notes) = before;
            self.jars.insert(browser, jar);
            self.notes.insert(browser, notes);
        }
        status
    }

    fn register(&mut self, browser: Browser) -> u16 {
        let Some(offer) = self.notes[&browser].offer.clone() else {
            return 0;
        };
        let key = device_key(browser);
        let proof = key.proof(Some(key.jwk()), &offer);
        let reply = self.send_proof(browser, "register", None, Some(&proof));
        if let Ok(json) = serde_json::from_str::<serde_json::Value>(&reply.body) {
            let id = json["session_identifier"].as_str().map(str::to_owned);
            self.notes.get_mut(&browser).unwrap().id = id;
        }
        reply.status.code
    }

    fn prove(&mut self, browser: Browser) -> u16 {
        let notes = self.notes.get_mut(&browser).unwrap();
        let Some(challenge) = &notes.challenge else {
            return 0;
        };
        let proof = device_key(browser).proof(None, challenge);
        notes.proof = Some(proof.clone());
        self.refresh(browser, Some(&proof))
    }

    fn refresh(&mut self, browser: Browser, proof: Option<&str>) -> u16 {
        let Some(id) = self.notes[&browser].id.clone() else {
            return 0;
        };
        let reply = self.send_proof(browser, "refresh", Some(&id), proof);
        if reply.status.code == 403 {
            self.notes.get_mut(&browser).unwrap().challenge = find_challenge(&reply);
        }
        reply.status.code
    }

    fn send_proof(
        &mut self,
        browser: Browser,
        route: &str,
        id: Option<&str>,
        proof: Option<&str>,
    ) -> Reply {
        let names = [SESSION, REMEMBER, DEVICE, COPY];
        let reply = self.send_with(browser, &names, |browser| {
            let headers = [
                ("Sec-Secure-Session-Id", id),
                ("Secure-Session-Response", proof),
            ];
            for (name, value) in headers {
                if let Some(value) = value {
                    browser.headers.push((name.into(), value.into()));
                }
            }
            browser.post(&format!("/login-device/{route}"), "")
        });
        let may_set = reply.status.code == 200;
        assert!(may_set || self.changes.is_empty(), "{reply:?}");
        reply
    }
}

fn device_key(browser: Browser) -> Key {
    Key::new(match browser {
        Browser::Phone => 1,
        Browser::Laptop => 2,
        Browser::Thief => 3,
    })
}
