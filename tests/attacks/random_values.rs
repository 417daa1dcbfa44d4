//! Random values as cookies: thousands in every run, a million in the long one (`ATTACKS_LONG=1`).

use crate::common::socket::body;
use crate::common::witness;
use crate::forge::encode;
use crate::{BOTH, SESSION, Site, line, removals};

#[test]
fn random_values_log_nobody_in() {
    // T20, R49
    let long = std::env::var_os("ATTACKS_LONG").is_some();
    let values = if long { 1_000_000 } else { 20_000 };
    let site = Site::start();
    let real = site.session("alice");
    assert!(site.is_ours(&real));
    let loads = site.users.loads();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut at_first, mut ours) = (0, 0);
    for number in 0..values {
        let length = 1 + random.below(600);
        let value: String = match number % 3 {
            0 => {
                let mut bytes: Vec<u8> = (0..length).map(|_| random.byte()).collect();
                // A valid version, kind and key id, so that the tag decides.
                for (byte, real) in bytes.iter_mut().zip(&crate::forge::decode(&real)[..7]) {
                    *byte = *real;
                }
                encode(&bytes)
            }
            1 => encode(&(0..length).map(|_| random.byte()).collect::<Vec<_>>()),
            _ => (0..length)
                .map(|_| char::from(33 + u8::try_from(random.below(94)).unwrap()))
                .map(|char| if char == ';' { ':' } else { char })
                .collect(),
        };
        let name = BOTH[number % 2];
        let me = site.get("/me", &[&line(&[(name, &value)])]);
        assert_eq!(body(&me), "anonymous", "{name}={value}");
        // Only what has our version, a kind of ours and our key id is ours to remove.
        let removed: &[_] = if site.is_ours(&value) { &[name] } else { &[] };
        assert_eq!(removals(&me), removed, "{name}={value}");
        ours += removed.len();
        // Often, because each check clears the log.
        if number % 1_000 == 0 {
            witness::assert_innocent(&format!("{number} values"));
        }
        if number == values / 10 {
            at_first = resident();
        }
    }
    assert!(ours * 4 > values, "{ours} of {values}");
    assert_eq!(site.users.loads(), loads, "a forged id reached the loader");
    assert_eq!(site.me(&[&line(&[(SESSION, &real)])]), "alice");
    let grown = resident().saturating_sub(at_first);
    println!("{values} values, {at_first} KiB at first, {grown} KiB more at the end");
    // In a short run other tests use memory of this process at the same time.
    assert!(!long || grown < 8 << 10, "{grown} KiB more");
}

/// How much memory this process uses, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1))
        .and_then(|kib| kib.parse().ok())
        .unwrap_or(0)
}

/// xorshift64: the same values in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }
}
