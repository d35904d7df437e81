//! Tables and media of chunks, and files made of them.

use recorder_mp4::{
    Follows, Index, IndexBuilder, Policy,
    verify::{self, Movie},
};
use remux::remux_with_samples;
use sample_table::SampleTable;

/// A chunk's table and its media.
pub(crate) struct Chunk {
    pub(crate) table: Vec<u8>,
    pub(crate) media: Vec<u8>,
}

/// The chunks of a session.
pub(crate) fn session(chunks: &[&[u8]]) -> Vec<Chunk> {
    let mut state = Vec::new();
    let record = |chunk: &&[u8]| {
        let (slice, muxer, mut samples) =
            remux_with_samples(*chunk, &state, &remux::Policy::default()).unwrap();
        let mut media = Vec::with_capacity(samples.size() as usize);
        samples.write(&muxer, &mut media);
        let table = samples.table().to_vec();
        state = slice.state;
        Chunk { table, media }
    };
    chunks.iter().map(record).collect()
}

/// The index of chunks that follow each other as said.
pub(crate) fn index(chunks: &[(&[u8], Follows)], policy: Policy) -> Index {
    let mut builder = IndexBuilder::new(policy);
    for (table, follows) in chunks {
        builder.add(&SampleTable::parse(table).unwrap(), *follows);
    }
    let duration = builder.duration_90khz();
    let index = builder.finish().unwrap();
    assert_eq!(index.duration_90khz(), duration);
    index
}

/// A checked file without its media.
pub(crate) fn movie(index: Index) -> Movie {
    let (offset, size, duration) = (index.media_offset(), index.file_size(), index.duration_90khz());
    let bytes: Vec<u8> = index.pieces().flatten().copied().collect();
    assert_eq!(bytes.len() as u64, offset);
    let movie = Movie::read(&bytes).unwrap();
    verify::check(&movie, size).unwrap();
    assert_eq!((movie.media.0, movie.duration, movie.timescale), (offset, duration, 90_000));
    movie
}

/// The whole file of chunks that go on directly.
pub(crate) fn file(chunks: &[Chunk], policy: Policy) -> Vec<u8> {
    let tables: Vec<_> = chunks.iter().map(|chunk| (chunk.table.as_slice(), Follows::Directly)).collect();
    let index = index(&tables, policy);
    let _ = movie(index.clone());
    let media = chunks.iter().map(|chunk| &chunk.media[..]);
    index.pieces().chain(media).flatten().copied().collect()
}
