//! The browser: what happens before requests are measured.

use crate::apps::ROCKET_LOGIN;
use crate::client::{Connection, request};
use crate::server::Server;
use crate::users::NAME;

/// The number of sessions that end before the measurement.
const ENDED: usize = 100_000;

/// Checks that the page is refused without a login, and ends sessions if the application keeps a list of them.
pub(crate) fn prepare(server: &Server) {
    let app = server.app;
    if app.is_plain() {
        return;
    }
    let mut connection = Connection::open(server.address);
    let nobody = connection.exchange(&request("GET", "/page", ""));
    assert!(
        !nobody.is_ok() && !nobody.body.contains(NAME),
        "{} shows its page to nobody: {nobody:?}",
        app.name
    );
    if app.name == ROCKET_LOGIN {
        end_sessions(&mut connection);
    }
}

/// Logs in everywhere, and returns the request for each application's page. It contains the cookies of all applications
/// of the framework, so that their requests are equal.
pub(crate) fn requests(servers: &[Server]) -> Vec<String> {
    let cookies: Vec<_> = servers.iter().map(log_in).collect();
    servers
        .iter()
        .map(|server| {
            let mut sent = vec!["theme=dark".to_owned()];
            for (sibling, cookies) in servers.iter().zip(&cookies) {
                if sibling.app.plain == server.app.plain {
                    sent.extend_from_slice(cookies);
                }
            }
            request("GET", "/page", &sent.join("; "))
        })
        .collect()
}

fn log_in(server: &Server) -> Vec<String> {
    if server.app.is_plain() {
        return Vec::new();
    }
    logged_in(&mut Connection::open(server.address))
}

fn logged_in(connection: &mut Connection) -> Vec<String> {
    let answer = connection.exchange(&request("POST", "/login", ""));
    let cookies: Vec<_> = answer.cookies().map(str::to_owned).collect();
    assert!(answer.is_ok() && !cookies.is_empty(), "{answer:?}");
    cookies
}

/// Ends sessions, many with each request: a logout ends all sessions whose cookies it gets.
fn end_sessions(connection: &mut Connection) {
    for start in (0..ENDED).step_by(200) {
        let some = start..ENDED.min(start + 200);
        let cookies: Vec<_> = some.flat_map(|_| logged_in(connection)).collect();
        let answer = connection.exchange(&request("POST", "/logout", &cookies.join("; ")));
        assert!(answer.is_ok(), "{answer:?}");
        for ended in &cookies {
            let answer = connection.exchange(&request("GET", "/page", ended));
            assert!(!answer.is_ok(), "{answer:?}");
        }
    }
}
