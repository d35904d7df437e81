//! The handshake (RTMP 1.0 §5.2), and the digests that Flash Player 9 brought to it.
//!
//! A publisher whose C1 carries a digest gets an S1 and S2 with digests: Flash and some hardware encoders
//! insist on them. Any other gets the plain echo. What a peer echoes is not compared, as no server does.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::Error;

const VERSION: u8 = 3;

/// Bytes of C1, S1, C2 and S2 each.
const PACKET: usize = 1536;

const DIGEST: usize = 32;

const PLAYER_KEY: &[u8] = b"Genuine Adobe Flash Player 001";

/// The server's key; the first 36 bytes sign S1, all of them S2.
const SERVER_KEY: &[u8] = b"Genuine Adobe Flash Media Server 001\
    \xf0\xee\xc2\x4a\x80\x68\xbe\xe8\x2e\x00\xd0\xd1\x02\x9e\x7e\x57\
    \x6e\xec\x5d\x2d\x29\x80\x6f\xab\x93\xb8\xe6\x36\xcf\xeb\x31\xae";

const SERVER_KEY_TEXT: usize = 36;

/// Takes C0 and C1 from `input` and appends S0, S1 and S2, or returns `false` until both are there.
pub(crate) fn answer(input: &mut &[u8], out: &mut Vec<u8>) -> Result<bool, Error> {
    let Some((&found, rest)) = input.split_first() else { return Ok(false) };
    if found != VERSION {
        return Err(Error::Version { found });
    }
    let Some((c1, rest)) = rest.split_first_chunk::<PACKET>() else { return Ok(false) };
    *input = rest;
    out.push(VERSION);
    match Scheme::ALL.into_iter().find(|scheme| scheme.is_signed(c1)) {
        Some(scheme) => signed_answer(scheme, c1, out),
        None => {
            out.extend_from_slice(&filler([0; 4]));
            out.extend_from_slice(c1);
        }
    }
    Ok(true)
}

/// Takes C2 from `input`, or returns `false` until it is there.
pub(crate) fn finish(input: &mut &[u8]) -> bool {
    let Some((_, rest)) = input.split_first_chunk::<PACKET>() else { return false };
    *input = rest;
    true
}

/// Appends C0 and C1.
pub(crate) fn ask(out: &mut Vec<u8>) {
    out.push(VERSION);
    out.extend_from_slice(&filler([0; 4]));
}

/// Takes S0, S1 and S2 from `input` and appends C2, or returns `false` until all are there.
pub(crate) fn confirm(input: &mut &[u8], out: &mut Vec<u8>) -> Result<bool, Error> {
    let Some((&found, rest)) = input.split_first() else { return Ok(false) };
    if found != VERSION {
        return Err(Error::Version { found });
    }
    let Some((s1, rest)) = rest.split_first_chunk::<PACKET>() else { return Ok(false) };
    let Some((_, rest)) = rest.split_first_chunk::<PACKET>() else { return Ok(false) };
    *input = rest;
    out.extend_from_slice(s1);
    Ok(true)
}

/// A packet of time 0, a version, and bytes that the standard calls random: nothing rests on them.
fn filler(version: [u8; 4]) -> [u8; PACKET] {
    let mut packet = [0; PACKET];
    packet[4..8].copy_from_slice(&version);
    for (at, byte) in packet.iter_mut().enumerate().skip(8) {
        *byte = (at.wrapping_mul(167) >> 3) as u8;
    }
    packet
}

fn signed_answer(scheme: Scheme, c1: &[u8; PACKET], out: &mut Vec<u8>) {
    // A version of at least 3.0 says that the digests are there.
    let mut s1 = filler([5, 0, 0, 1]);
    let at = scheme.digest_at(&s1);
    let digest = hmac(&SERVER_KEY[..SERVER_KEY_TEXT], &[&s1[..at], &s1[at + DIGEST..]]);
    s1[at..at + DIGEST].copy_from_slice(&digest);
    out.extend_from_slice(&s1);

    let at = scheme.digest_at(c1);
    let key = hmac(SERVER_KEY, &[&c1[at..at + DIGEST]]);
    let mut s2 = filler([0; 4]);
    let (text, signature) = s2.split_at_mut(PACKET - DIGEST);
    signature.copy_from_slice(&hmac(&key, &[text]));
    out.extend_from_slice(&s2);
}

/// Where a packet keeps its digest: after the four bytes that say where, in one of two places.
#[derive(Clone, Copy)]
struct Scheme {
    offset_at: usize,
}

impl Scheme {
    const ALL: [Self; 2] = [Self { offset_at: 8 }, Self { offset_at: 772 }];

    fn digest_at(self, packet: &[u8; PACKET]) -> usize {
        let offset = &packet[self.offset_at..self.offset_at + 4];
        let sum: usize = offset.iter().map(|&byte| usize::from(byte)).sum();
        self.offset_at + 4 + sum % 728
    }

    fn is_signed(self, packet: &[u8; PACKET]) -> bool {
        let at = self.digest_at(packet);
        packet[at..at + DIGEST] == hmac(PLAYER_KEY, &[&packet[..at], &packet[at + DIGEST..]])
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; DIGEST] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC should take a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed_c1(scheme: Scheme) -> [u8; PACKET] {
        let mut c1 = filler([9, 0, 124, 2]);
        let at = scheme.digest_at(&c1);
        let digest = hmac(PLAYER_KEY, &[&c1[..at], &c1[at + DIGEST..]]);
        c1[at..at + DIGEST].copy_from_slice(&digest);
        c1
    }

    #[test]
    fn a_plain_c1_is_echoed() {
        let mut asked = Vec::new();
        ask(&mut asked);
        let mut answered = Vec::new();
        assert_eq!(answer(&mut asked.as_slice(), &mut answered), Ok(true));
        assert_eq!(answered.len(), 1 + 2 * PACKET);
        assert_eq!(answered[1 + PACKET..], asked[1..]);
        let mut c2 = Vec::new();
        assert_eq!(confirm(&mut answered.as_slice(), &mut c2), Ok(true));
        assert_eq!(c2, answered[1..=PACKET]);
        assert!(finish(&mut c2.as_slice()));
    }

    #[test]
    fn a_signed_c1_gets_signed_answers_in_its_own_scheme() {
        for scheme in Scheme::ALL {
            let c1 = signed_c1(scheme);
            let mut answered = Vec::new();
            let asked = [&[VERSION], &c1[..]].concat();
            assert_eq!(answer(&mut asked.as_slice(), &mut answered), Ok(true));
            let s1: &[u8; PACKET] = answered[1..].first_chunk().unwrap();
            let s2 = &answered[1 + PACKET..];
            let at = scheme.digest_at(s1);
            let expected = hmac(&SERVER_KEY[..36], &[&s1[..at], &s1[at + DIGEST..]]);
            assert_eq!(s1[at..at + DIGEST], expected);
            let at = scheme.digest_at(&c1);
            let key = hmac(SERVER_KEY, &[&c1[at..at + DIGEST]]);
            assert_eq!(s2[PACKET - DIGEST..], hmac(&key, &[&s2[..PACKET - DIGEST]]));
        }
    }

    /// The four bytes before it say where a digest lies, in each of the two places where it may.
    #[test]
    fn a_digest_lies_where_the_sum_of_four_bytes_says() {
        for (offset, digests_at) in [
            ([0; 4], [12, 776]),
            ([1, 2, 3, 4], [22, 786]),
            ([255, 255, 217, 0], [739, 1503]),
            ([255, 255, 217, 1], [12, 776]),
            ([255; 4], [304, 1068]),
        ] {
            let mut packet = [0; PACKET];
            packet[8..12].copy_from_slice(&offset);
            packet[772..776].copy_from_slice(&offset);
            assert_eq!(Scheme::ALL.map(|scheme| scheme.digest_at(&packet)), digests_at, "{offset:?}");
        }
    }

    /// RFC 4231 §4.3: the second test case.
    #[test]
    fn a_digest_is_the_hmac_of_all_parts_one_after_the_other() {
        let expected = [
            0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7,
            0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43,
        ];
        assert_eq!(hmac(b"Jefe", &[b"what do ya want ", b"for nothing?"]), expected);
    }

    /// Flash looks for digests where a version is given, and for none where it is 0.
    #[test]
    fn the_version_of_an_answer_says_whether_it_is_signed() {
        for (c1, version) in [(filler([0; 4]), [0; 4]), (signed_c1(Scheme::ALL[0]), [5, 0, 0, 1])] {
            let (asked, mut answered) = ([&[VERSION], &c1[..]].concat(), Vec::new());
            assert_eq!(answer(&mut asked.as_slice(), &mut answered), Ok(true));
            assert_eq!((&answered[1..5], &answered[5..9]), (&[0; 4][..], &version[..]));
        }
    }

    #[test]
    fn another_version_is_refused_at_its_first_byte() {
        assert_eq!(answer(&mut &b"GET / HTTP/1.1"[..], &mut Vec::new()), Err(Error::Version { found: b'G' }));
        assert_eq!(answer(&mut &[3, 0][..], &mut Vec::new()), Ok(false));
    }
}
