//! A handler may be more visible than its user type: the attribute names the type only inside a function.

#![allow(unused)]

mod admin {
    use rocket_login::{UserMixin, login_required};

    #[derive(UserMixin)]
    struct Admin {
        id: i64,
    }

    #[login_required(Admin)]
    #[rocket::get("/")]
    pub fn dashboard() {}
}

fn main() {
    let _ = rocket::routes![admin::dashboard];
}
