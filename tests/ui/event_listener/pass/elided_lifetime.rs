use rocket_login::{LoginEvent, LoginManager, UserMixin, event_listener, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[user_loader]
fn load_user(id: i64) -> Option<User> {
    Some(User { id })
}

#[event_listener]
fn audit(event: &LoginEvent<User>) {
    println!("{event:?}");
}

fn main() {
    let _ = LoginManager::new(load_user).event_listener(audit);
}
