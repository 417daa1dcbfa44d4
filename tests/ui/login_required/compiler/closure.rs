#![allow(unused)]

use rocket_login::login_required;

fn main() {
    let dashboard = #[login_required]
    || {};
}
