#![allow(unused)]

use rocket::get;
use rocket_login::login_required;

struct Pages;

impl Pages {
    #[login_required]
    #[get("/")]
    fn dashboard(&self) {}
}

fn main() {}
