#![allow(unused)]

use std::fmt::Display;

use rocket_login::UserMixin;

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

fn main() {}
