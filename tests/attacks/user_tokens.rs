//! Tokens for one purpose and one user, such as links to reset a password, in the hands of somebody else.

use std::thread;
use std::time::Duration;

use rocket::{State, get, post, routes};
use rocket_login::session::UserTokenError;
use rocket_login::{Signer, UserMixin};

use crate::common::socket::{body, status};
use crate::common::{App, User, Users, witness};
use crate::{SESSION, Site, forge, line};

const HOUR: Duration = Duration::from_secs(60 * 60);

#[get("/link?<name>&<purpose>")]
fn link(
    name: &str,
    purpose: &str,
    users: &State<Users>,
    signer: Signer<'_, User>,
) -> Result<String, UserTokenError> {
    let user = users.get(name).ok_or(UserTokenError::Invalid)?;
    signer.for_user(&user).sign(purpose, "", HOUR)
}

/// A value of the application's that is for nobody in particular.
#[get("/value")]
fn value(signer: Signer<'_, User>) -> Option<String> {
    signer.sign("reset", "alice", HOUR)
}

#[get("/reset?<token>")]
async fn form(token: &str, signer: Signer<'_, User>) -> Result<String, UserTokenError> {
    let token = signer.find_user("reset", token).await?;
    Ok(token.user().get_id().to_string())
}

#[post("/reset?<token>")]
async fn reset(token: &str, signer: Signer<'_, User>) -> Result<String, UserTokenError> {
    Ok(signer.find_user("reset", token).await?.use_up().await?.id)
}

fn app() -> App {
    App::new()
        .release()
        .routes(routes![link, value, form, reset])
}

impl Site {
    fn link(&self, name: &str, purpose: &str) -> String {
        let reply = self.get(&format!("/link?name={name}&purpose={purpose}"), &[]);
        assert_eq!(status(&reply), 200, "{reply}");
        witness::keep_secret(body(&reply));
        body(&reply).to_owned()
    }

    fn form(&self, token: &str) -> (u16, String) {
        let reply = self.get(&format!("/reset?token={token}"), &[]);
        (status(&reply), body(&reply).to_owned())
    }

    fn reset(&self, token: &str) -> (u16, String) {
        // A connection of its own, so that several can race.
        let reply = self.server.post(&format!("/reset?token={token}"), &[], "");
        (status(&reply), body(&reply).to_owned())
    }

    fn assert_none_of_ours(&self, token: &str, what: &str) {
        for (status, body) in [self.form(token), self.reset(token)] {
            assert_eq!(status, 404, "{what}: {body}");
        }
    }
}

#[test]
fn a_forged_token_for_a_user_is_refused() {
    // T88
    let site = Site::of(app());
    let [mine, yours] = ["alice", "bob"].map(|name| site.link(name, "reset"));
    let bytes = forge::decode(&mine);
    for bit in (0..bytes.len() * 8).step_by(3) {
        let mut forged = bytes.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        site.assert_none_of_ours(&forge::encode(&forged), &format!("bit {bit}"));
    }
    for length in (0..mine.len()).step_by(7) {
        site.assert_none_of_ours(&mine[..length], &format!("{length} characters"));
    }
    for more in ["A", "AAAA", "="] {
        site.assert_none_of_ours(&format!("{mine}{more}"), more);
    }
    // The start of one, and the rest of the other: ids, digest and tag are of different tokens.
    let others = forge::decode(&yours);
    for cut in [20, 30, 42, others.len() - 16] {
        let spliced = [&bytes[..cut], &others[cut..]].concat();
        site.assert_none_of_ours(&forge::encode(&spliced), &format!("spliced at {cut}"));
    }
    assert_eq!(site.form(&mine), (200, "alice".into()));
    assert_eq!(site.form(&yours), (200, "bob".into()));
}

#[test]
fn a_token_for_a_user_counts_for_its_purpose_and_application_only() {
    // T89
    let site = Site::of(app());
    for other in ["Reset", "verify", "reset "] {
        let token = site.link("alice", &other.replace(' ', "%20"));
        site.assert_none_of_ours(&token, other);
    }
    let value = site.get("/value", &[]);
    site.assert_none_of_ours(body(&value), "a value for nobody");
    site.assert_none_of_ours(&site.session("alice"), "a session");
    let token = site.link("alice", "reset");
    site.assert_refused(SESSION, &token, "a token for a user");
    for (what, other) in [
        ("audience", app().set("login.audience", "another")),
        (
            "secret",
            app().set("secret_key", "q0Zf3mT8wB5vRkXyLh1uNc7sJd2gPaE9iOo4WtQxZ6Y="),
        ),
        (
            "realm",
            app().with(|manager| manager.session_cookie_name("other")),
        ),
    ] {
        Site::of(other).assert_none_of_ours(&token, what);
    }
    assert_eq!(site.reset(&token), (200, "alice".into()));
}

#[test]
fn a_token_for_a_user_works_once_and_not_after_its_time_or_a_new_password() {
    // T90, T91
    let site = Site::of(app());
    let token = site.link("alice", "reset");
    let mut results = thread::scope(|scope| {
        let uses = [(); 20].map(|()| scope.spawn(|| site.reset(&token).0));
        uses.map(|one| one.join().unwrap())
    });
    results.sort_unstable();
    assert_eq!(results[0], 200);
    assert_eq!(results[1..], [410; 19]);
    assert_eq!(site.form(&token).0, 410);

    let [changed, expired] = ["alice", "bob"].map(|name| site.link(name, "reset"));
    site.users
        .change("alice", |user| user.password = "new".into());
    assert_eq!([site.form(&changed).0, site.reset(&changed).0], [410; 2]);
    site.clock
        .advance(HOUR.saturating_sub(Duration::from_secs(1)));
    assert_eq!(site.form(&expired), (200, "bob".into()));
    site.clock.advance(Duration::from_secs(1));
    assert_eq!([site.form(&expired).0, site.reset(&expired).0], [410; 2]);
    // Nobody is logged in by a link.
    assert_eq!(site.me(&[&line(&[(SESSION, &expired)])]), "anonymous");
}
