//! axum alone, and with axum-login as in its documentation: `login_required!`, and sessions in tower-sessions' memory
//! store, which a deployment would replace by a slower one. A session contains the password hash. Sessions are not
//! bound to a client and have no idle timeout, the response has no caching headers, and a restart loses all sessions.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum_login::{
    AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend, UserId, login_required,
};
use tokio::net::TcpListener;
use tower_sessions::cookie::Key;
use tower_sessions::service::CookieController;
use tower_sessions::{MemoryStore, SessionManagerLayer};

use super::block_on;
use crate::users::{ALICE, NAME, SECRET, User, Users, users};

/// No login.
pub(crate) fn plain(port: u16) {
    serve(port, Router::new().route("/page", get(async || NAME)));
}

/// axum-login's default: the cookie is the session's id.
pub(crate) fn login(port: u16) {
    serve(
        port,
        guarded(SessionManagerLayer::new(MemoryStore::default())),
    );
}

/// The id in the cookie is signed.
pub(crate) fn login_signed(port: u16) {
    let sessions = SessionManagerLayer::new(MemoryStore::default())
        .with_name("signed_id")
        .with_signed(Key::from(SECRET.as_bytes()));
    serve(port, guarded(sessions));
}

fn guarded<C>(sessions: SessionManagerLayer<MemoryStore, C>) -> Router
where
    C: CookieController + Sync,
{
    let backend = Backend(Arc::new(users()));
    Router::new()
        .route("/page", get(page))
        .route_layer(login_required!(Backend))
        .route("/login", post(log_in))
        .layer(AuthManagerLayerBuilder::new(backend, sessions).build())
}

fn serve(port: u16, router: Router) {
    block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        axum::serve(listener.expect("the port"), router).await
    })
    .expect("axum serves");
}

impl AuthUser for User {
    type Id = i64;

    fn id(&self) -> i64 {
        self.id
    }

    fn session_auth_hash(&self) -> &[u8] {
        self.password_hash.as_bytes()
    }
}

#[derive(Clone, Debug)]
struct Backend(Arc<Users>);

impl AuthnBackend for Backend {
    type User = User;
    type Credentials = i64;
    type Error = Infallible;

    async fn authenticate(&self, id: i64) -> Result<Option<User>, Infallible> {
        self.get_user(&id).await
    }

    async fn get_user(&self, id: &UserId<Self>) -> Result<Option<User>, Infallible> {
        Ok(self.0.get(id).cloned())
    }
}

async fn log_in(mut session: AuthSession<Backend>) -> Result<(), StatusCode> {
    let failed = |_| StatusCode::INTERNAL_SERVER_ERROR;
    let user = session.authenticate(ALICE).await.map_err(failed)?;
    let user = user.ok_or(StatusCode::UNAUTHORIZED)?;
    session.login(&user).await.map_err(failed)
}

async fn page(session: AuthSession<Backend>) -> Result<String, StatusCode> {
    match session.user {
        Some(user) => Ok(user.name.to_string()),
        None => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
