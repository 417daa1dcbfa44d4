//! What members and staff do with logins and links, and how often somebody can try a password.

mod club;

use rocket::http::{ContentType, Cookie, Header, Status};
use rocket::local::asynchronous::{Client, LocalRequest};
use rocket::time::Duration;

use club::{ADMIN, EMAIL, Mails, PASSWORD};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SAFARI: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 \
    (KHTML, like Gecko) Version/17.4 Safari/605.1.15";

async fn club() -> Client {
    let rocket = club::build(club::figment());
    Client::untracked(rocket).await.unwrap()
}

/// A browser at an address, with its own cookies.
struct Visitor<'c> {
    club: &'c Client,
    agent: &'static str,
    address: [u8; 4],
    cookies: Vec<Cookie<'static>>,
}

/// What a visitor gets: the status, the target of a redirect, and the page.
struct Answer {
    status: Status,
    location: String,
    retry_after: Option<String>,
    page: String,
}

impl<'c> Visitor<'c> {
    fn new(club: &'c Client, agent: &'static str, address: [u8; 4]) -> Self {
        Visitor {
            club,
            agent,
            address,
            cookies: Vec::new(),
        }
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(self.club.get(path.to_owned())).await
    }

    async fn post(&mut self, path: &str, form: &str) -> Answer {
        let request = self.club.post(path.to_owned()).header(ContentType::Form);
        self.send(request.body(form)).await
    }

    async fn send(&mut self, request: LocalRequest<'c>) -> Answer {
        let request = request.remote((self.address, 4000).into());
        let request = request.header(Header::new("User-Agent", self.agent));
        let response = request.cookies(self.cookies.clone()).dispatch().await;
        for cookie in response.cookies().iter() {
            self.cookies.retain(|other| other.name() != cookie.name());
            if cookie.max_age() != Some(Duration::ZERO) {
                self.cookies.push(cookie.clone().into_owned());
            }
        }
        let header = |name| response.headers().get_one(name).map(ToOwned::to_owned);
        let status = response.status();
        let location = header("Location").unwrap_or_default();
        let retry_after = header("Retry-After");
        let page = response.into_string().await.unwrap_or_default();
        Answer {
            status,
            location,
            retry_after,
            page: page.replace("&#x2f;", "/"),
        }
    }

    async fn log_in(&mut self, email: &str, password: &str) -> Answer {
        let form = format!("email={email}&password={password}");
        self.post("/login", &form).await
    }

    /// The list of the member's logins, and the handles of the others.
    async fn logins(&mut self) -> (String, Vec<String>) {
        let answer = self.get("/account/logins").await;
        assert_eq!(answer.status, Status::Ok);
        let handles = handles(&answer.page);
        (answer.page, handles)
    }

    async fn is_logged_in(&mut self) -> bool {
        self.get("/dashboard").await.status == Status::Ok
    }
}

/// The handles in the forms of a page.
fn handles(page: &str) -> Vec<String> {
    let ends = page.split("/logins/").skip(1);
    let handles = ends.filter_map(|rest| rest.split_once("/end\""));
    handles.map(|(handle, _)| handle.to_owned()).collect()
}

async fn member<'c>(club: &'c Client, agent: &'static str) -> Visitor<'c> {
    let mut visitor = Visitor::new(club, agent, [192, 0, 2, 7]);
    let answer = visitor.log_in(EMAIL, PASSWORD).await;
    assert_eq!(answer.location, "/dashboard");
    visitor
}

async fn staff<'c>(club: &'c Client, name: &str) -> Visitor<'c> {
    let mut visitor = Visitor::new(club, FIREFOX, [192, 0, 2, 8]);
    let form = format!("name={name}&password={PASSWORD}");
    let answer = visitor.post("/staff/login", &form).await;
    assert_eq!(answer.location, "/staff");
    visitor
}

#[rocket::async_test]
async fn a_member_sees_the_logins_and_ends_one() {
    let club = club().await;
    let mut here = member(&club, FIREFOX).await;
    let mut there = member(&club, SAFARI).await;
    let (page, handles) = here.logins().await;
    let (first, second) = page
        .split_once("<li>")
        .unwrap()
        .1
        .split_once("<li>")
        .unwrap();
    assert!(
        first.contains("Firefox on Linux") && first.contains("this browser"),
        "{page}"
    );
    assert!(
        second.contains("Safari on") && !second.contains("<span class=\"area\">"),
        "{page}"
    );
    assert!(
        second.contains("192.0.2.") && second.contains("last seen <time"),
        "{page}"
    );

    assert!(!page.contains("bound to its device"), "{page}");

    let [handle] = &*handles else {
        panic!("{page}")
    };
    let end = format!("/account/logins/{handle}/end");
    let answer = here.post(&end, "").await;
    // A redirect, so that F5 repeats nothing.
    assert_eq!(
        (answer.status, &*answer.location),
        (Status::SeeOther, "/account/logins")
    );
    assert!(
        here.get("/account/logins")
            .await
            .page
            .contains("That browser is logged out.")
    );
    assert!(!there.is_logged_in().await);
    assert!(here.is_logged_in().await);
    assert_eq!(here.logins().await.1, Vec::<String>::new());

    let again = here.post(&end, "").await;
    assert_has_ended(&again);
    assert!(again.page.contains("Firefox on Linux"));
}

/// 409 as long as the registry still has the login, then 404.
fn assert_has_ended(answer: &Answer) {
    let sentence = match answer.status {
        Status::Conflict => "This login has just ended.",
        Status::NotFound => "There is no such login. It may have ended.",
        other => panic!("{other}"),
    };
    assert!(answer.page.contains(sentence), "{}", answer.page);
}

#[rocket::async_test]
async fn a_wrong_handle_is_refused_with_a_sentence_and_ends_nothing() {
    let club = club().await;
    let mut mia = member(&club, FIREFOX).await;
    let _second = member(&club, SAFARI).await;
    let (_, handles) = mia.logins().await;
    let mut ferris = Visitor::new(&club, SAFARI, [192, 0, 2, 9]);
    ferris.log_in("ferris@example.org", PASSWORD).await;
    for handle in [&handles[0], "x", "%00", &"A".repeat(3000)] {
        let answer = ferris
            .post(&format!("/account/logins/{handle}/end"), "")
            .await;
        assert_eq!(answer.status, Status::NotFound, "{handle}");
        assert!(
            answer.page.contains("There is no such login."),
            "{handle}: {}",
            answer.page
        );
    }
    assert_eq!(mia.logins().await.1, handles);
}

#[rocket::async_test]
async fn a_member_ends_all_other_logins() {
    let club = club().await;
    let mut here = member(&club, FIREFOX).await;
    let mut others = [member(&club, SAFARI).await, member(&club, FIREFOX).await];
    let answer = here.post("/account/logins/end-others", "").await;
    assert_eq!(
        (answer.status, &*answer.location),
        (Status::SeeOther, "/account/logins")
    );
    for other in &mut others {
        assert!(!other.is_logged_in().await);
    }
    assert!(here.is_logged_in().await);
    assert_eq!(here.logins().await.1, Vec::<String>::new());
}

#[rocket::async_test]
async fn an_administrator_sees_and_ends_the_logins_of_a_member() {
    let club = club().await;
    let mut firefox = member(&club, FIREFOX).await;
    let mut safari = member(&club, SAFARI).await;
    let mut admin = staff(&club, ADMIN).await;
    let list = "/staff/members/1/logins";
    let answer = admin.get(list).await;
    assert!(
        answer.page.contains("Logins of Mia") && answer.page.contains("Safari on"),
        "{}",
        answer.page
    );
    let rows = answer.page.split("<li>").skip(1);
    let (safaris, others): (Vec<_>, Vec<_>) = rows.partition(|row| row.contains("Safari on"));
    let ([safaris], [firefoxs]) = (&*safaris, &*others) else {
        panic!("{}", answer.page)
    };
    let end = format!("{list}/{}/end", handles(safaris)[0]);
    let answer = admin.post(&end, "").await;
    assert_eq!((answer.status, &*answer.location), (Status::SeeOther, list));
    assert!(!safari.is_logged_in().await && firefox.is_logged_in().await);
    let again = admin.post(&end, "").await;
    assert_has_ended(&again);
    // The handle of one member names nothing of another.
    let foreign = format!("/staff/members/2/logins/{}/end", handles(firefoxs)[0]);
    assert_eq!(admin.post(&foreign, "").await.status, Status::NotFound);
    assert!(firefox.is_logged_in().await);

    let answer = admin.post(&format!("{list}/end"), "").await;
    assert_eq!((answer.status, &*answer.location), (Status::SeeOther, list));
    assert!(!firefox.is_logged_in().await);
    let page = admin.get(list).await.page;
    assert!(
        page.contains("Mia is logged out in all browsers.")
            && page.contains("Mia is not logged in.")
    );
    assert_eq!(
        admin.get("/staff/members/99/logins").await.status,
        Status::NotFound
    );
}

#[rocket::async_test]
async fn only_an_administrator_sees_and_ends_the_logins_of_members() {
    let club = club().await;
    let mut mia = member(&club, FIREFOX).await;
    let mut bob = staff(&club, "bob").await;
    let list = "/staff/members/1/logins";
    assert_eq!(bob.get(list).await.status, Status::Forbidden);
    for path in [format!("{list}/end"), format!("{list}/x/end")] {
        assert_eq!(
            bob.post(&path, "").await.status,
            Status::Forbidden,
            "{path}"
        );
    }
    assert!(mia.is_logged_in().await);
}

#[rocket::async_test]
async fn the_staff_change_their_password_with_the_old_one() {
    let club = club().await;
    let mut here = staff(&club, ADMIN).await;
    let mut there = staff(&club, ADMIN).await;
    let form =
        |current| format!("current={current}&password=a+better+password&again=a+better+password");
    let answer = here.post("/staff/password", &form("wrong")).await;
    assert_eq!(answer.status, Status::UnprocessableEntity);
    assert!(answer.page.contains("This is not your password."));
    assert_eq!(there.get("/staff").await.status, Status::Ok);

    let answer = here.post("/staff/password", &form(PASSWORD)).await;
    assert_eq!(
        (answer.status, &*answer.location),
        (Status::SeeOther, "/staff")
    );
    assert_eq!(here.get("/staff").await.status, Status::Ok);
    assert_eq!(there.get("/staff").await.status, Status::SeeOther);
}

/// The link in the only mail to an address.
fn link(club: &Client, to: &str) -> String {
    let mails: &Mails = club.rocket().state().unwrap();
    let mut texts = mails.take(to);
    assert_eq!(texts.len(), 1, "{texts:?}");
    let text = texts.remove(0);
    let (_, link) = text.split_once("http://127.0.0.1:8000").unwrap();
    link.to_owned()
}

#[rocket::async_test]
async fn a_forgotten_password_is_replaced_by_a_link_that_works_once() {
    let club = club().await;
    let mut here = Visitor::new(&club, FIREFOX, [192, 0, 2, 7]);
    let mut there = member(&club, SAFARI).await;
    let answer = here.post("/forgotten", &format!("email={EMAIL}")).await;
    assert_eq!(
        (answer.status, &*answer.location),
        (Status::SeeOther, "/forgotten")
    );
    let (link, changed) = (
        link(&club, EMAIL),
        "password=a+better+password&again=a+better+password",
    );
    // To look at the page uses nothing up, and neither does a form with an error.
    assert!(here.get(&link).await.page.contains(EMAIL));
    let answer = here.post(&link, "password=short&again=short").await;
    assert_eq!(answer.status, Status::UnprocessableEntity);
    assert!(there.is_logged_in().await);

    let answer = here.post(&link, changed).await;
    assert_eq!(
        (answer.status, &*answer.location),
        (Status::SeeOther, "/login")
    );
    assert!(!there.is_logged_in().await);
    assert_eq!(
        here.log_in(EMAIL, PASSWORD).await.status,
        Status::UnprocessableEntity
    );
    assert_eq!(
        here.log_in(EMAIL, "a+better+password").await.location,
        "/dashboard"
    );
    for answer in [here.get(&link).await, here.post(&link, changed).await] {
        assert_eq!(answer.status, Status::Gone);
        assert!(
            answer.page.contains("This link has been used"),
            "{}",
            answer.page
        );
    }
    let answer = here.get("/reset?token=wrong").await;
    assert_eq!(answer.status, Status::NotFound);
    assert!(answer.page.contains("This link is not complete."));
}

#[rocket::async_test]
async fn a_forgotten_password_is_answered_the_same_for_every_address() {
    let club = club().await;
    let mut pages = Vec::new();
    for email in [EMAIL, "nobody@example.org"] {
        let mut visitor = Visitor::new(&club, FIREFOX, [192, 0, 2, 7]);
        let answer = visitor.post("/forgotten", &format!("email={email}")).await;
        assert_eq!(
            (answer.status, &*answer.location),
            (Status::SeeOther, "/forgotten")
        );
        pages.push(visitor.get("/forgotten").await.page);
    }
    assert!(
        pages[0].contains("a mail with a link is on its way"),
        "{}",
        pages[0]
    );
    assert_eq!(pages[0], pages[1]);
    let mails: &Mails = club.rocket().state().unwrap();
    assert_eq!(mails.take("nobody@example.org"), Vec::<String>::new());
}

#[rocket::async_test]
async fn an_address_changes_when_its_link_is_confirmed_and_old_links_die() {
    let club = club().await;
    let mut mia = member(&club, FIREFOX).await;
    mia.post("/forgotten", &format!("email={EMAIL}")).await;
    let reset = link(&club, EMAIL);
    let answer = mia.post("/account/email", "email=mia@harbor.example").await;
    assert_eq!(
        (answer.status, &*answer.location),
        (Status::SeeOther, "/account")
    );
    let link = link(&club, "mia@harbor.example");
    // The mail may be opened elsewhere. A GET changes nothing.
    let mut elsewhere = Visitor::new(&club, SAFARI, [198, 51, 100, 1]);
    assert!(
        elsewhere
            .get(&link)
            .await
            .page
            .contains("mia@harbor.example")
    );
    assert!(
        !mia.get("/account")
            .await
            .page
            .contains("mia@harbor.example")
    );

    let answer = elsewhere.post(&link, "").await;
    assert_eq!((answer.status, &*answer.location), (Status::SeeOther, "/"));
    assert!(
        mia.get("/account")
            .await
            .page
            .contains("mia@harbor.example")
    );
    for answer in [elsewhere.post(&link, "").await, elsewhere.get(&reset).await] {
        assert_eq!(answer.status, Status::Gone);
    }
}

#[rocket::async_test]
async fn a_taken_address_is_refused_only_to_who_reads_its_mail() {
    let club = club().await;
    let mut mia = member(&club, FIREFOX).await;
    let answer = mia.post("/account/email", "email=ferris@example.org").await;
    assert_eq!(
        (answer.status, &*answer.location),
        (Status::SeeOther, "/account")
    );
    let answer = mia.post(&link(&club, "ferris@example.org"), "").await;
    assert_eq!(answer.status, Status::Conflict);
    assert!(answer.page.contains("Another member has this address."));
    assert!(mia.get("/account").await.page.contains(EMAIL));
}

#[rocket::async_test]
async fn who_guesses_a_password_must_wait_and_the_member_need_not() {
    let club = club().await;
    let mut thief = Visitor::new(&club, FIREFOX, [203, 0, 113, 66]);
    for _ in 0..10 {
        assert_eq!(
            thief.log_in(EMAIL, "wrong").await.status,
            Status::UnprocessableEntity
        );
    }
    // Not even the right password, in other letters either.
    for email in [EMAIL, "MIA@example.org"] {
        let answer = thief.log_in(email, PASSWORD).await;
        assert_eq!(answer.status, Status::TooManyRequests);
        assert_eq!(answer.retry_after.as_deref(), Some("30"));
        assert!(
            answer.page.contains("There were too many attempts."),
            "{}",
            answer.page
        );
    }
    // The others at this address, and the member elsewhere, log in as always.
    assert_eq!(
        thief.log_in("ferris@example.org", PASSWORD).await.location,
        "/dashboard"
    );
    assert!(member(&club, SAFARI).await.is_logged_in().await);
}

#[rocket::async_test]
async fn who_tries_many_accounts_from_one_address_must_wait() {
    let club = club().await;
    let mut thief = Visitor::new(&club, FIREFOX, [203, 0, 113, 66]);
    let form = |number: usize| format!("email=member{number}@example.org");
    for number in 0..100 {
        let answer = thief.post("/forgotten", &form(number)).await;
        assert_eq!(answer.status, Status::SeeOther, "{number}");
    }
    let answer = thief.log_in("another@example.org", "wrong").await;
    assert_eq!(answer.status, Status::TooManyRequests);
    assert!(member(&club, SAFARI).await.is_logged_in().await);
}
