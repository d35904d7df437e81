//! What is wrong with sound alone, and where sound ends before the pictures.

use super::{delay, find, is_found, recorded, replace, times};

#[test]
fn what_is_wrong_with_sound_alone_is_found() {
    let frames = [("AAC", &[0x21, 0xb8, 0x5a][..]), ("MP3", &[0xff, 0xe3, 0x18, 0xc0, 0xb8, 0x5a])];
    for (codec, begin) in frames {
        let history = recorded(|shape| shape.features(0, 31_000).eq([format!("sound of {codec} alone")]));
        let late = |slice: &mut Vec<u8>| {
            let first = times(slice)[0];
            delay(slice, first, 180);
        };
        assert!(is_found(&history, &["_1.ts"], late), "{codec}: a frame is late");
        let packet = |slice: &mut Vec<u8>| {
            let begin = find(slice, &[0, 0, 1, 0xc0]) / 188 * 188;
            slice.drain(begin..begin + 188);
        };
        assert!(is_found(&history, &["_1.ts"], packet), "{codec}: a packet is lost");
        let longer = |list: &mut Vec<u8>| {
            let second = find(list, b"#EXTINF:") + 8;
            list[second] = b'9';
        };
        assert!(is_found(&history, &[".m3u8"], longer), "{codec}: a slice lasts longer");
        let another = [begin, &[0xa5]].concat();
        let changed = [&begin[..begin.len() - 3], &[0xb8, 0x5a, 0xa4]].concat();
        for suffix in [".mp4", ".flv"] {
            let change = |file: &mut Vec<u8>| replace(file, &another, &changed);
            assert!(is_found(&history, &[suffix], change), "{codec}: a byte is another one in {suffix}");
        }
    }
}

#[test]
fn what_is_wrong_where_sound_ends_is_found() {
    let wanted =
        ["pictures of AVC", "sound, and pictures in another order", "sound that ends before the pictures"];
    let history = recorded(|shape| shape.features(0, 31_000).eq(wanted));
    let parted = |list: &mut Vec<u8>| {
        let last = list.windows(8).rposition(|window| window == b"#EXTINF:").unwrap();
        list.splice(last..last, *b"#EXT-X-DISCONTINUITY\n");
    };
    assert!(is_found(&history, &[".m3u8"], parted), "the playlist tells of a discontinuity");
    let silent = |slice: &mut Vec<u8>| {
        let sound = find(slice, &[0, 0, 1, 0xc0]) / 188 * 188;
        let pid = slice[sound + 2];
        let packets = slice
            .chunks(188)
            .filter(|packet| packet[2] != pid || packet[1] & 0x1f != slice[sound + 1] & 0x1f);
        *slice = packets.flatten().copied().collect();
    };
    assert!(is_found(&history, &["_2.ts"], silent), "it ends earlier");
}

/// Where the times of sound lie in a slice.
fn times_of_sound(slice: &[u8]) -> Vec<usize> {
    let headers = slice.windows(4).enumerate().filter(|(_, window)| *window == [0, 0, 1, 0xc0]);
    headers.map(|(at, _)| at + 9).collect()
}

#[test]
fn what_is_wrong_where_pictures_end_is_found() {
    let wanted =
        ["pictures of AVC", "sound, and pictures in another order", "pictures that end before the sound"];
    let history = recorded(|shape| shape.features(0, 31_000).eq(wanted));
    let late = |slice: &mut Vec<u8>| {
        let first = times(slice)[0];
        delay(slice, first, 180);
    };
    assert!(is_found(&history, &["_5.ts"], late), "a frame is late where there are no pictures");
    let parted = |list: &mut Vec<u8>| {
        let last = list.windows(8).rposition(|window| window == b"#EXTINF:").unwrap();
        list.splice(last..last, *b"#EXT-X-DISCONTINUITY\n");
    };
    assert!(is_found(&history, &[".m3u8"], parted), "the playlist tells of a discontinuity");
}

#[test]
fn what_is_wrong_where_clocks_are_apart_is_found() {
    let wanted = ["pictures of AVC", "sound, and pictures in another order", "tracks whose clocks are apart"];
    let history = recorded(|shape| shape.features(0, 31_000).eq(wanted));
    let late = |slice: &mut Vec<u8>| {
        let last = times_of_sound(slice).pop().unwrap();
        delay(slice, last, 180);
    };
    assert!(is_found(&history, &["_1.ts"], late), "a frame of sound is late");
    let moved = |slice: &mut Vec<u8>| times_of_sound(slice).into_iter().for_each(|at| delay(slice, at, 180));
    assert!(is_found(&history, &["_1.ts"], moved), "all sound of a slice is late");
    // Where it was before does not tell of the first slice.
    let far = |slice: &mut Vec<u8>| times_of_sound(slice).into_iter().for_each(|at| delay(slice, at, 63_000));
    assert!(is_found(&history, &["_0.ts"], far), "sound is far from the pictures");
}
