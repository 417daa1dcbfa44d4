#![deny(dead_code)]

mod handlers {
    use rocket::http::Status;
    use rocket_login::{forbidden_handler, needs_refresh_handler, unauthorized_handler};

    #[unauthorized_handler]
    pub fn ask_to_log_in() -> Status {
        Status::Unauthorized
    }

    #[needs_refresh_handler]
    pub(crate) async fn ask_to_confirm() -> Status {
        Status::Unauthorized
    }

    #[forbidden_handler]
    fn not_yours() -> Status {
        Status::Forbidden
    }
}

fn main() {}
