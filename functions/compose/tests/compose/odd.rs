//! What a container cannot hold costs itself alone.

use flv::{TagKind, write_header, write_tag};
use mp4::verify::{Movie, check};
use shared::catalog::Container;

use super::stage::{begin, chunk, compose, end, files, known, media, put_chunk};

/// A chunk of these tags.
fn chunk_of(tags: &[(TagKind, u32, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_header(&mut bytes, true, true);
    for (kind, time_ms, body) in tags {
        write_tag(&mut bytes, *kind, *time_ms, body).unwrap();
    }
    bytes
}

/// An AAC message of two raw frames behind one ADTS header, which MP4 has no sample for.
const TWO_FRAMES: &[u8] = &[0xaf, 1, 0xff, 0xf1, 0x50, 0x80, 0x01, 0x3f, 0xfd, 0x21, 0x10];

#[test]
fn a_file_of_nothing_that_its_format_holds_is_passed_over() {
    let world = begin(&[Container::Mp4, Container::Flv]);
    let odd = chunk_of(&[(TagKind::Audio, 0, TWO_FRAMES), (TagKind::Audio, 46, TWO_FRAMES)]);
    put_chunk(&world, 'a', 0, "1.0", &odd);
    // An order begins the next file.
    put_chunk(&world, 'a', 1, "2.1", chunk());
    end(&world, 2);
    let answer = compose(&world);
    assert_eq!((answer.done, &answer.failures[..]), (1, &[][..]));
    let [(name, file)] = &files(&world, ".mp4")[..] else { panic!("{:?}", world.buckets) };
    assert!(name.contains("/1_"), "{name}");
    check(&Movie::read(file).unwrap(), file.len() as u64).unwrap();
    assert_eq!((files(&world, ".flv").len(), known(&world).len()), (2, 3));
    for _ in 0..2 {
        world.pass_ms(600_000);
        compose(&world);
    }
    assert_eq!(media(&world), [] as [&str; 0]);
}

/// A picture of H.264 as long as a message can be: with the parameter sets before it, no tag can hold it.
#[test]
fn a_sample_that_no_tag_can_hold_is_left_out() {
    let world = begin(&[Container::Mp4, Container::Flv]);
    let tags: Vec<_> = flv::Reader::new(chunk()).unwrap().map(Result::unwrap).collect();
    let header = tags.iter().find(|tag| tag.kind == TagKind::Video).unwrap().body;
    let mut picture = vec![0x17, 1, 0, 0, 0];
    picture.extend((((1_u32 << 24) - 1) - 9).to_be_bytes());
    picture.push(0x65);
    picture.resize((1 << 24) - 1, 0xb5);
    put_chunk(
        &world,
        'a',
        0,
        "1.0",
        &chunk_of(&[(TagKind::Video, 0, header), (TagKind::Video, 0, &picture)]),
    );
    put_chunk(&world, 'a', 1, "1.0", chunk());
    end(&world, 2);
    assert_eq!(compose(&world).failures, []);
    let [(_, mp4)] = &files(&world, ".mp4")[..] else { panic!("{:?}", world.buckets.names("")) };
    let [(_, flv)] = &files(&world, ".flv")[..] else { panic!("{:?}", world.buckets.names("")) };
    assert!(mp4.len() > 1 << 24 && flv.len() < 1 << 20, "{} {}", mp4.len(), flv.len());
    let frames = |bytes| {
        let tags = flv::Reader::new(bytes).unwrap().map(Result::unwrap);
        tags.filter(|tag| flv::TagClass::of(tag.kind, tag.body).is_frame()).count()
    };
    assert_eq!(frames(flv), frames(chunk()));
}
