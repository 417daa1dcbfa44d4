use rocket_login::{CurrentUser, LoginManager, UserMixin, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[derive(UserMixin)]
struct Staff {
    id: i64,
}

// The loader of another manager finds it.
#[user_loader]
fn load_user(id: i64, staff: CurrentUser<'_, Staff>) -> Option<User> {
    let _ = staff;
    Some(User { id })
}

fn main() {
    let _ = LoginManager::new(load_user);
}
