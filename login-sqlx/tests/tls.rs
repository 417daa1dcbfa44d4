//! TLS to a real PostgreSQL.
//!
//! Without PostgreSQL these tests print how to install it, and pass. If `LOGIN_STORES` is `required`, they fail.

use std::path::Path;

use login_engines::{Certificate, Postgres};
use login_sqlx::{SqlLog, migrate};
use rocket_login::store::RevocationLog as _;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// A server with a certificate, and how to connect to it with TLS.
fn start(certificate: &Certificate) -> Option<(Postgres, PgConnectOptions)> {
    let [chain, key] = [certificate.certificate(), certificate.key()];
    let server = Postgres::start(&[
        "ssl=on",
        &format!("ssl_cert_file={}", chain.display()),
        &format!("ssl_key_file={}", key.display()),
    ])?;
    let options: PgConnectOptions = server.database().parse().unwrap();
    Some((server, options.ssl_mode(PgSslMode::VerifyFull)))
}

fn trusting(options: &PgConnectOptions, authority: &Path) -> PgPool {
    PgPool::connect_lazy_with(options.clone().ssl_root_cert(authority))
}

#[rocket::async_test]
async fn a_certificate_of_a_known_authority_is_accepted() {
    let certificate = Certificate::new();
    let Some((server, options)) = start(&certificate) else {
        return;
    };
    let pool = trusting(&options, &certificate.authority());
    migrate(&pool).await.unwrap();
    SqlLog::new(&pool).snapshot(&mut |_| ()).await.unwrap();
    let is_encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let is_encrypted: bool = sqlx::query_scalar(is_encrypted)
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(is_encrypted);
    drop(server);
}

#[rocket::async_test]
async fn a_certificate_that_is_not_trusted_is_refused_with_the_fix() {
    let certificate = Certificate::new();
    let Some((server, options)) = start(&certificate) else {
        return;
    };
    for pool in [
        // The authorities of the operating system.
        PgPool::connect_lazy_with(options.clone()),
        trusting(&options, &Certificate::new().authority()),
        // The certificate is for another name.
        trusting(&options.clone().host("localhost"), &certificate.authority()),
    ] {
        for error in [
            migrate(&pool).await.unwrap_err().to_string(),
            SqlLog::new(&pool)
                .snapshot(&mut |_| ())
                .await
                .unwrap_err()
                .to_string(),
        ] {
            assert!(error.contains("invalid peer certificate"), "{error}");
            assert!(error.contains("`sslrootcert`"), "{error}");
        }
    }
    drop(server);
}

#[rocket::async_test]
async fn a_server_without_tls_is_refused_where_tls_is_wanted() {
    let Some(server) = Postgres::start(&[]) else {
        return;
    };
    let options: PgConnectOptions = server.database().parse().unwrap();
    let pool = PgPool::connect_lazy_with(options.ssl_mode(PgSslMode::VerifyFull));
    let error = migrate(&pool).await.unwrap_err().to_string();
    assert!(error.contains("server does not support TLS"), "{error}");
}
