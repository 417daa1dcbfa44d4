use std::fmt::Display;

use rocket::{get, routes};
use rocket_login::{UserGuard, UserMixin, login_required};

#[derive(UserGuard)]
enum Account {
    Person(i64),
    Robot(i64),
}

impl UserMixin for Account {
    fn get_id(&self) -> impl Display {
        match self {
            Account::Person(id) | Account::Robot(id) => id,
        }
    }
}

#[login_required(Account)]
#[get("/")]
fn profile(account: &Account) {
    let _ = account;
}

fn main() {
    let _ = routes![profile];
    let _ = [Account::Person(1), Account::Robot(2)];
}
