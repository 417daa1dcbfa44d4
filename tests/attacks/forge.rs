//! What a forger has: base64url, SHA-256 and HMAC. The library's own are not used against itself.

#![allow(
    clippy::cast_possible_truncation,
    reason = "digests are made of truncations"
)]

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// base64url without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut group = [0; 4];
        group[1..=chunk.len()].copy_from_slice(chunk);
        let group = u32::from_be_bytes(group);
        for place in 0..=chunk.len() {
            let digit = group >> (18 - 6 * place) & 63;
            text.push(char::from(ALPHABET[digit as usize]));
        }
    }
    text
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    let (mut bits, mut count, mut bytes) = (0u32, 0, Vec::new());
    for char in text.bytes() {
        let digit = ALPHABET.iter().position(|known| *known == char).unwrap();
        bits = bits << 6 | u32::try_from(digit).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 255) as u8);
        }
    }
    bytes
}

/// The fractional bits of a root, as FIPS 180-4 defines its constants.
fn root_bits(prime: u32, root: u32) -> u32 {
    let wanted = u128::from(prime) << (32 * root);
    let (mut low, mut high) = (0u128, 1 << 40);
    while high - low > 1 {
        let middle = u128::midpoint(low, high);
        if middle.pow(root) <= wanted {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low & u128::from(u32::MAX)) as u32
}

pub(crate) fn sha256(message: &[u8]) -> [u8; 32] {
    let primes = || (2u32..).filter(|n| (2..*n).all(|d| n % d != 0));
    let constants: Vec<u32> = primes().take(64).map(|prime| root_bits(prime, 3)).collect();
    let mut state: Vec<u32> = primes().take(8).map(|prime| root_bits(prime, 2)).collect();
    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).next_multiple_of(64) - 8, 0);
    padded.extend((message.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks(64) {
        let mut words: Vec<u32> = block
            .chunks(4)
            .map(|word| u32::from_be_bytes(word.try_into().unwrap()))
            .collect();
        for t in 16..64 {
            let (a, b) = (words[t - 15], words[t - 2]);
            let a = a.rotate_right(7) ^ a.rotate_right(18) ^ a >> 3;
            let b = b.rotate_right(17) ^ b.rotate_right(19) ^ b >> 10;
            words.push(
                words[t - 16]
                    .wrapping_add(a)
                    .wrapping_add(words[t - 7])
                    .wrapping_add(b),
            );
        }
        let mut now = state.clone();
        for (word, constant) in words.iter().zip(&constants) {
            let (a, e) = (now[0], now[4]);
            let mix = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let one = [mix, e & now[5] ^ !e & now[6], *constant, *word]
                .into_iter()
                .fold(now[7], u32::wrapping_add);
            let mix = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let two = mix.wrapping_add(a & now[1] ^ a & now[2] ^ now[1] & now[2]);
            now.rotate_right(1);
            now[0] = one.wrapping_add(two);
            now[4] = now[4].wrapping_add(one);
        }
        for (word, more) in state.iter_mut().zip(now) {
            *word = word.wrapping_add(more);
        }
    }
    let bytes: Vec<u8> = state.into_iter().flat_map(u32::to_be_bytes).collect();
    bytes.try_into().unwrap()
}

/// HMAC-SHA-256 with a key of at most 64 bytes.
pub(crate) fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = key.to_vec();
    block.resize(64, 0);
    let padded = |pad: u8, rest: &[u8]| {
        let bytes: Vec<u8> = block
            .iter()
            .map(|byte| byte ^ pad)
            .chain(rest.iter().copied())
            .collect();
        sha256(&bytes)
    };
    padded(0x5c, &padded(0x36, message))
}

#[test]
fn the_forger_knows_the_craft() {
    // RFC 4231, test case 2; FIPS 180-4's "abc".
    let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(
        hex(&hmac(b"Jefe", b"what do ya want for nothing?")),
        expected
    );
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(hex(&sha256(b"abc")), expected);
    for bytes in [&b""[..], b"a", b"ab", b"abc", b"\xff\xfe\xfd\0"] {
        assert_eq!(decode(&encode(bytes)), bytes);
    }
    assert_eq!(encode(b"\xfb\xff"), "-_8");
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
