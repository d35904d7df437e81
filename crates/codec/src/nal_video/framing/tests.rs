use super::*;

const AUD: &[u8] = &[0x09, 0xf0];
const IDR: &[u8] = &[0x65, 0x88, 0x84, 0x21];
const P: &[u8] = &[0x41, 0x9a, 0x12];

fn lengths(size: usize, units: &[&[u8]]) -> Vec<u8> {
    let length = |unit: &[u8]| (unit.len() as u32).to_be_bytes()[4 - size..].to_vec();
    units.iter().flat_map(|unit| [length(unit), unit.to_vec()].concat()).collect()
}

#[track_caller]
fn check(payload: &[u8], expected: Framing, framing: Framing, units: &[&[u8]], stray: &[u8]) {
    let message = Message::read(NalCodec::H264, payload, expected).unwrap();
    assert_eq!((message.framing, message.stray), (framing, stray), "{payload:02x?}");
    assert_eq!(message.units().collect::<Vec<_>>(), units, "{payload:02x?}");
}

#[test]
fn a_length_that_looks_like_a_start_code_is_one_where_it_leads_to_a_slice() {
    // 00 00 01 is a start code too, and what follows may begin a NAL unit: SEI, or a slice.
    for (size, expected) in
        [(0x106, Framing::StartCodes), (0x106, Framing::Lengths(4)), (0x141, Framing::Lengths(4))]
    {
        let long = [&[0x65, 0x88][..], &vec![0x84; size - 2]].concat();
        for stray in [&[][..], &[0xff; 3], &[0xff; 7]] {
            let one = [&lengths(4, &[&long]), stray].concat();
            let two = [&lengths(4, &[&long, P]), stray].concat();
            check(&one, expected, Framing::Lengths(4), &[&long], stray);
            check(&two, expected, Framing::Lengths(4), &[&long, P], stray);
        }
        let nested = lengths(4, &[&[&[0, 0, 0, 1], &long[4..]].concat()]);
        let framing = Framing::StartCodesInLengths(4);
        check(&nested, Framing::Lengths(4), framing, &[&long[4..]], &[]);
        check(&nested, framing, framing, &[&long[4..]], &[]);
    }
}

#[test]
fn lengths_with_many_stray_bytes_behind_them_are_chance() {
    // 00 00 01 06 begins SEI in a byte stream, and is the length of what looks like a slice.
    let slice = [&[0x65, 0x88][..], &[0x84; 0x104]].concat();
    let payload = |stray: usize| [lengths(4, &[&slice]), vec![0xff; stray]].concat();
    let few = payload(MAX_USUAL_STRAY);
    check(&few, Framing::Lengths(4), Framing::Lengths(4), &[&slice], &[0xff; MAX_USUAL_STRAY]);
    let many = payload(MAX_USUAL_STRAY + 1);
    check(&many, Framing::Lengths(4), Framing::StartCodes, &[&many[3..]], &[]);
}

#[test]
fn start_codes_stay_start_codes_though_they_look_like_lengths() {
    // 00 00 01 41 is a length too, which leads to the end.
    let long = [&[0x41, 0x9a][..], &[0x84; 0x140]].concat();
    let stream = [&[0, 0, 1][..], &long].concat();
    check(&stream, Framing::StartCodes, Framing::StartCodes, &[&long], &[]);
}

#[test]
fn the_expected_framing_is_taken_where_it_fits() {
    for size in 1..=4 {
        let framing = Framing::Lengths(size);
        check(&lengths(size.into(), &[AUD, &[], IDR]), framing, framing, &[AUD, IDR], &[]);
    }
    let stream = [&[0, 0, 0, 1][..], AUD, &[0, 0, 1], IDR].concat();
    check(&stream, Framing::StartCodes, Framing::StartCodes, &[AUD, IDR], &[]);
    // One byte behind four can be both.
    let end = [0, 0, 0, 1, 0x0a];
    check(&end, Framing::StartCodes, Framing::StartCodes, &[&[0x0a]], &[]);
    check(&end, Framing::Lengths(4), Framing::Lengths(4), &[&[0x0a]], &[]);
}

#[test]
fn start_codes_in_place_of_lengths_are_found() {
    for stream in [
        [&[0, 0, 0, 1][..], AUD, &[0, 0, 0, 1], IDR].concat(),
        [&[0, 0, 1][..], AUD, &[0, 0, 0, 1], IDR, &[0, 0, 0]].concat(),
        [&[0, 0, 0, 0, 0, 1][..], AUD, &[0, 0, 1], IDR].concat(),
    ] {
        check(&stream, Framing::Lengths(4), Framing::StartCodes, &[AUD, IDR], &[]);
    }
    let nested = lengths(4, &[&[&[0, 0, 0, 1], AUD].concat(), &[&[0, 0, 1], IDR].concat()]);
    check(&nested, Framing::Lengths(4), Framing::StartCodesInLengths(4), &[AUD, IDR], &[]);
}

#[test]
fn lengths_of_another_size_than_expected_are_found() {
    let long = [&[0x65][..], &[0x88; 0x1_0203]].concat();
    for (said, sent) in [(4, 2), (2, 4), (1, 4), (4, 1), (3, 4), (4, 3)] {
        let unit = if sent > 2 { long.as_slice() } else { IDR };
        let payload = lengths(sent, &[AUD, unit, P]);
        let found = Framing::Lengths(sent as u8);
        check(&payload, Framing::Lengths(said), found, &[AUD, unit, P], &[]);
        check(&payload, found, found, &[AUD, unit, P], &[]);
    }
}

#[test]
fn bytes_after_the_last_unit_are_stray() {
    for stray in [&[0xff, 0xff][..], &[1], &[0, 0, 1], &[0x7f; 40]] {
        let payload = [lengths(4, &[AUD, IDR]), stray.to_vec()].concat();
        check(&payload, Framing::Lengths(4), Framing::Lengths(4), &[AUD, IDR], stray);
    }
}

#[test]
fn what_no_framing_explains_is_refused() {
    for payload in [
        &[0, 0, 0, 9, 0x65, 1][..],
        &[0xff; 9],
        &[0, 0, 0, 2, 0x09, 0xf0, 7, 7, 7, 7],
        &[0x65, 0x88],
        // Start codes, but nothing behind them, and what cannot be a unit.
        &[0, 0, 1],
        &[0, 0, 0, 1, 0xe5, 0x88],
    ] {
        assert_eq!(Message::read(NalCodec::H264, payload, Framing::Lengths(4)), None, "{payload:02x?}");
    }
}

#[test]
fn a_stream_that_begins_a_picture_stays_one_though_a_length_leads_to_a_slice() {
    // SEI with user data, as x264 begins a stream: 00 00 01 06 is a length too, and 05 looks like a slice.
    let sei = [&[0x06, 0x05][..], &[0x84; 0x105 - 3 - IDR.len()]].concat();
    for stray in [0, 3] {
        let idr = [IDR, &vec![0x84; stray]].concat();
        let stream = [&[0, 0, 1][..], &sei, &[0, 0, 1], &idr].concat();
        check(&stream, Framing::StartCodes, Framing::StartCodes, &[&sei, &idr], &[]);
    }
}

#[test]
fn what_looks_like_a_start_code_is_one_where_the_length_leads_to_no_slice() {
    let sei = [&[0x06][..], &[0x84; 0x105]].concat();
    let payload = lengths(4, &[&sei]);
    check(&payload, Framing::StartCodes, Framing::StartCodes, &[&payload[3..]], &[]);
    check(&payload, Framing::Lengths(4), Framing::Lengths(4), &[&sei], &[]);
}

#[test]
fn units_stand_as_they_are_behind_lengths_unless_all_begin_with_start_codes() {
    let framed = [&[0, 0, 0, 1][..], P].concat();
    check(&lengths(4, &[IDR, &framed]), Framing::Lengths(4), Framing::Lengths(4), &[IDR, &framed], &[]);
}
