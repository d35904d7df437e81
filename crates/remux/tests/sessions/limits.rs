//! What a hostile push is held to: what fits is kept to the last, and what does not costs itself alone.

use flv::TagKind::{Audio, Video};
use media::{
    AudioCodec,
    RepairKind::{MessageMalformed, MessageWithoutFrame, PictureInPieces},
};
use recorder_remux::{Policy, SessionState, demux, remux};

use crate::chunk::{AAC_44100, Chunk, avc_header, pictures, pps, record, repairs, slice, sps};

/// NAL units of a picture, at most.
const MAX_UNITS: usize = 8_192;

/// A message of so many NAL units.
#[derive(Clone, Copy, Debug)]
enum Message {
    /// Begins a picture.
    Begin(usize),
    /// The same behind start codes.
    BeginInStream(usize),
    /// Goes on with it.
    GoOn(usize),
    /// Stands before what follows.
    Before(usize),
    /// Stands after what came.
    After(usize),
}

impl Message {
    fn units(self) -> Vec<Vec<u8>> {
        let (first, other, count): (_, &[u8], _) = match self {
            Self::Begin(count) | Self::BeginInStream(count) => (slice(0, 1, false), b"\x0c\xff", count),
            Self::GoOn(count) => (slice(4, 1, false), b"\x0c\xff", count),
            Self::Before(count) => (b"\x06\x01".to_vec(), b"\x06\x01", count),
            Self::After(count) => (b"\x0c\xff".to_vec(), b"\x0c\xff", count),
        };
        let mut units = vec![other.to_vec(); count];
        units[0] = first;
        units
    }

    fn put(self, chunk: Chunk) -> Chunk {
        let units = self.units();
        if matches!(self, Self::BeginInStream(_)) {
            let stream: Vec<u8> = units.iter().flat_map(|unit| [&[0, 0, 1], &unit[..]].concat()).collect();
            return chunk.tag(Video, 0, &[&[0x27, 1, 0, 0, 0], &stream[..]].concat());
        }
        chunk.avc(0, false, &units.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }
}

fn with_sets() -> Chunk {
    Chunk::new().tag(Video, 0, &avc_header(4, &[&sps(0, 8)], &[&pps(0, 0, 0)]))
}

#[test]
fn a_picture_has_as_many_nal_units_as_are_allowed_whatever_messages_bring_them() {
    use Message::{After, Before, Begin, BeginInStream, GoOn};
    // Messages, and which of them are left out. What came in between is lost with what it stands before.
    let cases: [(&[Message], &[usize]); 15] = [
        (&[Begin(MAX_UNITS)], &[]),
        (&[BeginInStream(MAX_UNITS)], &[]),
        (&[Begin(1), GoOn(MAX_UNITS - 1)], &[]),
        (&[Begin(1), GoOn(MAX_UNITS)], &[1]),
        (&[Begin(MAX_UNITS - 1), GoOn(1), GoOn(1)], &[2]),
        (&[Begin(MAX_UNITS - 2), Before(1), GoOn(1)], &[]),
        (&[Begin(MAX_UNITS - 2), Before(1), GoOn(2)], &[1, 2]),
        (&[Begin(1), Before(8_000), GoOn(1), GoOn(190)], &[]),
        (&[Begin(1), Before(8_000), GoOn(1), GoOn(191)], &[3]),
        (&[Begin(MAX_UNITS - 1), After(1)], &[]),
        (&[Begin(MAX_UNITS), After(1)], &[1]),
        (&[Begin(MAX_UNITS - 1), After(1), GoOn(1)], &[2]),
        (&[Begin(100), After(100), GoOn(7_992)], &[]),
        (&[Begin(100), After(100), GoOn(7_993)], &[2]),
        (&[Begin(1), After(1), After(1), After(MAX_UNITS - 2)], &[3]),
    ];
    for (messages, left_out) in cases {
        let chunk = messages.iter().fold(with_sets(), |chunk, message| message.put(chunk));
        let (found, stream) = record(&chunk, &[]);
        let kept = messages.iter().enumerate().filter(|(index, _)| !left_out.contains(index));
        let expected: Vec<Vec<u8>> = kept.flat_map(|(_, message)| message.units()).collect();
        let pictures = pictures(&stream);
        assert!(pictures.len() == 1 && pictures[0][2..] == expected, "{messages:?}");
        let is_lost =
            |index: &usize| left_out.contains(index) && !matches!(messages[*index], Message::Before(_));
        let lost = (0..messages.len()).filter(is_lost).count();
        assert_eq!(found.repairs.of(MessageMalformed), lost as u32, "{messages:?}");
        let joined = (0..messages.len()).filter(|&index| matches!(messages[index], Message::GoOn(_)));
        let joined = joined.filter(|index| !left_out.contains(index)).count();
        assert_eq!(found.repairs.of(PictureInPieces), joined as u32, "{messages:?}");
    }
    // One more in one message is no message at all.
    for message in [Begin(MAX_UNITS + 1), BeginInStream(MAX_UNITS + 1), Before(MAX_UNITS + 1)] {
        let (found, _) = record(&message.put(with_sets()), &[]);
        assert_eq!((found.size, repairs(&found)), (0, vec![(MessageMalformed, 1)]), "{message:?}");
    }
}

#[test]
fn what_stands_before_a_picture_is_held_to_as_many_nal_units() {
    use Message::Before;
    for (first, second, lost) in [(1, MAX_UNITS - 1, 0), (MAX_UNITS, 1, 1), (1, MAX_UNITS, 1)] {
        let (found, _) = record(&Before(second).put(Before(first).put(with_sets())), &[]);
        assert_eq!(found.repairs.of(MessageMalformed), lost, "{first} and {second}");
        assert_eq!(found.repairs.of(MessageWithoutFrame), 2 - lost, "{first} and {second}");
    }
    // What the chunk before left counts too.
    let (ends, _) = record(&Message::Before(400).put(Message::Begin(1).put(with_sets())), &[]);
    assert_eq!(SessionState::decode(&ends.state).unwrap().leading_units.len(), 400);
    for (more, lost) in [(192, 0), (193, 1)] {
        let chunk = Message::GoOn(more).put(Message::Begin(7_600).put(Chunk::new()));
        let (found, stream) = record(&chunk, &ends.state);
        assert_eq!(found.repairs.of(MessageMalformed), lost, "{more} more");
        let units = 400 + 7_600 + if lost == 0 { more } else { 0 };
        assert_eq!(pictures(&stream)[0].len(), 2 + units, "{more} more");
    }
}

#[test]
fn a_message_of_no_nal_unit_is_malformed() {
    for payload in [&[][..], &[0], &[0; 3], &[0; 4], &[0; 11], &[0, 0, 1], &[0, 0, 0, 1]] {
        for first in [0x17, 0x27] {
            let body = [&[first, 1, 0, 0, 0], payload].concat();
            let (found, _) = record(&Message::Begin(1).put(with_sets()).tag(Video, 40, &body), &[]);
            assert_eq!(repairs(&found), [(MessageMalformed, 1)], "{payload:02x?}");
        }
    }
    let (found, _) = record(&Message::Before(1).put(with_sets()), &[]);
    assert_eq!(repairs(&found), [(MessageWithoutFrame, 1)]);
}

#[test]
fn a_chunk_as_long_as_the_policy_says_is_read() {
    let chunk = Chunk::with_headers().key(0).0;
    let policy = |max_bytes| Policy { max_bytes, ..Policy::default() };
    assert!(remux(&chunk, &[], &policy(chunk.len() as u64)).is_ok());
    assert!(remux(&chunk, &[], &policy(chunk.len() as u64 - 1)).is_err());
}

#[test]
fn a_frame_of_aac_is_as_long_as_adts_can_say() {
    let frame = |size: usize| [&[0xaf, 1, 0x21][..], &vec![0x55; size - 1]].concat();
    let longest = codec::aac::MAX_FRAME_SIZE;
    for (size, frames, malformed) in [(longest, 1, 0), (longest + 1, 0, 1)] {
        let (found, _) = record(&Chunk::new().tag(Audio, 0, AAC_44100).tag(Audio, 0, &frame(size)), &[]);
        assert_eq!(found.audio.map_or(0, |audio| audio.frames), frames, "{size} bytes");
        assert_eq!(found.repairs.of(MessageMalformed), malformed, "{size} bytes");
    }
}

#[test]
fn a_chunk_of_ever_new_audio_configurations_has_some_of_them_and_every_codec() {
    let mut chunk = Chunk::new();
    let rates = [0x10, 0x08];
    for n in 0..300 {
        chunk = chunk.tag(Audio, n * 23, &[0xaf, 0, 0x12, rates[n as usize % 2]]).aac(n * 23);
    }
    let mp3 = b"\x2f\xff\xfb\x90\x64\0\0\0\0";
    let chunk = chunk.tag(Audio, 7_000, mp3).tag(Audio, 7_026, mp3).aac(7_052).0;
    let found = demux(&chunk, &mut SessionState::default()).unwrap().media.audio;
    // Each of the first frames has its own; the codec is told in any case.
    let channels =
        |unit: usize| found.configs[found.units[unit].config as usize].channels.unwrap_or_default();
    assert!((0..250).all(|n| channels(n) == [2, 1][n % 2]), "the channels of the first frames");
    assert_eq!(found.units.len(), 303);
    let codec = |unit: usize| found.configs[found.units[unit].config as usize].codec;
    assert!((0..300).all(|n| codec(n) == AudioCodec::Aac));
    assert_eq!([codec(300), codec(301), codec(302)], [AudioCodec::Mp3, AudioCodec::Mp3, AudioCodec::Aac]);
    assert!((250..=260).contains(&found.configs.len()), "{} configurations", found.configs.len());
}
