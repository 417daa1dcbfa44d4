//! Logins that are bound to a device: what the log says, and in which order a proof is judged.

use rocket::http::{Method, Status};

use crate::common::Running;
use crate::common::device::{
    DEVICE, Device, Key, REFRESH, REGISTER, SESSION, app, challenge_of, thief,
};
use crate::common::log::Level;
use crate::ours;

#[test]
fn a_skipped_refresh_is_named_with_its_reason_and_without_an_id() {
    let mut id = String::new();
    let lines = ours(Level::Info, || {
        let app = app().start();
        let mut device = Device::bound(&app);
        device.me();
        device.drop_session();
        id.clone_from(&device.id);
        for reason in ["quota_exceeded", "x\u{1b}"] {
            let value = format!("{reason};session_identifier=\"{id}\"");
            let browser = device.browser.clone();
            let browser = browser.header("Secure-Session-Skipped", &value);
            let mut skipped = Device {
                browser,
                ..device.clone()
            };
            skipped.get("/private");
        }
    });
    let [known, unknown] = &lines[..] else {
        panic!("{lines:#?}")
    };
    assert_eq!(
        known,
        "GET /private: nobody is logged in, because the request has no login cookie, and the browser did not prove its \
         device (`Secure-Session-Skipped: quota_exceeded`); sent to /login?next=.."
    );
    assert_eq!(
        unknown,
        "GET /private: nobody is logged in, because the request has no login cookie; sent to /login?next=.."
    );
}

/// The one refusal that the log names.
fn refusal(run: impl FnOnce()) -> String {
    let lines = ours(Level::Debug, run);
    let mut lines = lines
        .into_iter()
        .filter(|line| line.starts_with("device r"));
    let line = lines.next().expect("a refusal");
    assert_eq!(lines.next(), None);
    line
}

/// A proof whose form is right, and whose signature is wrong.
fn wrong(challenge: &str) -> String {
    Key::new(2).proof(Some(Key::new(1).jwk()), challenge)
}

fn with_login(run: impl FnOnce(&Running, Device<'_>)) -> String {
    refusal(|| {
        let app = app().start();
        let device = Device::bound(&app);
        run(&app, device);
    })
}

/// What costs much comes last, so that nobody without a genuine cookie and challenge makes a server verify anything.
#[test]
fn the_signature_of_a_registration_is_verified_last() {
    let registered = |change: fn(&mut Device<'_>), challenge: Option<&str>| {
        refusal(|| {
            let app = app().start();
            let mut device = Device::new(&app, 1);
            let offer = device.login("");
            let offered = challenge_of(&offer);
            change(&mut device);
            let proof = wrong(challenge.unwrap_or(&offered));
            let reply = device.send_proof(REGISTER, None, Some(&proof));
            assert_eq!(reply.status, Status::Unauthorized);
        })
    };
    assert_eq!(
        registered(|device| device.browser.cookies.clear(), None),
        "device registration: there is no genuine session cookie"
    );
    let forge = |device: &mut Device<'_>| {
        let cookie = device.browser.cookies.get_mut(SESSION).unwrap();
        let last = if cookie.ends_with('A') { "B" } else { "A" };
        cookie.replace_range(cookie.len() - 2..cookie.len() - 1, last);
    };
    assert_eq!(
        registered(forge, None),
        "device registration: there is no genuine session cookie"
    );
    assert_eq!(
        registered(|_| (), Some("C")),
        "device registration: the challenge is not one for this session"
    );
    assert_eq!(
        registered(|_| (), None),
        "device registration: the proof is for another address, or not signed by its key"
    );
}

#[test]
fn the_signature_of_a_refresh_is_verified_last() {
    let refused = |device: &mut Device<'_>, proof: &str| {
        let id = device.id.clone();
        let reply = device.send_proof(REFRESH, Some(&id), Some(proof));
        assert_eq!(reply.status, Status::Unauthorized);
    };
    let line = with_login(|_, mut device| {
        let challenge = device.ask();
        device.browser.cookies.remove(DEVICE).unwrap();
        refused(&mut device, &wrong(&challenge_of(&challenge)));
    });
    assert_eq!(
        line,
        "device refresh: there is no genuine cookie of the device"
    );
    let line = with_login(|_, mut device| {
        device.me();
        let challenge = device.ask();
        let mut gone = device.clone();
        device.send(Method::Post, "/logout", "");
        refused(&mut gone, &wrong(&challenge_of(&challenge)));
    });
    assert_eq!(line, "device refresh: the session has ended");
    let line = with_login(|app, mut device| {
        let challenge = device.ask();
        // A challenge that is too old is answered with a new one, however wrong the signature is.
        let (id, proof) = (device.id.clone(), wrong(&challenge_of(&challenge)));
        app.clock.advance(std::time::Duration::from_secs(60));
        let reply = device.send_proof(REFRESH, Some(&id), Some(&proof));
        assert_eq!(reply.status, Status::Forbidden);
        let challenge = device.ask();
        let proof = thief(&device).key.proof(None, &challenge_of(&challenge));
        refused(&mut device, &proof);
    });
    assert_eq!(
        line,
        "device refresh: the proof is for another address, or by another key"
    );
}
