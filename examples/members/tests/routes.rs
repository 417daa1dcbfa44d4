//! Which routes are open, and what the others answer.

mod club;

use rocket::error::ErrorKind;
use rocket::http::{ContentType, Header, Method, Status};
use rocket::local::asynchronous::{Client, LocalResponse};
use serde_json::{Value, json};
use sqlx::SqlitePool;

use club::{EMAIL, PASSWORD};

async fn client() -> Client {
    let rocket = club::build(club::figment());
    Client::tracked(rocket).await.unwrap()
}

async fn post<'c>(client: &'c Client, path: &'c str, form: String) -> LocalResponse<'c> {
    let request = client.post(path).header(ContentType::Form).body(form);
    request.dispatch().await
}

async fn log_in<'c>(client: &'c Client, email: &str, password: &str) -> LocalResponse<'c> {
    post(
        client,
        "/login",
        format!("email={email}&password={password}"),
    )
    .await
}

async fn json(response: LocalResponse<'_>) -> Value {
    response.into_json().await.unwrap()
}

/// Copy this test: it fails when somebody adds a route and forgets its guard.
#[rocket::async_test]
async fn these_routes_are_open_and_no_others() {
    let client = client().await;
    let audit = rocket_login::audit(client.rocket());
    assert_eq!(
        audit.open(),
        [
            "GET /",
            "GET /email?<token>",
            "POST /email?<token>",
            "GET /forgotten",
            "POST /forgotten",
            "GET /login",
            "POST /login",
            "POST /logout",
            "GET /register",
            "POST /register",
            "GET /reset?<token>",
            "POST /reset?<token>",
            "GET /staff/login",
            "POST /staff/login",
            "POST /staff/logout",
            "GET /static/<path..>",
        ]
    );
}

/// The audit also knows which user type each guarded route requires.
#[rocket::async_test]
async fn each_area_requires_its_own_user_type() {
    let client = client().await;
    let audit = rocket_login::audit(client.rocket());
    let open = audit.open();
    for route in audit.routes() {
        if open.contains(&route.to_string()) {
            continue;
        }
        let user = match route.uri.split('/').nth(1) {
            Some("api") => "members::api::ApiKey",
            Some("staff") => "members::staff::Staff",
            _ => "members::users::Member",
        };
        assert_eq!(route.users, [user], "{route}");
    }
}

#[rocket::async_test]
async fn anonymous_visitors_get_the_login_page_of_the_area() {
    let client = client().await;
    for (path, login) in [
        ("/dashboard", "/login?next=%2Fdashboard"),
        ("/account/keys", "/login?next=%2Faccount%2Fkeys"),
        ("/staff", "/staff/login?next=%2Fstaff"),
    ] {
        let response = client.get(path).dispatch().await;
        assert_eq!(response.status(), Status::SeeOther);
        assert_eq!(response.headers().get_one("Location"), Some(login));
    }
}

#[rocket::async_test]
async fn a_wrong_password_and_an_unknown_address_look_the_same() {
    let client = client().await;
    let mut answers = Vec::new();
    for email in [EMAIL, "nobody@example.org"] {
        let response = log_in(&client, email, "wrong").await;
        assert_eq!(response.status(), Status::UnprocessableEntity);
        let page = response.into_string().await.unwrap();
        assert!(page.contains("do not match"));
        answers.push(page.replace(email, "ADDRESS"));
    }
    assert_eq!(answers[0], answers[1]);
}

#[rocket::async_test]
async fn a_taken_address_is_reported_at_its_field() {
    let client = client().await;
    let form = "name=Mia&email=MIA@example.org&password=long+enough+indeed";
    let response = post(&client, "/register", form.into()).await;
    assert_eq!(response.status(), Status::UnprocessableEntity);
    let page = response.into_string().await.unwrap();
    assert!(page.contains(r#"id="email-error">This address is already in use."#));
}

#[rocket::async_test]
async fn what_members_write_is_escaped() {
    let client = client().await;
    log_in(&client, EMAIL, PASSWORD).await;
    post(
        &client,
        "/dashboard",
        "text=<script>alert(1)</script>".into(),
    )
    .await;
    let page = client.get("/dashboard").dispatch().await;
    let page = page.into_string().await.unwrap();
    assert!(page.contains("&lt;script&gt;alert(1)"));
    assert!(!page.contains("<script>alert"));
}

/// Rocket's flash cookie is not signed: anybody can send one.
#[rocket::async_test]
async fn a_flash_cookie_from_anybody_is_escaped() {
    let client = client().await;
    for path in ["/", "/login", "/staff/login"] {
        let flash = ("_flash", "7:message<script>alert(1)</script>");
        let page = client.get(path).cookie(flash).dispatch().await;
        let page = page.into_string().await.unwrap();
        assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
        assert!(!page.contains("<script>"), "{page}");
    }
}

/// The headers of every response, in addition to those that Rocket sets.
const SECURITY_HEADERS: [(&str, &str); 6] = [
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=()"),
    ("Referrer-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
];

/// Sends a request to every route of the application and to an unknown path.
async fn to_every_route(client: &Client) -> Vec<(String, LocalResponse<'_>)> {
    let mut responses = Vec::new();
    let routes = client.rocket().routes();
    let routes = routes.map(|route| (route.method, route.uri.path().to_string()));
    for (method, path) in routes.chain([(Method::Get, "/nothing".into())]) {
        let path = path
            .replace("<id>", "1")
            .replace("<handle>", "x")
            .replace("<path..>", "style.css");
        let request = client.req(method, path.clone()).header(ContentType::Form);
        responses.push((format!("{method} {path}"), request.dispatch().await));
    }
    responses
}

#[rocket::async_test]
async fn every_response_has_the_security_headers() {
    let client = client().await;
    let anonymous = to_every_route(&client).await;
    assert!(anonymous.len() > 25, "{}", anonymous.len());
    log_in(&client, EMAIL, PASSWORD).await;
    let logged_in = to_every_route(&client).await;
    for (route, response) in anonymous.into_iter().chain(logged_in) {
        for (name, value) in SECURITY_HEADERS {
            let values: Vec<_> = response.headers().get(name).collect();
            assert_eq!(values, [value], "{route}: {name}");
        }
        // Not without TLS, which browsers would then require of this host for a year.
        let hsts = response.headers().get_one("Strict-Transport-Security");
        assert_eq!(hsts, None, "{route}");
    }
}

#[rocket::async_test]
async fn over_tls_every_response_requires_tls_from_then_on() {
    let figment = club::figment()
        .select("release")
        .merge(("secret_key", "UtbQhEZs0fCdXkjOHk7GKl1C5s3u9nPnQxqkiF2xW9E="))
        .merge(("tls.certs", "cert.pem"))
        .merge(("tls.key", "key.pem"));
    let client = Client::tracked(club::build(figment)).await.unwrap();
    for (route, response) in to_every_route(&client).await {
        let hsts = response.headers().get_one("Strict-Transport-Security");
        assert_eq!(hsts, Some("max-age=31536000"), "{route}");
    }
}

#[rocket::async_test]
async fn browsers_keep_static_files_and_no_pages() {
    let client = client().await;
    for (path, control) in [
        ("/static/style.css", "public, max-age=3600"),
        ("/static/htmx.min.js", "public, max-age=3600"),
        ("/static/icon.svg", "public, max-age=3600"),
        ("/login", "private, no-store"),
    ] {
        let response = client.get(path).dispatch().await;
        assert_eq!(response.status(), Status::Ok);
        let controls: Vec<_> = response.headers().get("Cache-Control").collect();
        assert_eq!(controls, [control], "{path}");
    }
    // A file that does not exist today may exist tomorrow.
    let response = client.get("/static/nothing.css").dispatch().await;
    assert_eq!(response.status(), Status::NotFound);
    let control = response.headers().get_one("Cache-Control");
    assert_ne!(control, Some("public, max-age=3600"));
}

#[rocket::async_test]
async fn every_page_is_html_without_errors() {
    assert_ne!(club::html::errors("<!doctype html><p>a</b>").len(), 0);
    assert_ne!(club::html::errors("<p>no doctype").len(), 0);

    let client = client().await;
    let mut responses = to_every_route(&client).await;
    log_in(&client, EMAIL, PASSWORD).await;
    let form = format!("name=ada&password={PASSWORD}");
    post(&client, "/staff/login", form).await;
    for path in [
        "/",
        "/dashboard",
        "/profile",
        "/account",
        "/account/confirm",
        "/account/email",
        "/account/password",
        "/account/keys",
        "/account/logins",
        "/forgotten",
        "/reset?token=wrong",
        "/staff",
        "/staff/members/1/logins",
        "/staff/password",
    ] {
        responses.push((path.into(), client.get(path).dispatch().await));
    }
    for (path, form) in [
        ("/dashboard", "text="),
        ("/profile", "name=&about=%3Cb%3E%22"),
        ("/account/confirm", "password=x"),
        ("/account/email", "email=x"),
        ("/account/password", "password=x&again=y"),
        ("/account/keys", "label="),
        ("/account/keys", "label=%3Cb%3E%22"),
        ("/staff/password", "current=x&password=y&again=z"),
    ] {
        responses.push((path.into(), post(&client, path, form.into()).await));
    }
    let mut pages = 0;
    for (route, response) in responses {
        if response.content_type() == Some(ContentType::HTML) {
            let page = response.into_string().await.unwrap();
            let errors = club::html::errors(&page);
            assert!(errors.is_empty(), "{route}: {errors:?}\n{page}");
            pages += 1;
        }
    }
    assert!(pages > 20, "{pages}");
}

#[rocket::async_test]
async fn only_the_first_of_two_wrong_fields_takes_the_focus() {
    let client = client().await;
    log_in(&client, EMAIL, PASSWORD).await;
    let form = "password=short&again=other".into();
    let password = post(&client, "/account/password", form).await;
    let password = password.into_string().await.unwrap();
    post(&client, "/logout", String::new()).await;
    let form = "name=&email=nobody&password=short".into();
    let register = post(&client, "/register", form).await;
    let register = register.into_string().await.unwrap();

    for (page, wrong, first) in [(password, 2, "password"), (register, 3, "name")] {
        assert_eq!(page.matches("aria-invalid").count(), wrong, "{page}");
        assert_eq!(page.matches("autofocus").count(), 1, "{page}");
        let (before, _) = page.split_once("autofocus").unwrap();
        let (_, field) = before.rsplit_once("name=\"").unwrap();
        assert!(field.starts_with(&format!("{first}\"")), "{page}");
    }
}

#[rocket::async_test]
async fn htmx_gets_a_fragment() {
    let client = client().await;
    log_in(&client, EMAIL, PASSWORD).await;
    let htmx = Header::new("HX-Request", "true");
    let request = client.get("/dashboard?q=GLOVE").header(htmx);
    let page = request.dispatch().await.into_string().await.unwrap();
    assert!(page.contains("claw glove") && !page.contains("regatta"));
    assert!(!page.contains("<html"));
}

/// The first and the last notice of a page of the board, and its links to other pages.
async fn board(client: &Client, path: &str) -> (Vec<String>, Vec<String>) {
    let page = client.get(path.to_owned()).dispatch().await;
    assert_eq!(page.status(), Status::Ok, "{path}");
    let page = page.into_string().await.unwrap();
    let page = page.replace("&#x2f;", "/").replace("&amp;", "&");
    let between = |start: &str, end: &str| -> Vec<String> {
        let parts = page.split(start).skip(1);
        let parts = parts.map(|rest| rest.split_once(end).unwrap().0.to_owned());
        parts.collect()
    };
    let (_, links) = page.split_once("class=\"notices\"").unwrap_or_default();
    let links = links.split("href=\"").skip(1);
    let links = links.map_while(|rest| rest.split_once("\" rel="));
    let links = links.map(|(link, _)| link.to_owned()).collect();
    (between("<li>\n    <p>", "</p>"), links)
}

#[rocket::async_test]
async fn the_board_has_pages_with_links_to_newer_and_older_notices() {
    let client = client().await;
    log_in(&client, EMAIL, PASSWORD).await;
    let (notices, links) = board(&client, "/dashboard").await;
    assert_eq!((notices.len(), links), (2, vec![]));

    let db: &SqlitePool = client.rocket().state().unwrap();
    for number in 0..40 {
        let insert = sqlx::query("INSERT INTO notices (member_id, text) VALUES (1, ?)");
        let insert = insert.bind(format!("& {number}"));
        insert.execute(db).await.unwrap();
    }
    for (path, first, count, expected) in [
        ("/dashboard", "& 39", 20, &["/dashboard?skip=20"][..]),
        (
            "/dashboard?skip=20",
            "& 19",
            20,
            &["/dashboard", "/dashboard?skip=40"],
        ),
        ("/dashboard?skip=40", "Lost", 2, &["/dashboard?skip=20"]),
        // The search stays.
        (
            "/dashboard?q=%26+&skip=5",
            "& 34",
            20,
            &["/dashboard?q=%26%20", "/dashboard?q=%26%20&skip=25"],
        ),
        ("/dashboard?skip=-1", "& 39", 20, &["/dashboard?skip=20"]),
    ] {
        let (notices, links) = board(&client, path).await;
        assert_eq!(notices.len(), count, "{path}");
        assert!(notices[0].starts_with(first), "{path}: {notices:?}");
        assert_eq!(links, expected, "{path}");
    }
    let (notices, _) = board(&client, "/dashboard?skip=4294967295").await;
    assert_eq!(notices.len(), 0);
}

#[rocket::async_test]
async fn the_login_page_says_why_it_is_there_after_a_request_of_htmx_too() {
    let client = client().await;
    let request = client
        .get("/dashboard?q=glove")
        .header(Header::new("HX-Request", "true"));
    let page = Header::new("HX-Current-URL", "http://localhost/dashboard");
    let response = request.header(page).dispatch().await;
    let login = response.headers().get_one("HX-Redirect").unwrap();
    let page = client.get(login.to_owned()).dispatch().await;
    assert!(
        page.into_string()
            .await
            .unwrap()
            .contains("Please log in to access this page.")
    );
    let page = client.get("/login").dispatch().await;
    assert!(!page.into_string().await.unwrap().contains("to access"));
}

#[rocket::async_test]
async fn a_closed_account_ends_the_login_and_the_keys() {
    let client = client().await;
    log_in(&client, EMAIL, PASSWORD).await;
    let key = new_key(&client, "").await;
    assert_eq!(get_me(&client, &key).await.status(), Status::Ok);

    let form = format!("name=ada&password={PASSWORD}");
    post(&client, "/staff/login", form).await;
    let response = post(&client, "/staff/members/1", "active=false".into()).await;
    assert_eq!(response.status(), Status::SeeOther);

    assert_eq!(get_me(&client, &key).await.status(), Status::Unauthorized);
    let response = client.get("/dashboard").dispatch().await;
    assert_eq!(response.status(), Status::SeeOther);
    let page = log_in(&client, EMAIL, PASSWORD).await.into_string().await;
    assert!(page.unwrap().contains("This account is closed."));
}

#[rocket::async_test]
async fn only_an_administrator_closes_accounts() {
    let client = client().await;
    let form = format!("name=bob&password={PASSWORD}");
    post(&client, "/staff/login", form).await;
    assert_eq!(client.get("/staff").dispatch().await.status(), Status::Ok);
    let response = post(&client, "/staff/members/1", "active=false".into()).await;
    assert_eq!(response.status(), Status::Forbidden);
}

#[rocket::async_test]
async fn a_login_of_one_kind_opens_nothing_of_another() {
    let client = client().await;
    log_in(&client, EMAIL, PASSWORD).await;
    let response = client.get("/staff").dispatch().await;
    assert_eq!(response.status(), Status::SeeOther);
    let response = client.get("/api/me").dispatch().await;
    assert_eq!(response.status(), Status::Unauthorized);

    let key = new_key(&client, "").await;
    post(&client, "/logout", String::new()).await;
    let request = client.get("/dashboard").header(bearer(&key));
    assert_eq!(request.dispatch().await.status(), Status::Unauthorized);
}

#[rocket::async_test]
async fn the_api_answers_in_json() {
    let client = client().await;
    let response = get_me(&client, "club_wrong").await;
    assert_eq!(response.status(), Status::Unauthorized);
    let challenge = response.headers().get_one("WWW-Authenticate");
    assert_eq!(challenge, Some("Bearer"));
    let error = json!({"status": 401, "error": "Unauthorized"});
    assert_eq!(json(response).await, error);

    log_in(&client, EMAIL, PASSWORD).await;
    let reader = new_key(&client, "").await;
    let writer = new_key(&client, "&may_write=on").await;
    assert_eq!(json(get_me(&client, &reader).await).await["member"], "Mia");

    let response = post_notice(&client, &reader, "from a program").await;
    assert_eq!(response.status(), Status::Forbidden);
    let error = json!({"status": 403, "error": "Forbidden"});
    assert_eq!(json(response).await, error);

    let response = post_notice(&client, &writer, "from a \"program\"").await;
    assert_eq!(response.status(), Status::Created);
    let request = client.get("/api/notices?q=program").header(bearer(&reader));
    let notices = json(request.dispatch().await).await;
    assert_eq!(notices[0]["text"], "from a \"program\"");
    assert_eq!(notices.as_array().unwrap().len(), 1);

    let response = client.get("/api/nothing").dispatch().await;
    assert_eq!(json(response).await["status"], 404);
}

#[rocket::async_test]
async fn the_page_of_the_keys_says_when_a_key_was_made_and_last_used() {
    let client = client().await;
    log_in(&client, EMAIL, PASSWORD).await;
    let key = new_key(&client, "").await;
    let page = client.get("/account/keys").dispatch().await;
    let page = page.into_string().await.unwrap();
    assert!(
        page.contains("made <time>20") && page.contains("never used"),
        "{page}"
    );
    assert_eq!(get_me(&client, &key).await.status(), Status::Ok);
    let page = client.get("/account/keys").dispatch().await;
    let page = page.into_string().await.unwrap();
    assert!(page.contains("last used <time>20"), "{page}");
}

#[rocket::async_test]
async fn a_deleted_key_opens_nothing() {
    let client = client().await;
    log_in(&client, EMAIL, PASSWORD).await;
    let key = new_key(&client, "").await;
    post(&client, "/account/keys/1/delete", String::new()).await;
    assert_eq!(get_me(&client, &key).await.status(), Status::Unauthorized);
}

/// Hashes are slow on purpose, so a crowd must neither take the memory nor wait for minutes.
#[rocket::async_test]
async fn a_crowd_at_the_login_page_is_asked_to_come_back_later() {
    let client = client().await;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let crowd = (0..100 * cores).map(|number| {
        let [.., high, low] = number.to_be_bytes();
        let request = client.post("/login").header(ContentType::Form);
        let request = request.remote(([10, 0, high, low], 4000).into());
        let form = "email=nobody@example.org&password=wrong";
        request.body(form).dispatch()
    });
    let responses = rocket::futures::future::join_all(crowd).await;
    let (refused, busy): (Vec<_>, Vec<_>) = responses
        .iter()
        .partition(|response| response.status() == Status::UnprocessableEntity);
    assert!(refused.len() > 32 * cores, "{}", refused.len());
    assert!(!busy.is_empty());
    for response in busy {
        assert_eq!(response.status(), Status::ServiceUnavailable);
        assert_eq!(response.headers().get_one("Retry-After"), Some("5"));
    }
    // Once the crowd is gone, members log in as always.
    let response = log_in(&client, EMAIL, PASSWORD).await;
    assert_eq!(response.status(), Status::SeeOther);
}

#[rocket::async_test]
async fn the_first_start_makes_the_first_users() {
    let rocket = club::build_empty(club::figment());
    let client = Client::untracked(rocket).await.unwrap();
    let db: &SqlitePool = client.rocket().state().unwrap();
    for count in ["SELECT count(*) FROM members", "SELECT count(*) FROM staff"] {
        let number: i64 = sqlx::query_scalar(count).fetch_one(db).await.unwrap();
        assert_eq!(number, 1, "{count}");
    }
}

#[rocket::async_test]
async fn outside_the_debug_profile_a_start_without_a_secret_fails() {
    let rocket = club::build(club::figment().select("release"));
    let error = rocket.ignite().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::FailedFairings(_)));
}

fn bearer(key: &str) -> Header<'static> {
    Header::new("Authorization", format!("Bearer {key}"))
}

/// Creates a key as a member does, and returns its secret from the page.
async fn new_key(client: &Client, more: &str) -> String {
    let page = post(client, "/account/keys", format!("label=test{more}")).await;
    let page = page.into_string().await.unwrap();
    let (_, key) = page.split_once(r#"<code id="secret">"#).unwrap();
    key.split_once('<').unwrap().0.to_owned()
}

async fn get_me<'c>(client: &'c Client, key: &str) -> LocalResponse<'c> {
    client.get("/api/me").header(bearer(key)).dispatch().await
}

async fn post_notice<'c>(client: &'c Client, key: &str, text: &str) -> LocalResponse<'c> {
    let request = client.post("/api/notices").header(bearer(key));
    request.json(&json!({ "text": text })).dispatch().await
}
