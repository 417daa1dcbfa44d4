//! Changed and invented cookies, by an attacker without the secret key, and by one who knows it.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha512, Sha512_256};

use crate::common::socket::{body, status};
use crate::common::{KEY, START};
use crate::forge::{FIELDS, Forger, TAG, UID_AT, decode, encode, extend, hmac, place, sha256};
use crate::{BOTH, REMEMBER, SESSION, Site, line};

fn refused(site: &Site, name: &str, value: &str, what: &str) {
    site.assert_refused(name, value, what);
}

/// The value that `value` returns, after a check that it logs in.
fn accepted(site: &Site, name: &str, value: &str) {
    let me = site.get("/me", &[&line(&[(name, value)])]);
    assert_eq!(body(&me), "alice", "{name}");
}

/// The named cookie of a new login, after a check that it logs in.
fn good(site: &Site, name: &str) -> String {
    let value = site.value(name, "alice");
    accepted(site, name, &value);
    value
}

#[test]
fn a_token_with_a_changed_bit_is_refused() {
    // T01, R4
    let site = Site::start();
    for name in BOTH {
        let token = decode(&good(&site, name));
        for bit in 0..token.len() * 8 {
            let mut forged = token.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            refused(&site, name, &encode(&forged), &format!("bit {bit}"));
        }
    }
    assert_eq!(site.users.loads(), 2, "a forged token reached the loader");
}

#[test]
fn a_cookie_with_a_changed_bit_is_refused() {
    // T01, R5: with bits that the encoding ignores, one login would have many encodings.
    let site = Site::start();
    for name in BOTH {
        let text = good(&site, name);
        for bit in 0..text.len() * 8 {
            let what = format!("bit {bit}");
            let (at, mut forged) = (bit / 8, text.clone().into_bytes());
            forged[at] ^= 1 << (bit % 8);
            let cookie = [format!("Cookie: {name}=").as_bytes(), &forged].concat();
            match forged[at] {
                // As a byte that is not UTF-8, and as the character that the byte is in Latin-1.
                128.. => {
                    site.assert_ignored(&[&cookie], &what);
                    let letter = char::from(forged[at]);
                    let forged = format!("{}{letter}{}", &text[..at], &text[at + 1..]);
                    refused(&site, name, &forged, &what);
                }
                // A line break ends the header, so it cannot be part of a cookie.
                b'\r' | b'\n' => {}
                // The server accepts no other control character in a header.
                0..=31 | 127 if forged[at] != b'\t' => {
                    assert_eq!(status(&site.server.get("/me", &[&cookie])), 400, "{what}");
                    site.assert_unharmed(&what);
                }
                _ => refused(&site, name, str::from_utf8(&forged).unwrap(), &what),
            }
        }
    }
}

#[test]
fn a_truncated_or_extended_token_is_refused() {
    // T02
    let site = Site::start();
    for name in BOTH {
        let text = good(&site, name);
        for length in 0..text.len() {
            refused(&site, name, &text[..length], &format!("length {length}"));
        }
        for more in ["A", "AAAA", "=", "==", ".", "%00", &text, &"A".repeat(900)] {
            refused(&site, name, &format!("{text}{more}"), more);
            refused(&site, name, &format!("{more}{text}"), more);
        }
    }
}

#[test]
fn each_login_has_exactly_one_encoding() {
    // R5: the same bytes in other encodings.
    let site = Site::start();
    for name in BOTH {
        let mut tried = 0;
        // One, two and three bytes more, for each remainder of the encoding.
        for user in ["a", "al", "ali"] {
            site.users.put(user);
            let text = site.value(name, user);
            let bytes = decode(&text);
            assert_eq!(encode(&bytes), text);
            let mut others = vec![format!("{text}="), format!("{text}==")];
            let (head, last) = text.split_at(text.len() - 1);
            for other in ('A'..='Z')
                .chain('a'..='z')
                .chain('0'..='9')
                .chain(['-', '_'])
            {
                if !last.starts_with(other) {
                    others.push(format!("{head}{other}"));
                }
            }
            let (start, end) = text.split_at(text.len() / 2);
            for gap in [" ", "\t", "\u{a0}", "%0A", ".", "=", "-="] {
                others.push(format!("{start}{gap}{end}"));
            }
            others.push(text.replace('-', "+").replace('_', "/") + "=");
            for other in others {
                refused(&site, name, &other, &other);
                tried += 1;
            }
            let me = site.get("/me", &[&line(&[(name, &text)])]);
            assert_eq!(body(&me), user);
        }
        assert_eq!(tried, 3 * (2 + 63 + 7 + 1));
    }
}

/// HMAC with another hash.
macro_rules! hmac_of {
    ($hash:ty, $key:expr, $message:expr) => {
        Hmac::<$hash>::new_from_slice($key)
            .unwrap()
            .chain_update($message)
            .finalize()
            .into_bytes()
            .to_vec()
    };
}

#[test]
fn a_tag_made_in_another_way_is_refused() {
    // T04, T06, T07, R3, R4
    let site = Site::of_audience("a");
    let forger = Forger::new(KEY, "a");
    for name in BOTH {
        let token = decode(&good(&site, name));
        let (signed, tag) = token.split_at(token.len() - TAG);
        let secret = data_encoding::BASE64.decode(KEY.as_bytes()).unwrap();
        let real = forger.signing_key(name);
        assert_eq!(hmac(&real, signed)[..TAG], *tag);
        let with_zero = |key: &[u8]| [key, &[0]].concat();
        let filled = |mut tag: Vec<u8>| {
            tag.resize(TAG, 0);
            tag
        };
        let other = BOTH[usize::from(name == SESSION)];
        let mut tags = vec![
            // T04
            ("zeros", vec![0; TAG]),
            ("ones", vec![255; TAG]),
            ("none", Vec::new()),
            ("its first byte", tag[..1].to_vec()),
            ("its first half", tag[..TAG / 2].to_vec()),
            ("all but its last byte", tag[..TAG - 1].to_vec()),
            ("its first half, and zeros", filled(tag[..TAG / 2].to_vec())),
            ("twice", tag.repeat(2)),
            ("the whole MAC", hmac(&real, signed)),
            (
                "the second half of the MAC",
                hmac(&real, signed)[TAG..].to_vec(),
            ),
            // T06
            ("the secret's text", hmac(KEY.as_bytes(), signed)),
            ("the secret", hmac(&secret, signed)),
            ("the secret and a zero", hmac(&with_zero(&secret), signed)),
            ("the secret's hash", hmac(&sha256(&secret), signed)),
            (
                "the hash of its text",
                hmac(&sha256(KEY.as_bytes()), signed),
            ),
            ("no key", hmac(b"", signed)),
            ("a zero", hmac(&[0], signed)),
            ("the key's hash", hmac(&sha256(&real), signed)),
            // T07
            ("SHA-1", hmac_of!(Sha1, &real, signed)),
            ("SHA-1 and zeros", filled(hmac_of!(Sha1, &real, signed))),
            ("SHA-512/256", hmac_of!(Sha512_256, &real, signed)),
            ("SHA-512", hmac_of!(Sha512, &real, signed)),
            (
                "half of SHA-512",
                hmac_of!(Sha512, &real, signed)[..TAG].to_vec(),
            ),
            ("a hash without a key", sha256(signed)),
            (
                "SHA-512/256 without a key",
                Sha512_256::digest(signed).to_vec(),
            ),
        ];
        for key in [&secret, &real] {
            tags.push(("a hash of key and payload", sha256(&[key, signed].concat())));
            tags.push(("a hash of payload and key", sha256(&[signed, key].concat())));
        }
        let realm = format!("a\n{SESSION}");
        let value_purpose = format!("value: library {}:{realm}: next", realm.len());
        // R3: every other key that the library has.
        for (purpose, cookie) in [
            ("session", other),
            ("remember", other),
            (
                if name == SESSION {
                    "remember"
                } else {
                    "session"
                },
                name,
            ),
            ("session", ""),
            ("session hash", name),
            ("protection", name),
            ("log id", ""),
            ("key id", ""),
            (&value_purpose, ""),
            ("", name),
        ] {
            tags.push((purpose, hmac(&forger.key(purpose, cookie), signed)));
        }
        for (what, mut tag) in tags {
            refused(&site, name, &encode(&[signed, &tag].concat()), what);
            // Cut to the length of a tag, as the library cuts its own.
            tag.truncate(TAG);
            if !hmac(&real, signed).starts_with(&tag) {
                refused(&site, name, &encode(&[signed, &tag].concat()), what);
            }
        }
        accepted(&site, name, &encode(&token));
    }
}

#[test]
fn a_tag_cannot_be_extended() {
    // T07: more data behind the payload, signed by a length extension of the tag.
    let site = Site::start();
    for name in BOTH {
        let token = decode(&good(&site, name));
        let (signed, tag) = token.split_at(token.len() - TAG);
        let plain = [KEY.as_bytes(), signed].concat();
        for secret in [0, 32, 44, 64] {
            for more in [&b"more"[..], b"", signed] {
                for hash in [tag, &sha256(&plain)] {
                    let (padding, tag) = extend(hash, secret + signed.len(), more);
                    let forged = [signed, &padding, more, &tag].concat();
                    refused(&site, name, &encode(&forged), "an extended hash");
                    let forged = [signed, more, &tag].concat();
                    refused(&site, name, &encode(&forged), "an extended tag");
                }
            }
        }
    }
}

#[test]
fn parts_of_two_tokens_make_no_valid_token() {
    // T05, R5
    let site = Site::start();
    for name in BOTH {
        let alice = site.value(name, "alice");
        site.clock.advance(std::time::Duration::from_secs(7));
        let bob = site.value(name, "bob");
        let texts = [&alice, &bob];
        let [alice, bob] = texts.map(|text| decode(text));
        let mut boundaries: Vec<usize> = FIELDS.iter().map(|(field, _)| place(field).end).collect();
        assert_eq!(boundaries.last(), Some(&UID_AT));
        boundaries.push(alice.len() - TAG);
        let mut forgeries = vec![
            [&bob[..bob.len() - TAG], &alice[alice.len() - TAG..]].concat(),
            [&alice[..alice.len() - TAG], &bob[bob.len() - TAG..]].concat(),
            [&alice[..UID_AT], &bob[UID_AT..]].concat(),
        ];
        for (one, other) in [(&alice, &bob), (&bob, &alice)] {
            for at in &boundaries {
                forgeries.push([&one[..*at], &other[*at..]].concat());
            }
            // One field of the other token.
            for (field, _) in FIELDS {
                let mut forged = one.clone();
                forged[place(field)].copy_from_slice(&other[place(field)]);
                forgeries.push(forged);
            }
            // The id of the other user, with its length and without.
            let tag = &one[one.len() - TAG..];
            let uid = &other[UID_AT..other.len() - TAG];
            forgeries.push([&one[..UID_AT], uid, tag].concat());
            let start = place("uid length").start;
            forgeries.push([&one[..start], &other[start..UID_AT], uid, tag].concat());
        }
        let mut tried = 0;
        for (number, forged) in forgeries.into_iter().enumerate() {
            let forged = encode(&forged);
            // Version, kind, flags and key are equal, so halves that end within them are equal too.
            if !texts.contains(&&forged) {
                refused(&site, name, &forged, &format!("forgery {number}"));
                tried += 1;
            }
        }
        assert!(tried >= 36, "{tried}");
    }
}

#[test]
fn encodings_that_other_libraries_accept_are_refused() {
    // T08, R6
    let site = Site::start();
    for name in BOTH {
        let token = decode(&good(&site, name));
        for value in [
            encode(&token[..token.len() - TAG]).as_str(),
            "alice",
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.",
            ".eJyrVkrLz1eyUkpKLFKqBQAdegQ0.aR0m5Q.Ckq9aNPcd8k8dVbTp0XQm9Yk2Zs",
            "alice|5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            "eyJ1c2VyX2lkIjoiYWxpY2UifQ",
            "{\"user_id\":\"alice\"}",
            "{\"_user_id\":\"alice\",\"_fresh\":true}",
            "O:8:\"stdClass\":1:{s:7:\"user_id\";s:5:\"alice\";}",
            "null",
            "0",
            "1",
            "",
        ] {
            refused(&site, name, value, value);
        }
    }
}

#[test]
fn another_version_or_kind_is_refused_even_when_signed() {
    // T10, T11, R6
    let site = Site::of_audience("a");
    let forger = Forger::new(KEY, "a");
    for name in BOTH {
        let token = good(&site, name);
        for version in [0, 1, 3, 128, 255] {
            let value = forger.signed(name, &token, |token| token[0] = version);
            refused(&site, name, &value, &format!("version {version}"));
        }
        let kind = decode(&token)[1];
        for other in (0..=255).filter(|other| *other != kind) {
            let value = forger.signed(name, &token, |token| token[1] = other);
            refused(&site, name, &value, &format!("kind {other}"));
            // The cookie of that kind refuses it too, since it has another key.
            if let 1 | 2 = other {
                let its_own = BOTH[usize::from(other) - 1];
                refused(&site, its_own, &value, &format!("kind {other}"));
            }
        }
    }
}

#[test]
fn a_token_of_another_shape_is_refused_even_when_signed() {
    // T15, R5
    let site = Site::of_audience("a");
    let forger = Forger::new(KEY, "a");
    for name in BOTH {
        let token = good(&site, name);
        let refuse = |what: &str, change: &dyn Fn(&mut Vec<u8>)| {
            refused(&site, name, &forger.signed(name, &token, change), what);
        };
        for length in [0, 1, 4, 6, 255, 256, 257, 0x0500, 65_535_u16] {
            refuse(&format!("uid length {length}"), &|token| {
                token[place("uid length")].copy_from_slice(&length.to_be_bytes());
            });
        }
        refuse("no uid", &|token| {
            token[place("uid length")].fill(0);
            token.truncate(UID_AT);
        });
        for bytes in [257, 300, 500] {
            refuse("a long uid", &|token| {
                let length = u16::try_from(bytes).unwrap();
                token[place("uid length")].copy_from_slice(&length.to_be_bytes());
                token.truncate(UID_AT);
                token.resize(UID_AT + bytes, b'a');
            });
        }
        // 5 and 6 announce a counter and a time that are not there; 7 is spare.
        for bit in 5..8 {
            refuse(&format!("flag {bit}"), &|token| token[2] |= 1 << bit);
        }
        for uid in [
            &b"alic\xff"[..],
            b"alic\xc3",
            b"\xed\xa0\x80ab",
            b"\xc0\x80abc",
            b"\xf5\x80\x80\x80a",
        ] {
            refuse("a uid that is no text", &|token| {
                token.splice(UID_AT.., uid.iter().copied());
            });
        }
        for more in [&b"\0"[..], b"alice", &[0; 100]] {
            refuse("trailing bytes", &|token| token.extend(more));
        }
        for length in 0..UID_AT {
            refuse(&format!("the first {length} bytes"), &|token| {
                token.truncate(length);
            });
        }
        refuse("another key's id", &|token| token[place("key id")].fill(0));
        refuse("nobody's uid", &|token| token[UID_AT] = b'm');
        refuse("another session hash", &|token| {
            token[place("session hash")].fill(0);
        });
    }
    assert_eq!(body(&site.get("/me", &[])), "anonymous");
}

#[test]
fn times_that_make_no_sense_are_refused_even_when_signed() {
    // T82, R18, R20, R21
    let site = Site::of_audience("a");
    let forger = Forger::new(KEY, "a");
    let year = 365 * 24 * 60 * 60;
    for name in BOTH {
        let token = good(&site, name);
        let with = |field: &str, time: u64| {
            forger.signed(name, &token, |token| {
                token[place(field)].copy_from_slice(&time.to_be_bytes()[3..]);
            })
        };
        let last = (1_u64 << 40) - 1;
        // A login is dated by its list, whose clock may be ahead of the server's.
        accepted(&site, name, &with("created_at", START + year));
        for field in ["auth_at", "renewed_at"] {
            accepted(&site, name, &with(field, START + 60));
            let future = [
                START + 61,
                START + year,
                u64::from(u32::MAX),
                1 << 39,
                last - 60,
                last,
            ];
            for time in future {
                refused(&site, name, &with(field, time), &format!("{field} {time}"));
            }
        }
        for time in [0, 1, START - year, START - 1, START] {
            refused(
                &site,
                name,
                &with("expires_at", time),
                &format!("expires_at {time}"),
            );
        }
        accepted(&site, name, &with("expires_at", START + 1));
        if name == SESSION {
            for time in [0, 1, START - year, START - 60 * 60] {
                refused(
                    &site,
                    name,
                    &with("renewed_at", time),
                    &format!("renewed_at {time}"),
                );
            }
            accepted(&site, name, &with("renewed_at", START - 60 * 60 + 1));
        }
    }
}

#[test]
fn a_signed_token_that_never_expires_does_no_harm() {
    // T82, R21: the largest possible times, on every path that adds to them.
    let site = Site::of_audience("a");
    let forger = Forger::new(KEY, "a");
    let endless = BOTH.map(|name| {
        forger.signed(name, &good(&site, name), |token| {
            token[place("expires_at")].fill(255);
        })
    });
    let both = line(&[(SESSION, &endless[0]), (REMEMBER, &endless[1])]);
    for now in [
        0,
        1,
        START - 3600,
        START,
        START + 10 * 365 * 86_400,
        u64::MAX - 1,
        u64::MAX,
    ] {
        site.clock.set(now);
        for headers in [
            both.clone(),
            line(&[(SESSION, &endless[0])]),
            line(&[(REMEMBER, &endless[1])]),
        ] {
            let reply = site.get("/status", &[&headers]);
            assert_eq!(status(&reply), 200, "{now}: {reply}");
            site.assert_unharmed(&now.to_string());
        }
    }
    site.clock.set(START);
    let reply = site.post("/logout", &[&both], "");
    assert_eq!(body(&reply), "logged out");
    for (name, value) in BOTH.into_iter().zip(&endless) {
        refused(&site, name, value, "after the logout");
    }
}

#[test]
fn a_long_value_is_refused_before_the_loader_runs() {
    // R13: 1,024 bytes are the limit.
    let site = Site::start();
    for name in BOTH {
        for length in [1_023, 1_024, 1_025, 4_096, 65_536] {
            refused(&site, name, &"A".repeat(length), &length.to_string());
        }
    }
    assert_eq!(site.users.loads(), 0);
}
