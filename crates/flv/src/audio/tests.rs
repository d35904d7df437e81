use super::*;

#[track_caller]
fn check(body: &[u8], codec: AudioCodec, packet: AudioPacket, payload: &[u8]) {
    let header = AudioTagHeader::parse(body).unwrap();
    let is_enhanced = body[0] >> 4 == 9;
    assert_eq!(header, AudioTagHeader { codec, packet, track: 0, is_enhanced, payload });
}

#[test]
fn legacy_and_enhanced_headers() {
    use {AudioCodec::*, AudioPacket::*};
    check(&[0xaf, 0, 0x12, 0x10], Aac, SequenceHeader, &[0x12, 0x10]);
    check(&[0xaf, 1, 0x21], Aac, Frame, &[0x21]);
    check(&[0x2f, 0xff, 0xfb], Mp3, Frame, &[0xff, 0xfb]);
    check(&[0xe2, 0xff, 0xe3], Mp3, Frame, &[0xff, 0xe3]);
    check(&[0xb2, 1], Legacy(11), Frame, &[1]);
    check(b"\x90mp4a\x12\x10", Aac, SequenceHeader, b"\x12\x10");
    check(b"\x91.mp3\xff", Mp3, Frame, b"\xff");
    check(b"\x91Opus\xff", Enhanced(FourCc(*b"Opus")), Frame, b"\xff");
    check(b"\x92mp4a", Aac, SequenceEnd, b"");
    check(b"\x95\x01mp4a\x00\x21", Aac, Frame, b"\x21");
}

#[test]
fn a_body_that_ends_in_its_header_is_an_error() {
    for body in [&b""[..], b"\xaf", b"\x90mp4", b"\x95", b"\x97\x00"] {
        let outcome = AudioTagHeader::parse(body);
        assert!(
            matches!(outcome, Err(Error::MessageTruncated { kind: "audio", .. })),
            "{body:02x?}: {outcome:?}"
        );
    }
}

#[test]
fn codecs_have_short_names() {
    use AudioCodec::*;
    assert_eq!([Aac, Mp3].map(AudioCodec::name), ["aac", "mp3"]);
    assert_eq!([0, 1, 3, 4].map(|id| Legacy(id).name()), ["pcm", "adpcm", "pcm", "nellymoser"]);
    assert_eq!([6, 7, 8, 11].map(|id| Legacy(id).name()), ["nellymoser", "pcma", "pcmu", "speex"]);
    assert_eq!(Legacy(9).name(), "sound-format-9");
    assert_eq!(Enhanced(FourCc(*b"Opus")).name(), "Opus");
}
