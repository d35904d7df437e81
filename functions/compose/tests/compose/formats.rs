//! The files of several formats, as users look them up.

use std::collections::BTreeSet;

use mp4::verify::{Movie, check};
use shared::Catalog;
use shared::catalog::{After, Container, IndexFile, Session};
use shared::testing::{World, run, session};

use super::stage::{BEGAN_MS, chunk, compose, end_of, files, known, put, recorded_as, tick};

const ALL: [Container; 3] = [Container::M3u8, Container::Mp4, Container::Flv];

/// A push whose MP4 files are of 3 s, its FLV files of 2 s, and its playlist longer than all of it.
fn recorded(digit: char, began_ms: u64, keeps_gaps: bool) -> Session {
    let mut session = recorded_as(digit, began_ms, &ALL);
    for format in session.rule.iter_mut().flat_map(|rule| &mut rule.formats) {
        format.cycle_seconds = match format.container {
            Container::M3u8 => 60,
            Container::Mp4 => 3,
            Container::Flv => 2,
        };
    }
    Session { keeps_gaps, ..session }
}

/// Coded messages of an FLV file.
fn flv_frames(file: &[u8]) -> usize {
    let tags = flv::Reader::new(file).unwrap().map(Result::unwrap);
    tags.filter(|tag| flv::TagClass::of(tag.kind, tag.body).is_frame()).count()
}

/// Seconds that a file says it plays, and its frames.
fn read(file: &IndexFile, bytes: &[u8]) -> (f64, usize) {
    if file.container == Container::Mp4 {
        let movie = Movie::read(bytes).unwrap();
        check(&movie, bytes.len() as u64).unwrap();
        let frames = movie.tracks.iter().map(|track| track.samples.len()).sum();
        return (movie.duration as f64 / f64::from(movie.timescale), frames);
    }
    let name = b"\0\x08duration\0";
    let at = bytes.windows(name.len()).position(|bytes| bytes == name).unwrap() + name.len();
    (f64::from_be_bytes(bytes[at..at + 8].try_into().unwrap()), flv_frames(bytes))
}

#[test]
fn each_format_is_cut_by_its_own_cycle_and_listed_as_its_files_are() {
    for keeps_gaps in [false, true] {
        let world = World::at(BEGAN_MS);
        tick(&world);
        run(world.begin(recorded('a', BEGAN_MS, keeps_gaps), None, None, BEGAN_MS)).unwrap();
        (0..4).for_each(|seq| put(&world, 'a', seq));
        compose(&world);
        run(world.end(&session('a', 0).id, shared::testing::ended(4_000, 4), world.now_ms.get())).unwrap();
        let after = After { session: session('a', 0).id, gap_ms: 7_000 };
        let again = recorded('b', BEGAN_MS + 11_000, keeps_gaps);
        run(world.begin(again, Some(after), None, world.now_ms.get())).unwrap();
        (0..4).for_each(|seq| put(&world, 'b', seq));
        world.pass_ms(15_000);
        end_of(&world, 'b', 4);
        compose(&world);

        let listed = known(&world);
        let ids: BTreeSet<_> = listed.iter().map(|file| &file.id).collect();
        assert_eq!(ids.len(), listed.len());
        let of = |container| listed.iter().filter(move |file| file.container == container);
        assert_eq!(of(Container::M3u8).count(), 1, "{listed:?}");
        let counts = [of(Container::Mp4).count(), of(Container::Flv).count()];
        assert!(counts[0] > 1 && counts[1] > counts[0], "{counts:?}");
        for (container, extension) in [(Container::Mp4, ".mp4"), (Container::Flv, ".flv")] {
            let objects = files(&world, extension);
            assert_eq!(objects.len(), of(container).count());
            let (mut frames, mut spans_break) = (0, 0);
            for file in of(container) {
                let is_it = |(name, _): &&(String, Vec<u8>)| name.ends_with(&file.object);
                let (_, bytes) = objects.iter().find(is_it).unwrap();
                let (said_s, held) = read(file, bytes);
                let listed_s = file.duration90khz as f64 / 90_000.0;
                assert!((said_s - listed_s).abs() <= 0.0005, "{}: {listed_s} and {said_s} s", file.object);
                frames += held;
                let span_s = (file.end_ms - file.start_ms) as f64 / 1_000.0;
                if span_s > 6.0 {
                    spans_break += 1;
                    assert_eq!(listed_s > 6.0, keeps_gaps, "{}: {listed_s} of {span_s} s", file.object);
                }
            }
            // The cycles of FLV are over as the break begins.
            let expected_spans = usize::from(container == Container::Mp4);
            assert_eq!((frames, spans_break), (8 * flv_frames(chunk()), expected_spans), "{container:?}");
        }
    }
}
