//! Handlers in modules and put together by `macro_rules!`: Rocket finds its own names only with the right spans.

use rocket::routes;

mod pages {
    use rocket_login::login_required;

    #[login_required]
    #[rocket::get("/<name>?<page>")]
    pub async fn shown<'r>(name: &'r str, page: Option<u8>) -> Result<&'r str, String> {
        let name: Result<&'r str, String> = Ok(name);
        let name = name?;
        page.map(|_| name).ok_or_else(String::new)
    }

    #[login_required]
    #[cfg(any())]
    #[rocket::get("/")]
    pub fn left_out() {}
}

macro_rules! whole_route {
    ($name:ident, $within:literal) => {
        #[rocket_login::fresh_login_required(crate = $crate::login, within = $within)]
        #[rocket::post("/whole")]
        fn $name() -> &'static str {
            ""
        }
    };
}

macro_rules! guard_only {
    ($handler:item) => {
        #[rocket_login::login_required]
        $handler
    };
}

mod login {
    pub(crate) use rocket_login::__private;
}

whole_route!(whole, "10m");
guard_only! {
    #[rocket::get("/guard")]
    fn r#type() -> &'static str {
        ""
    }
}

fn main() {
    assert_eq!(routes![pages::shown, whole, r#type].len(), 3);
}
