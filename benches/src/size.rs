//! The size of the cookies, and the memory of an ended session.

use rocket::http::Header;
use rocket::local::blocking::Client;
use rocket::{post, routes};
use rocket_login::{LoginError, LoginManager, LoginSession, UserMixin, user_loader};

use crate::application::{SECRET, Size, config};
use crate::markdown::Table;
use crate::memory;
use crate::scene::Scene;
use crate::stage::Stage;

#[derive(UserMixin)]
struct Named {
    id: String,
}

#[user_loader]
fn load_named(id: &str) -> Option<Named> {
    (!id.is_empty()).then(|| Named { id: id.to_owned() })
}

#[post("/login", data = "<id>")]
async fn login(id: String, session: LoginSession<'_, Named>) -> Result<(), LoginError> {
    session.login_user(&Named { id }).remember(true).await
}

/// Prints both cookies' sizes for ids of several lengths, and the memory of an ended session.
pub(crate) fn print() {
    let rocket = rocket::custom(config())
        .attach(LoginManager::new(load_named).secret_key(SECRET))
        .mount("/", routes![login]);
    let client = Client::untracked(rocket).expect("the application launches");
    let rows = [1, 16, 36].map(|length| {
        let request = client.post("/login").body("1".repeat(length));
        let response = request
            .header(Header::new("Sec-Fetch-Site", "same-origin"))
            .dispatch();
        let lines: Vec<_> = response.headers().get("Set-Cookie").collect();
        let [session, remember] = lines.as_slice() else {
            panic!("two cookies, not {lines:?}");
        };
        let pair = |line: &str| line.split(';').next().map_or(0, str::len);
        vec![
            length.to_string(),
            session.len().to_string(),
            remember.len().to_string(),
            ("Cookie: ".len() + pair(session) + "; ".len() + pair(remember)).to_string(),
        ]
    });
    let table = Table {
        head: vec![
            "length of the user's id",
            "session cookie",
            "remember cookie",
            "bytes sent with each request",
        ],
        rows: rows.into(),
    };
    table.print();

    let many = 1_000_000;
    let size = Size {
        room: Some(2 * many),
        ..Size::default()
    };
    let bytes = memory::end(&Stage::new(Scene::Guarded, &size), many).bytes / many;
    println!("\nA logged-in user takes no memory, an ended session {bytes} bytes, of a million.");
}
