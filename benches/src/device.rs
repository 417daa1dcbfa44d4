//! A login that is bound to a device: a key in software stands for the device.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use rocket::http::{Cookie, Header};
use rocket::local::asynchronous::{Client, LocalRequest, LocalResponse};

use crate::scene::{PAGE, REFRESH, from_browser};

const REGISTER: &str = "/login-device/register";

/// What a browser sends to prove its device. The clock stands still, so the same proof counts each time.
#[derive(Debug)]
pub(crate) struct Proven {
    pub(crate) cookies: Vec<Cookie<'static>>,
    id: String,
    proof: String,
}

impl Proven {
    /// Logs a user in, binds the login, and answers the challenge of a refresh.
    pub(crate) async fn new(client: &Client) -> Self {
        let key = SigningKey::from_slice(&[1; 32]).expect("a key");
        let login = from_browser(client.post(PAGE), &[]).dispatch().await;
        let proof = sign(&key, true, quoted(&login, "Secure-Session-Registration", 1));
        let request = from_browser(client.post(REGISTER), &cookies(&login));
        let proof = Header::new("secure-session-response", proof);
        let bound = request.header(proof).dispatch().await;
        let cookies = cookies(&bound);
        let json = bound
            .into_string()
            .await
            .expect("the answer of a registration");
        let id = nth_quoted(&json, 1).to_owned();
        let mut proven = Proven {
            cookies,
            id,
            proof: String::new(),
        };
        let request = from_browser(client.post(REFRESH), &proven.cookies);
        let asked = proven.add_to(request).dispatch().await;
        proven.proof = sign(&key, false, quoted(&asked, "Secure-Session-Challenge", 0));
        proven
    }

    pub(crate) fn add_to<'c>(&self, mut request: LocalRequest<'c>) -> LocalRequest<'c> {
        request.add_header(Header::new("sec-secure-session-id", self.id.clone()));
        if !self.proof.is_empty() {
            request.add_header(Header::new("secure-session-response", self.proof.clone()));
        }
        request
    }
}

fn cookies(response: &LocalResponse<'_>) -> Vec<Cookie<'static>> {
    let set = response
        .cookies()
        .iter()
        .filter(|cookie| !cookie.value().is_empty());
    set.map(|cookie| Cookie::new(cookie.name().to_owned(), cookie.value().to_owned()))
        .collect()
}

fn quoted<'r>(response: &'r LocalResponse<'_>, header: &str, n: usize) -> &'r str {
    nth_quoted(response.headers().get_one(header).expect("a challenge"), n)
}

/// The `n`th text between quotes.
fn nth_quoted(text: &str, n: usize) -> &str {
    text.split('"')
        .nth(2 * n + 1)
        .expect("a text between quotes")
}

fn sign(key: &SigningKey, is_registration: bool, challenge: &str) -> String {
    let point = key.verifying_key().to_sec1_point(false);
    let [x, y] = [1..33, 33..65].map(|half| BASE64_URL_SAFE_NO_PAD.encode(&point.as_bytes()[half]));
    let jwk = if is_registration {
        format!(r#","jwk":{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#)
    } else {
        String::new()
    };
    let parts = [
        format!(r#"{{"alg":"ES256","typ":"dbsc+jwt"{jwk}}}"#),
        format!(r#"{{"jti":"{challenge}"}}"#),
    ];
    let signed = parts
        .map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.as_bytes()))
        .join(".");
    let signature: Signature = key.sign(signed.as_bytes());
    format!(
        "{signed}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes())
    )
}
