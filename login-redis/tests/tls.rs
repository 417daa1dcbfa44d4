//! TLS to a real Redis.
//!
//! Without Redis these tests print how to install it, and pass. If `LOGIN_STORES` is `required`, they fail.

use std::fs;
use std::path::Path;

use login_engines::{Certificate, Redis, free_port};
use login_redis::RedisLog;
use login_redis::redis::{Client, TlsCertificates};
use rocket_login::store::{RevocationError, RevocationLog as _};
use rocket_login::testing::store::logout;

/// A server that listens for TLS at a port of its own.
struct Site {
    redis: Redis,
    port: u16,
}

impl Site {
    fn start(certificate: &Certificate) -> Option<Self> {
        let port = free_port();
        let files = [
            certificate.certificate(),
            certificate.key(),
            certificate.authority(),
        ];
        let [certificate, key, authority] = files.map(|file| file.display().to_string());
        let redis = Redis::start(&[
            "--tls-port",
            &port.to_string(),
            "--tls-cert-file",
            &certificate,
            "--tls-key-file",
            &key,
            "--tls-ca-cert-file",
            &authority,
            "--tls-auth-clients",
            "no",
        ])?;
        Some(Site { redis, port })
    }

    fn log(&self, host: &str, authority: &Path) -> RedisLog {
        let certificates = TlsCertificates {
            client_tls: None,
            root_cert: Some(fs::read(authority).unwrap()),
        };
        let url = format!("rediss://{host}:{}/", self.port);
        RedisLog::from_client(Client::build_with_tls(url, certificates).unwrap())
    }
}

async fn read(log: &RedisLog) -> Result<(), RevocationError> {
    let position = log.snapshot(&mut |_| ()).await?;
    log.append(&position.epoch, &logout()).await?;
    Ok(())
}

async fn refusal(log: &RedisLog) -> String {
    read(log).await.unwrap_err().to_string()
}

#[rocket::async_test]
async fn a_certificate_of_a_known_authority_is_accepted() {
    let certificate = Certificate::new();
    let Some(site) = Site::start(&certificate) else {
        return;
    };
    read(&site.log("127.0.0.1", &certificate.authority()))
        .await
        .unwrap();
    assert_eq!(site.redis.ask(&["XLEN", "{rocket_login}:log"]), "1");
}

#[rocket::async_test]
async fn a_certificate_that_is_not_trusted_is_refused_with_the_fix() {
    let certificate = Certificate::new();
    let Some(site) = Site::start(&certificate) else {
        return;
    };
    let url = format!("rediss://app:S3cret@127.0.0.1:{}/", site.port);
    for log in [
        // The authorities of the operating system.
        RedisLog::open(&url).unwrap(),
        site.log("127.0.0.1", &Certificate::new().authority()),
        // The certificate is for another name.
        site.log("localhost", &certificate.authority()),
    ] {
        let error = refusal(&log).await;
        assert!(error.contains("invalid peer certificate"), "{error}");
        assert!(error.contains("`SSL_CERT_FILE`"), "{error}");
        assert!(!error.contains("S3cret"), "{error}");
    }
    assert_eq!(site.redis.ask(&["DBSIZE"]), "0");
}

#[rocket::async_test]
async fn tls_at_a_port_without_it_and_no_tls_at_one_with_it_say_which_scheme_to_check() {
    let certificate = Certificate::new();
    let Some(site) = Site::start(&certificate) else {
        return;
    };
    for url in [
        format!("rediss://127.0.0.1:{}/", site.redis.port()),
        format!("redis://127.0.0.1:{}/", site.port),
    ] {
        let error = refusal(&RedisLog::open(&url).unwrap()).await;
        assert!(error.contains("cannot be reached"), "{error}");
        assert!(error.contains("`rediss://`"), "{error}");
    }
}
