//! Many requests at once: with one login, and with a loader that hangs.

use std::time::Duration;

use rocket::{State, get, routes};
use rocket_login::{LoginManager, user_loader};

use crate::alone;
use crate::common::connection::{Connection, Jar, Request};
use crate::common::socket::{body, header, status};
use crate::common::{App, User, Users};
use crate::dice::Dice;
use crate::gate::Gate;
use crate::site::{HOUR, MINUTE, REMEMBER, SESSION, Site, issued, log_in, log_out, me};

/// Responds when the gate opens. Before that, its user is known and its cookies are decided.
#[get("/held")]
async fn held(user: &User, gate: &State<Gate>) -> String {
    gate.pass().await;
    user.id.clone()
}

/// Sends a request with each of these jars at once, and returns the connections to read from.
fn send_all(site: &Site, path: &str, jars: &[Jar]) -> Vec<Connection> {
    jars.iter()
        .map(|jar| {
            let mut connection = site.connect();
            connection.send(Request::get(path, &[&jar.line()]));
            connection
        })
        .collect()
}

#[test]
fn concurrent_requests_with_one_remember_cookie_are_one_user_and_one_logout_ends_them() {
    // T46, as far as it applies to a cookie without a store.
    let _alone = alone();
    let gate = Gate::closed();
    let site = Site::of(App::new().release().routes(routes![held]), |rocket| {
        rocket.manage(gate.clone())
    });
    let mut line = site.connect();
    let jar = log_in(&mut line, "alice").only(REMEMBER);
    let jars = vec![jar.clone(); 20];
    let mut waiting = send_all(&site, "/held", &jars);
    gate.wait_for(20);
    gate.open(20);
    let sessions: Vec<_> = waiting
        .iter_mut()
        .map(|connection| {
            let reply = connection.receive();
            assert_eq!((status(&reply), body(&reply)), (200, "alice"), "{reply}");
            let [session] = issued(&reply).collect::<Vec<_>>().try_into().unwrap();
            assert_eq!(me(&mut line, &session), "alice");
            session
        })
        .collect();
    log_out(&mut line, &jar);
    for session in sessions {
        assert_eq!(me(&mut line, &session), "anonymous");
    }
}

#[test]
fn a_logout_ends_what_fifty_concurrent_requests_renew() {
    // T84, R28: each request loads its user before the logout, and responds after it.
    let _alone = alone();
    let gate = Gate::closed();
    let site = Site::of(App::new().release().routes(routes![held]), |rocket| {
        rocket.manage(gate.clone())
    });
    let mut dice = Dice::new(crate::seed(), 84);
    let mut line = site.connect();
    let jar = log_in(&mut line, "alice");
    site.forward(10 * MINUTE);
    let jars: Vec<_> = (0..50)
        .map(|n| jar.only(if n % 2 == 0 { SESSION } else { REMEMBER }))
        .collect();
    let mut waiting = send_all(&site, "/held", &jars);
    gate.wait_for(50);
    log_out(&mut line, &jar);
    gate.open(50);
    let mut ever_issued = vec![
        jar.line(),
        jar.only(SESSION).line(),
        jar.only(REMEMBER).line(),
    ];
    while !waiting.is_empty() {
        let mut connection = waiting.swap_remove(dice.below(waiting.len()));
        let reply = connection.receive();
        assert_eq!((status(&reply), body(&reply)), (200, "alice"), "{reply}");
        let late: Vec<_> = issued(&reply).collect();
        assert_eq!(late.len(), 1, "{reply}");
        ever_issued.extend(late);
    }
    for cookies in &ever_issued {
        assert_eq!(me(&mut line, cookies), "anonymous");
    }
}

/// Waits for the gate, for every user.
#[user_loader]
async fn patient(id: &str, gate: &State<Gate>, users: &State<Users>) -> Option<User> {
    gate.pass().await;
    users.get(id)
}

/// The application with a loader that hangs, the gate that the loader waits for, and the cookies of alice.
fn hanging(loader_timeout: Duration) -> (Site, Gate, Jar) {
    let gate = Gate::closed();
    let mut app = App::new().release();
    app.manager = LoginManager::new(patient)
        .clock(app.clock.clone())
        .login_view("/login")
        .loader_timeout(loader_timeout);
    let site = Site::of(app, |rocket| rocket.manage(gate.clone()));
    let jar = log_in(&mut site.connect(), "alice");
    (site, gate, jar)
}

#[test]
fn a_page_that_does_not_need_the_user_does_not_wait_for_a_hanging_loader() {
    // T52: the gate stays closed until all these have their responses.
    let _alone = alone();
    let (site, gate, jar) = hanging(Duration::from_secs(HOUR));
    let mut waiting = send_all(&site, "/private", &vec![jar; 200]);
    gate.wait_for(200);

    let mut line = site.connect();
    for path in ["/open", "/me", "/login", "/private"] {
        let reply = line.ask(Request::get(path, &[]));
        assert!([200, 303].contains(&status(&reply)), "{path}: {reply}");
    }
    let bob = log_in(&mut line, "bob");
    log_out(&mut line, &bob);

    gate.open(200);
    for connection in &mut waiting {
        let reply = connection.receive();
        assert_eq!(body(&reply), "private of alice", "{reply}");
    }
}

#[test]
fn two_hundred_requests_with_a_hanging_loader_all_time_out() {
    // T52, R36
    let _alone = alone();
    let (site, gate, jar) = hanging(Duration::from_millis(50));
    site.forward(10 * MINUTE);
    let mut waiting = send_all(&site, "/private", &vec![jar.clone(); 200]);
    for connection in &mut waiting {
        let reply = connection.receive();
        assert_eq!(status(&reply), 503, "{reply}");
        assert_eq!(header(&reply, "set-cookie"), [""; 0]);
        let reply = connection.ask(Request::get("/open", &[]));
        assert_eq!(body(&reply), "open");
    }
    gate.open(1);
    assert_eq!(me(&mut site.connect(), &jar.line()), "alice");
}
