//! What an attack leaves behind: an event for the listeners, and nothing useful in the log.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocket::request::{FromRequest, Outcome, Request};
use rocket::{State, async_trait, catch, catchers, get, post, routes};
use rocket_login::EventKind::{self, *};
use rocket_login::{
    Anonymous, CurrentUser, Denied, Fresh, LoginError, LoginEvent, LoginManager, LoginSession,
    SessionHasher, UserGuard, UserMixin, audit, config::SessionProtection, event_listener,
    login_required, request_loader, user_loader,
};

use crate::common::socket::{Server, body, cookie, status};
use crate::common::{self, App, START, User, Users, bare, witness};
use crate::forge::{TAG, decode, encode, forged, place};
use crate::{REMEMBER, SESSION, Site, line};

/// The events that the listener has got.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<EventKind>>>);

impl Told {
    fn take(&self) -> Vec<EventKind> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

#[event_listener]
fn listen(event: &LoginEvent<'_, User>, told: &State<Told>) {
    told.0.lock().unwrap().push(event.kind);
}

struct Key;

#[async_trait]
impl<'r> FromRequest<'r> for Key {
    type Error = std::convert::Infallible;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        match req.headers().get_one("X-Api-Key") {
            Some(_) => Outcome::Success(Key),
            None => Outcome::Forward(rocket::http::Status::Unauthorized),
        }
    }
}

#[request_loader]
fn by_key(key: Option<Key>, users: &State<Users>) -> Option<User> {
    key.and_then(|Key| users.get("bob"))
}

fn nobody_may(_: &User) -> bool {
    false
}

#[login_required(if = nobody_may)]
#[get("/closed")]
fn closed(user: &User) -> String {
    format!("closed to {}", user.id)
}

/// A site with a listener, and the user who is attacked.
struct Watched {
    site: Site,
    told: Told,
    id: &'static str,
}

impl Watched {
    fn start(id: &'static str) -> Self {
        let told = Told::default();
        let app = App::new()
            .release()
            .with(|manager| {
                manager
                    .session_protection(SessionProtection::Strong)
                    .event_listener(listen)
                    .request_loader(by_key)
            })
            .routes(routes![closed]);
        let site = Site::with(app, |rocket| rocket.manage(told.clone()));
        let watched = Watched { site, told, id };
        watched.start_over();
        watched
    }

    fn start_over(&self) {
        let user = self.site.users.put(self.id);
        witness::keep_secret(&user.password);
        self.site.users.fail(false);
        self.site.clock.set(START);
    }

    /// The cookies of a new login. Their contents are secret in every encoding.
    fn login(&self, more: &str) -> [String; 2] {
        let id = self.id.bytes().fold(String::new(), |mut id, byte| {
            write!(id, "%{byte:02X}").unwrap();
            id
        });
        let form = format!("user={id}&remember=on{more}");
        let reply = self.site.post("/login", &[], &form);
        let tokens = [SESSION, REMEMBER].map(|name| cookie(&reply, name).unwrap());
        for token in &tokens {
            let bytes = decode(token);
            // The ids, the hash, the fingerprint, the tag.
            for part in [
                &bytes[place("login id")],
                &bytes[place("session id")],
                &bytes[place("session hash")],
                &bytes[place("protection")],
                &bytes[bytes.len() - TAG..],
            ] {
                let hex = part.iter().fold(String::new(), |mut hex, byte| {
                    write!(hex, "{byte:02x}").unwrap();
                    hex
                });
                for spelled in [hex.to_uppercase(), hex, format!("{part:?}"), encode(part)] {
                    witness::keep_secret(&spelled);
                }
            }
        }
        self.told.take();
        tokens
    }

    fn session(&self) -> Vec<u8> {
        line(&[(SESSION, &self.login("")[0])])
    }

    fn wants_private(&self, cookies: &[u8]) {
        let reply = self.site.get("/private", &[cookies]);
        assert_ne!(status(&reply), 200, "{reply}");
    }
}

/// An attack, or what looks like one; the events that it emits.
type Row = (&'static str, fn(&Watched), &'static [EventKind]);

const ROWS: [Row; 24] = [
    (
        "a login",
        |it| {
            it.site.login("bob", &[]);
        },
        &[LoggedIn],
    ),
    (
        "a page",
        |it| {
            it.site.get("/me", &[&it.session()]);
        },
        &[Accessed],
    ),
    (
        "a guarded page",
        |it| it.wants_private(b"X-None: none"),
        &[Accessed, Unauthorized],
    ),
    (
        "a forged session",
        |it| it.wants_private(&line(&[(SESSION, &forged(&it.login("")[0]))])),
        &[Accessed, Forged, Unauthorized],
    ),
    (
        "a forged remember token",
        |it| it.wants_private(&line(&[(REMEMBER, &forged(&it.login("")[1]))])),
        &[Accessed, Forged, Unauthorized],
    ),
    (
        "a token with another last letter",
        |it| {
            let [mut session, _] = it.login("");
            let last = session.pop().unwrap();
            session.push(if last == 'A' { 'Q' } else { 'A' });
            it.wants_private(&line(&[(SESSION, &session)]));
        },
        &[Accessed, Forged, Unauthorized],
    ),
    (
        "a remember token as a session",
        |it| {
            let [_, remember] = it.login("");
            it.wants_private(&line(&[(SESSION, &remember)]));
        },
        &[Accessed, Forged, Unauthorized],
    ),
    (
        "a session that comes twice",
        |it| {
            let [session, _] = it.login("");
            it.wants_private(&line(&[(SESSION, &session), (SESSION, &session)]));
        },
        &[Accessed, DuplicateCookie, Unauthorized],
    ),
    (
        "a session of yesterday",
        |it| {
            let mine = it.session();
            it.site.clock.advance(Duration::from_secs(86_400));
            it.wants_private(&mine);
        },
        &[Accessed, Expired, Unauthorized],
    ),
    (
        "a session after the logout",
        |it| {
            let mine = it.session();
            it.site.post("/logout", &[&mine], "");
            it.told.take();
            it.wants_private(&mine);
        },
        &[Accessed, Revoked, Unauthorized],
    ),
    (
        "a session of before the new password",
        |it| {
            let mine = it.session();
            it.site
                .users
                .change(it.id, |user| user.password = "new".into());
            it.wants_private(&mine);
        },
        &[Accessed, Outdated, Unauthorized],
    ),
    (
        "a session of a user who is disabled",
        |it| {
            let mine = it.session();
            it.site.users.change(it.id, |user| user.active = false);
            it.wants_private(&mine);
        },
        &[Accessed, Outdated, Unauthorized],
    ),
    (
        "a session of a user who is gone",
        |it| {
            let mine = it.session();
            it.site.users.remove(it.id);
            it.wants_private(&mine);
        },
        &[Accessed, Outdated, Unauthorized],
    ),
    (
        "a stolen session",
        |it| {
            let mine = it.session();
            let reply = it.site.get("/private", &[&mine, b"User-Agent: Thief"]);
            assert_eq!(status(&reply), 303, "{reply}");
        },
        &[Accessed, SessionProtected, Unauthorized],
    ),
    (
        "a remembered user",
        |it| {
            let [_, remember] = it.login("");
            it.site.get("/me", &[&line(&[(REMEMBER, &remember)])]);
        },
        &[Accessed, LoadedFromCookie],
    ),
    (
        "a user with a key",
        |it| {
            it.told.take();
            it.site.get("/me", &[b"X-Api-Key: k"]);
        },
        &[Accessed, LoadedFromRequest],
    ),
    (
        "a login that is not fresh",
        |it| {
            let [session, _] = it.login("&stale=on");
            it.site.get("/fresh", &[&line(&[(SESSION, &session)])]);
        },
        &[Accessed, NeedsRefresh],
    ),
    (
        "a page of somebody else",
        |it| {
            let reply = it.site.get("/closed", &[&it.session()]);
            assert_eq!(status(&reply), 403, "{reply}");
        },
        &[Accessed, Forbidden],
    ),
    (
        "a form of another site",
        |it| {
            let mine = it.session();
            it.site
                .post("/private", &[&mine, b"Sec-Fetch-Site: cross-site"], "");
        },
        &[CrossSite],
    ),
    (
        "a logout by another site",
        |it| {
            let mine = it.session();
            it.site.post("/logout", &[&mine, b"Origin: null"], "");
        },
        &[CrossSite],
    ),
    (
        "a failing loader",
        |it| {
            let mine = it.session();
            it.site.users.fail(true);
            let reply = it.site.get("/private", &[&mine]);
            assert_eq!(status(&reply), 503, "{reply}");
        },
        &[Accessed, LoaderFailed],
    ),
    (
        "a confirmation",
        |it| {
            let [session, _] = it.login("");
            let mine = line(&[(SESSION, &session)]);
            it.site.post("/confirm", &[&mine], it.id);
        },
        &[Accessed, LoginConfirmed],
    ),
    (
        "a confirmation by somebody else",
        |it| {
            let mine = it.session();
            it.site.post("/confirm", &[&mine], "bob");
        },
        &[Accessed],
    ),
    (
        "a logout",
        |it| {
            let mine = it.session();
            it.site.post("/logout", &[&mine], "");
        },
        &[Accessed, LoggedOut],
    ),
];

#[test]
fn every_attack_emits_its_event_and_the_log_shows_no_secret() {
    // R47, R48, T78: the witness checks the log after each attack; the id of the last user contains line breaks.
    for id in [
        "alice-who-must-not-be-named",
        "m\u{fc}ller-who-must-not-be-named",
        "evil\u{1b}[2J\nError: all is lost for good",
    ] {
        let watched = Watched::start(id);
        witness::keep_secret(id);
        witness::keep_secret("all is lost for good");
        let mut kinds: HashSet<&EventKind> = HashSet::new();
        for (attack, run, expected) in ROWS {
            watched.told.take();
            run(&watched);
            assert_eq!(watched.told.take(), expected, "{attack}");
            kinds.extend(expected);
            watched.start_over();
            watched.site.assert_unharmed(attack);
            watched.told.take();
        }
        assert_eq!(
            kinds.len(),
            17,
            "an event kind has no cause here: {kinds:?}"
        );
    }
}

/// An application that prints every value of the library.
#[derive(UserGuard)]
struct Careless {
    printed: Printed,
}

type Printed = Arc<Mutex<String>>;

const CARELESS: &str = "carl-who-must-not-be-named";
const STAMP: &str = "the stamp of carl";

impl UserMixin for Careless {
    fn get_id(&self) -> impl std::fmt::Display {
        CARELESS
    }

    fn session_hash(&self, hasher: &mut SessionHasher) {
        hasher.field(STAMP);
        print(&self.printed, &format!("{hasher:?}"));
    }
}

fn print(printed: &Printed, text: &str) {
    let mut printed = printed.lock().unwrap();
    printed.push_str(text);
    printed.push('\n');
}

#[user_loader]
fn load_careless(id: &str, printed: &State<Printed>) -> Option<Careless> {
    let printed = Arc::clone(printed);
    (id == CARELESS).then_some(Careless { printed })
}

#[post("/careless")]
async fn enter(
    session: LoginSession<'_, Careless>,
    printed: &State<Printed>,
) -> Result<&'static str, LoginError> {
    let user = Careless {
        printed: Arc::clone(printed),
    };
    print(printed, &format!("{:?}", session.login_user(&user)));
    session.login_user(&user).remember(true).await?;
    print(printed, &format!("{session:?}"));
    Ok("entered")
}

#[get("/careless")]
fn look(
    fresh: Fresh<'_, Careless>,
    current: CurrentUser<'_, Careless>,
    printed: &State<Printed>,
) -> &'static str {
    print(
        printed,
        &format!("{fresh:?} {current:?} {:?}", Anonymous::default()),
    );
    "looked"
}

#[catch(401)]
fn explain(req: &Request<'_>) -> &'static str {
    let printed: &State<Printed> = State::get(req.rocket()).unwrap();
    print(
        printed,
        &format!("{:?} {:?}", Denied::of(req), audit(req.rocket())),
    );
    "refused"
}

#[test]
fn debug_output_of_a_careless_application_shows_no_secret() {
    // T78, R47: the output that `tests/launch/secrets.rs` does not cover.
    witness::watch();
    witness::keep_secret(STAMP);
    witness::keep_secret(CARELESS);
    let printed = Printed::default();
    let rocket = bare()
        .attach(LoginManager::new(load_careless))
        .manage(printed.clone())
        .mount("/", routes![enter, look])
        .register("/", catchers![explain]);
    let server = Server::start(rocket);
    let login = server.post("/careless", &[], "");
    assert_eq!(body(&login), "entered", "{login}");
    let session = cookie(&login, common::SESSION).unwrap();
    let mine = line(&[(common::SESSION, &session)]);
    assert_eq!(body(&server.get("/careless", &[&mine])), "looked");
    let refused = server.get("/careless", &[]);
    assert_eq!(body(&refused), "refused", "{refused}");

    let printed = printed.lock().unwrap().clone();
    for shown in [
        "SessionHasher(",
        "Login",
        "LoginSession",
        "Fresh(",
        "Denied",
        "Audit",
    ] {
        assert!(printed.contains(shown), "{shown} is not printed: {printed}");
    }
    witness::assert_shows_nothing(&printed, "printed");
    witness::assert_innocent("a careless application");
}
