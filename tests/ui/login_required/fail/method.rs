#![allow(unused)]

use rocket_login::login_required;

struct Pages;

impl Pages {
    #[login_required]
    fn dashboard(&self) {}
}

fn main() {}
