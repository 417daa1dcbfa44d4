//! A browser that binds its logins to a device: a software key stands for the device.

use data_encoding::BASE64URL_NOPAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use rocket::http::{Method, Status};
use rocket::{get, routes};
use rocket_login::{LoginError, LoginSession};

use super::{App, Browser, Reply, Running, User};

pub const SESSION: &str = "__Host-login_session";
pub const REMEMBER: &str = "__Host-remember_token";
pub const DEVICE: &str = "__Secure-login_device";
pub const COPY: &str = "__Secure-login_device_session";
pub const REGISTER: &str = "/login-device/register";
pub const REFRESH: &str = "/login-device/refresh";

#[get("/bound")]
async fn bound(session: LoginSession<'_, User>) -> Result<String, LoginError> {
    Ok(session.device_bound().await?.to_string())
}

/// Which logins are bound, this one first.
#[get("/logins")]
async fn logins(session: LoginSession<'_, User>) -> Result<String, LoginError> {
    let logins = session.logins().await?;
    let bound: Vec<_> = logins.iter().map(|login| login.device_bound).collect();
    Ok(format!("{bound:?}"))
}

pub fn app() -> App {
    App::new()
        .set("login.device_binding", "offer")
        .set("login.session_cookie_secure", true)
        .set("login.remember_cookie_secure", true)
        .routes(routes![bound, logins])
}

/// The key of a device.
#[derive(Clone)]
pub struct Key(SigningKey);

impl Key {
    pub fn new(byte: u8) -> Self {
        Key(SigningKey::from_slice(&[byte; 32]).unwrap())
    }

    pub fn jwk(&self) -> String {
        let point = self.0.verifying_key().to_sec1_point(false);
        let [x, y] = [&point.as_bytes()[1..33], &point.as_bytes()[33..]];
        let [x, y] = [x, y].map(|bytes| BASE64URL_NOPAD.encode(bytes));
        format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#)
    }

    /// Signs a challenge.
    pub fn proof(&self, jwk: Option<String>, challenge: &str) -> String {
        self.proof_of(jwk, &format!(r#"{{"jti":"{challenge}"}}"#))
    }

    /// Signs these claims.
    pub fn proof_of(&self, jwk: Option<String>, claims: &str) -> String {
        let jwk = jwk.map_or(String::new(), |jwk| format!(r#","jwk":{jwk}"#));
        let header = format!(r#"{{"alg":"ES256","typ":"dbsc+jwt"{jwk}}}"#);
        let [header, claims] =
            [header.as_str(), claims].map(|it| BASE64URL_NOPAD.encode(it.as_bytes()));
        let signature: Signature = self.0.sign(format!("{header}.{claims}").as_bytes());
        format!(
            "{header}.{claims}.{}",
            BASE64URL_NOPAD.encode(&signature.to_bytes())
        )
    }
}

/// A browser that binds its logins, with the key of its device.
#[derive(Clone)]
pub struct Device<'a> {
    pub browser: Browser<'a>,
    pub key: Key,
    /// The name of the binding.
    pub id: String,
}

impl<'a> Device<'a> {
    pub fn new(app: &'a Running, key: u8) -> Self {
        Device {
            browser: app.browser(),
            key: Key::new(key),
            id: String::new(),
        }
    }

    /// A browser in which alice is logged in by a bound session.
    pub fn bound(app: &'a Running) -> Self {
        Self::bound_with(app, "")
    }

    pub fn bound_with(app: &'a Running, form: &str) -> Self {
        let mut device = Self::new(app, 1);
        let reply = device.login(form);
        assert_eq!(device.register(&reply).status, Status::Ok);
        device
    }

    pub fn login(&mut self, form: &str) -> Reply {
        let reply = self.send(Method::Post, "/login", &format!("user=alice&{form}"));
        assert_eq!(reply.status, Status::SeeOther);
        reply
    }

    /// Sends a request as a browser does: the cookies of the device go to its two routes only.
    pub fn send(&mut self, method: Method, path: &str, form: &str) -> Reply {
        let is_ours = |name: &str| path.contains("-device/") || !name.contains("device");
        let mut sender = self.browser.clone();
        sender.cookies.retain(|name, _| is_ours(name));
        let hidden = self.browser.cookies.clone();
        let reply = sender.send(method, path, Some(form));
        self.browser.cookies = sender.cookies;
        for (name, value) in hidden {
            if !is_ours(&name) && reply.cookie(&name).is_none() {
                self.browser.cookies.insert(name, value);
            }
        }
        // A removal of what the request did not show.
        for cookie in reply.set_cookies() {
            if reply.removes(cookie.name()) {
                self.browser.cookies.remove(cookie.name());
            }
        }
        reply
    }

    pub fn get(&mut self, path: &str) -> Reply {
        self.send(Method::Get, path, "")
    }

    pub fn me(&mut self) -> String {
        self.get("/me").body
    }

    /// The browser drops a session cookie whose time has come.
    pub fn drop_session(&mut self) {
        assert!(self.browser.cookies.remove(SESSION).is_some());
    }

    pub fn send_proof(&mut self, path: &str, id: Option<&str>, proof: Option<&str>) -> Reply {
        let before = self.browser.headers.clone();
        for (name, value) in [
            ("Sec-Secure-Session-Id", id),
            ("Secure-Session-Response", proof),
        ] {
            if let Some(value) = value {
                self.browser.headers.push((name.into(), value.into()));
            }
        }
        let reply = self.send(Method::Post, path, "");
        self.browser.headers = before;
        if reply.status != Status::Ok {
            assert!(reply.set_cookies().is_empty(), "{reply:?}");
        }
        reply
    }

    /// Answers an offer.
    pub fn register(&mut self, offer: &Reply) -> Reply {
        let proof = self.key.proof(Some(self.key.jwk()), &challenge_of(offer));
        let reply = self.send_proof(REGISTER, None, Some(&proof));
        if reply.status == Status::Ok {
            self.id = id_of(&reply);
        }
        reply
    }

    /// Asks for a challenge.
    pub fn ask(&mut self) -> Reply {
        self.send_proof(REFRESH, Some(&self.id.clone()), None)
    }

    /// Answers a challenge.
    pub fn answer(&mut self, challenge: &Reply) -> Reply {
        let proof = self.key.proof(None, &challenge_of(challenge));
        self.send_proof(REFRESH, Some(&self.id.clone()), Some(&proof))
    }

    /// The whole refresh.
    pub fn refresh(&mut self) -> Reply {
        let challenge = self.ask();
        if challenge.status != Status::Forbidden {
            return challenge;
        }
        self.answer(&challenge)
    }
}

/// The name that a registration gives the binding.
pub fn id_of(reply: &Reply) -> String {
    let json: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    json["session_identifier"].as_str().unwrap().to_owned()
}

/// The challenge in the header of an offer or of a refresh.
pub fn challenge_of(reply: &Reply) -> String {
    find_challenge(reply).unwrap()
}

pub fn find_challenge(reply: &Reply) -> Option<String> {
    let text = match reply.header("Secure-Session-Registration") {
        Some(offer) => offer.split("challenge=\"").nth(1)?,
        None => &reply.header("Secure-Session-Challenge")?[1..],
    };
    text.split('"').next().map(str::to_owned)
}

/// The browser of somebody who has copied what is in this one, but not the key of its device.
pub fn thief<'a>(device: &Device<'a>) -> Device<'a> {
    Device {
        key: Key::new(99),
        ..device.clone()
    }
}
