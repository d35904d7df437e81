use super::*;

const IPV4: [u8; 12] = [192, 0, 2, 1, 198, 51, 100, 2, 0x1f, 0x90, 0x07, 0x8f];

fn header(version_command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&SIGNATURE[..], &[version_command, family], &length, body].concat()
}

fn tlv(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[kind][..], &u16::try_from(value.len()).unwrap().to_be_bytes(), value].concat()
}

/// A header with a checksum of it at the end, and an extension before.
fn with_checksum(change: impl Fn(u32) -> u32) -> Vec<u8> {
    let body = [&IPV4[..], &tlv(0x04, b"pad"), &tlv(0x03, &[0; 4])].concat();
    let mut header = header(0x21, 0x11, &body);
    let checksum = change(crc32c::crc32c(&header));
    let at = header.len() - 4;
    header[at..].copy_from_slice(&checksum.to_be_bytes());
    header
}

fn source(bytes: &[u8]) -> Result<Option<String>, Error> {
    let (header, length) = read(bytes)?.expect("the header should be whole");
    assert_eq!(length, bytes.len());
    assert_eq!(header.source.is_some(), header.destination.is_some());
    Ok(header.source.map(|source| source.to_string()))
}

#[test]
fn addresses_of_both_families_are_read() {
    let header4 = header(0x21, 0x11, &IPV4);
    assert_eq!(source(&header4), Ok(Some("192.0.2.1:8080".into())));
    assert_eq!(read(&header4).unwrap().unwrap().0.destination, Some("198.51.100.2:1935".parse().unwrap()));
    let [from, to] = ["2001:db8::1", "2001:db8::2"].map(|text| text.parse::<Ipv6Addr>().unwrap().octets());
    let body = [&from[..], &to, &[0x1f, 0x90, 0x07, 0x8f]].concat();
    assert_eq!(source(&header(0x21, 0x21, &body)), Ok(Some("[2001:db8::1]:8080".into())));
}

#[test]
fn what_follows_the_header_is_left() {
    let bytes = [&header(0x21, 0x11, &IPV4)[..], &[3; 1_537]].concat();
    assert_eq!(read(&bytes).unwrap().unwrap().1, 28);
}

#[test]
fn the_proxys_own_connections_and_unspecified_ones_name_nobody() {
    for (version_command, family, body) in [
        (0x20, 0x00, &[][..]),
        (0x20, 0x11, &IPV4),
        (0x20, 0x11, &IPV4[..3]),
        (0x20, 0x32, &[0x02, 0xff]),
        (0x21, 0x00, &[]),
        // Anything may follow, as long as it is skipped.
        (0x21, 0x00, &[0xff; 7]),
    ] {
        let header = header(version_command, family, body);
        assert_eq!(source(&header), Ok(None), "{version_command:#x} {family:#x}");
        let (Header { is_local, .. }, _) = read(&header).unwrap().unwrap();
        assert_eq!(is_local, version_command == 0x20);
    }
}

#[test]
fn every_part_of_a_header_needs_more() {
    let whole = with_checksum(|checksum| checksum);
    for length in 0..whole.len() {
        assert_eq!(read(&whole[..length]), Ok(None), "{length}");
    }
    assert!(read(&whole).unwrap().is_some());
}

#[test]
fn other_protocols_are_refused_at_their_first_byte() {
    for (bytes, at) in [
        (&b"\x03"[..], 0),
        (b"\x16\x03\x01", 0),
        (b"PROXY TCP4 192.0.2.1 198.51.100.2 8080 1935\r\n", 0),
        (b"\r\n\r\n\0\r\nQUIX", 10),
        (b"\r\n\r\n\r", 4),
    ] {
        assert_eq!(read(bytes), Err(Error::Signature { at, found: bytes[at] }));
    }
}

#[test]
fn what_the_document_does_not_allow_is_refused_as_soon_as_it_shows() {
    for found in [0x00, 0x11, 0x22, 0x2f, 0x31, 0xff] {
        assert_eq!(read(&header(found, 0x11, &IPV4)[..13]), Err(Error::VersionCommand { found }));
    }
    // UDP, UNIX sockets, a family without a protocol, one that is not assigned.
    for found in [0x12, 0x22, 0x31, 0x32, 0x10, 0x01, 0x41, 0xff] {
        assert_eq!(read(&header(0x21, found, &IPV4)[..14]), Err(Error::Family { found }));
    }
    assert_eq!(read(&header(0x21, 0x11, &IPV4[..11])[..16]), Err(Error::Addresses { bytes: 11, needed: 12 }));
    assert_eq!(read(&header(0x21, 0x21, &[0; 35])[..16]), Err(Error::Addresses { bytes: 35, needed: 36 }));
    let long = header(0x21, 0x11, &[0; MAX_BYTES - FIXED_BYTES + 1]);
    assert_eq!(read(&long[..16]), Err(Error::TooLong { bytes: MAX_BYTES + 1 }));
}

#[test]
fn extensions_have_to_fill_the_header() {
    let with = |extensions: &[u8]| header(0x21, 0x11, &[&IPV4[..], extensions].concat());
    let longest = tlv(0x20, &vec![7; MAX_BYTES - FIXED_BYTES - IPV4.len() - 3]);
    for extensions in
        [&tlv(0xe0, b"")[..], &tlv(0x02, b"example.com"), &[tlv(1, b"a"), tlv(5, b"b")].concat(), &longest]
    {
        assert!(source(&with(extensions)).is_ok(), "{extensions:?}");
    }
    let half = [&tlv(1, b"a")[..], &[0x02, 0]].concat();
    for (extensions, at) in
        [(&[0x02][..], 28), (&[0x02, 0, 2, 7], 28), (&half, 32), (&[0x02, 0xff, 0xff, 0], 28)]
    {
        assert_eq!(read(&with(extensions)), Err(Error::Extension { at }), "{extensions:?}");
    }
}

#[test]
fn a_checksum_has_to_be_right() {
    assert_eq!(source(&with_checksum(|checksum| checksum)), Ok(Some("192.0.2.1:8080".into())));
    assert_eq!(read(&with_checksum(|checksum| checksum ^ 1)), Err(Error::Checksum { at: 34 }));
    let mut changed = with_checksum(|checksum| checksum);
    changed[16] = 193;
    assert_eq!(read(&changed), Err(Error::Checksum { at: 34 }));
    for length in [0, 3, 5, 9] {
        let body = [&IPV4[..], &tlv(0x03, &vec![0; length])].concat();
        assert_eq!(read(&header(0x21, 0x11, &body)), Err(Error::Checksum { at: 28 }), "{length}");
    }
}

#[test]
fn no_bytes_make_it_fail_otherwise() {
    let whole = with_checksum(|checksum| checksum);
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut changed = whole.clone();
            changed[at] ^= 1 << bit;
            // A change of the length may leave it unfinished. Another command makes it the proxy's own, another type of
            // extension leaves it without a checksum.
            let is_taken = (at, bit) == (12, 0) || at == 34;
            assert_eq!(matches!(read(&changed), Ok(Some(_))), is_taken, "byte {at}, bit {bit}");
        }
    }
}
