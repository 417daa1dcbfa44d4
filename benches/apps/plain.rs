//! Ten pages.

use rocket::{get, launch, routes};

/// The number of builds of this file, so that each build has a change.
const BUILD: u32 = 0;

fn page(title: &str) -> String {
    format!("{title}, build {BUILD}")
}

#[get("/")]
fn index() -> String {
    page("index")
}

#[get("/orders")]
fn orders() -> String {
    page("orders")
}

#[get("/invoices")]
fn invoices() -> String {
    page("invoices")
}

#[get("/messages")]
fn messages() -> String {
    page("messages")
}

#[get("/reports")]
fn reports() -> String {
    page("reports")
}

#[get("/files")]
fn files() -> String {
    page("files")
}

#[get("/team")]
fn team() -> String {
    page("team")
}

#[get("/billing")]
fn billing() -> String {
    page("billing")
}

#[get("/settings")]
fn settings() -> String {
    page("settings")
}

#[get("/profile")]
fn profile() -> String {
    page("profile")
}

#[launch]
fn rocket() -> _ {
    rocket::build().mount(
        "/",
        routes![
            index, orders, invoices, messages, reports, files, team, billing, settings, profile
        ],
    )
}
