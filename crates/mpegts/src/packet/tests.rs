use super::*;

/// Cuts `size` bytes of payload and checks every rule of a packet; returns the packets.
fn cut(pieces: &[&'static [u8]], first: FirstPacket) -> Vec<[u8; PACKET_SIZE]> {
    let mut packetizer = Packetizer::default();
    packetizer.segments().extend(pieces.iter().map(|piece| Segment::Lent(piece)));
    let size = pieces.iter().map(|piece| piece.len() as u64).sum();
    packetizer.begin(0x100, size, first);
    let mut continuity = 14;
    // Room for one packet, then for many: a full block stops anywhere.
    let mut stream = Vec::with_capacity(PACKET_SIZE);
    packetizer.write(&mut stream, &mut continuity);
    assert_eq!(stream.len(), PACKET_SIZE);
    stream.reserve_exact(PACKET_SIZE * 10);
    packetizer.write(&mut stream, &mut continuity);
    assert!(packetizer.is_done());
    let (packets, rest) = stream.as_chunks::<PACKET_SIZE>();
    assert!(rest.is_empty());
    let packets = packets.to_vec();
    assert_eq!(packets.len() as u64, packet_count(size, first), "the count told before");
    packets
}

/// The payload of packets, each taken apart by hand.
fn payload(packets: &[[u8; PACKET_SIZE]]) -> Vec<u8> {
    let mut payload = Vec::new();
    for (index, packet) in packets.iter().enumerate() {
        assert_eq!(packet[0], 0x47);
        assert_eq!(packet[1..3], [if index == 0 { 0x41 } else { 0x01 }, 0x00]);
        assert_eq!(usize::from(packet[3] & 0x0f), (15 + index) % 16);
        let start = if packet[3] & 0x20 == 0 { 4 } else { 5 + usize::from(packet[4]) };
        payload.extend_from_slice(&packet[start..]);
    }
    payload
}

#[test]
fn every_size_around_a_packet_s_capacity_comes_out_whole() {
    static BYTES: [u8; 600] = {
        let mut bytes = [0; 600];
        let mut index = 0;
        while index < 600 {
            bytes[index] = index as u8;
            index += 1;
        }
        bytes
    };
    let kinds = [
        FirstPacket::default(),
        FirstPacket { random_access: true, pcr_90khz: None },
        FirstPacket { random_access: true, pcr_90khz: Some(1) },
    ];
    for first in kinds {
        for size in 1..BYTES.len() {
            let packets = cut(&[&BYTES[..size]], first);
            assert_eq!(payload(&packets), BYTES[..size], "{size} bytes");
            let (head, tail) = BYTES[..size].split_at(size / 3);
            assert_eq!(cut(&[head, &[], tail], first), packets, "{size} bytes in three segments");
        }
    }
}

#[test]
fn stuffing_of_one_byte_is_a_field_without_flags() {
    static BYTES: [u8; 183] = [7; 183];
    let packets = cut(&[&BYTES], FirstPacket::default());
    assert_eq!(packets[0][3..6], [0x3f, 0, 7]);
}

#[test]
fn a_clock_reference_is_written_in_33_bits() {
    let packets =
        cut(&[&[1]], FirstPacket { random_access: false, pcr_90khz: Some((1 << 33) + 0x1_2345_6789) });
    let base = 0x1_2345_6789_u64;
    let field = [
        0x10,
        (base >> 25) as u8,
        (base >> 17) as u8,
        (base >> 9) as u8,
        (base >> 1) as u8,
        ((base & 1) << 7) as u8 | 0x7e,
        0,
    ];
    assert_eq!(packets[0][5..12], field);
    let alone = pcr_packet(0x101, 5, 0x1_2345_6789);
    assert_eq!(alone[..6], [0x47, 0x01, 0x01, 0x25, 183, 0x10]);
    assert_eq!(alone[6..12], field[1..]);
    assert!(alone[12..].iter().all(|&byte| byte == 0xff));
}
