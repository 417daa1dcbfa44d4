//! actix-web alone, and with actix-identity over actix-session's cookie store, both with their default settings: the
//! whole session is in an encrypted cookie. `Identity` is a user's id, with which the page finds the user. The server
//! cannot end a login before the session's day is over, a new password or another client changes nothing, and the
//! response has no caching headers.

use std::io;
use std::net::Ipv4Addr;

use actix_identity::{Identity, IdentityMiddleware};
use actix_session::SessionMiddleware;
use actix_session::storage::CookieSessionStore;
use actix_web::cookie::Key;
use actix_web::rt::System;
use actix_web::web::{self, Data};
use actix_web::{App, HttpMessage, HttpRequest, HttpResponse, HttpServer, error};

use crate::users::{ALICE, NAME, SECRET, Users, users};

/// No login.
pub(crate) fn plain(port: u16) {
    let server = HttpServer::new(|| App::new().route("/page", web::get().to(async || NAME)))
        .workers(1)
        .bind((Ipv4Addr::LOCALHOST, port))
        .expect("the port");
    run(async { server.run().await });
}

/// `Identity`.
pub(crate) fn identity(port: u16) {
    let users = Data::new(users());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(users.clone())
            .wrap(IdentityMiddleware::default())
            .wrap(SessionMiddleware::new(
                CookieSessionStore::default(),
                Key::from(SECRET.as_bytes()),
            ))
            .route("/login", web::post().to(log_in))
            .route("/page", web::get().to(page))
    })
    .workers(1)
    .bind((Ipv4Addr::LOCALHOST, port))
    .expect("the port");
    run(async { server.run().await });
}

fn run(server: impl Future<Output = io::Result<()>>) {
    System::new().block_on(server).expect("actix-web serves");
}

async fn log_in(request: HttpRequest) -> actix_web::Result<HttpResponse> {
    Identity::login(&request.extensions(), ALICE.to_string())
        .map_err(error::ErrorInternalServerError)?;
    Ok(HttpResponse::Ok().finish())
}

async fn page(identity: Identity, users: Data<Users>) -> actix_web::Result<String> {
    let id = identity.id()?;
    let user = id.parse().ok().and_then(|id| users.get(&id));
    let user = user.ok_or_else(|| error::ErrorUnauthorized("nobody"))?;
    Ok(user.name.to_string())
}
