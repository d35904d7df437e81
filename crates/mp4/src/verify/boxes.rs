//! The boxes of a file.

/// What a file says before its media.
#[derive(Clone, Debug, Default)]
pub struct Movie {
    /// Boxes of the file in their order, with where they begin and their bytes.
    pub boxes: Vec<([u8; 4], u64, u64)>,
    /// Where the content of the media data box begins, and its bytes.
    pub media: (u64, u64),
    /// Of `mvhd`.
    pub timescale: u32,
    /// Of `mvhd`.
    pub duration: u64,
    /// Of `mvhd`, in seconds since 1904.
    pub created: u64,
    /// The tracks.
    pub tracks: Vec<Track>,
}

/// One edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edit {
    /// In units of the movie.
    pub duration: u64,
    /// In units of the track; -1: nothing plays.
    pub media_time: i64,
}

/// A track.
#[derive(Clone, Debug, Default)]
pub struct Track {
    /// `vide` or `soun`.
    pub handler: [u8; 4],
    /// Of `tkhd`, in units of the movie.
    pub movie_duration: u64,
    /// Of `tkhd`, in whole units.
    pub size: (u32, u32),
    /// Of `mdhd`.
    pub timescale: u32,
    /// Of `mdhd`.
    pub duration: u64,
    /// The edit list; empty where there is none.
    pub edits: Vec<Edit>,
    /// The sample entries: their kinds and their content.
    pub entries: Vec<([u8; 4], Vec<u8>)>,
    /// Samples in decoding order.
    pub samples: Vec<Sample>,
    /// How many samples each chunk has.
    pub chunks: Vec<u32>,
}

/// A sample, in units of its track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Where it lies in the file.
    pub offset: u64,
    /// Its bytes.
    pub size: u32,
    /// Decoding time.
    pub dts: u64,
    /// Until the next one's decoding time.
    pub duration: u32,
    /// Presentation time less decoding time.
    pub composition_offset: i64,
    /// Decoding can begin here.
    pub is_sync: bool,
    /// Which sample entry, from 1 on.
    pub entry: u32,
}

impl Movie {
    /// Reads a file, of which what follows the header of `mdat` may be missing.
    ///
    /// # Errors
    /// A sentence that says what cannot be read.
    pub fn read(file: &[u8]) -> Result<Self, String> {
        let (mut movie, mut offset) = (Self::default(), 0);
        while let Some(rest) = file.get(offset..).filter(|rest| !rest.is_empty()) {
            let mut fields = Fields(rest);
            let (mut size, kind, mut header) = (u64::from(fields.u32()?), fields.array()?, 8);
            if size == 1 {
                (size, header) = (fields.u64()?, 16);
            }
            movie.boxes.push((kind, offset as u64, size));
            if kind == *b"mdat" {
                movie.media = (offset as u64 + header, size - header);
                break;
            }
            let end = usize::try_from(size).map_err(|_| "a box is too long")?;
            let content = rest.get(header as usize..end).ok_or("a box ends early")?;
            if kind == *b"moov" {
                movie.read_moov(content)?;
            }
            offset += end;
        }
        Ok(movie)
    }

    fn read_moov(&mut self, content: &[u8]) -> Result<(), String> {
        for child in children(content)? {
            match child {
                (kind, content) if kind == *b"mvhd" => {
                    let mut fields = Fields(content);
                    let version = fields.version()?;
                    self.created = fields.time(version)?;
                    fields.time(version)?;
                    (self.timescale, self.duration) = (fields.u32()?, fields.time(version)?);
                }
                (kind, content) if kind == *b"trak" => self.tracks.push(Track::read(content)?),
                (kind, _) => return Err(format!("moov has {}", kind.escape_ascii())),
            }
        }
        Ok(())
    }
}

/// The boxes of a sample table, as they stand.
#[derive(Default)]
struct Stbl {
    durations: Vec<[u32; 2]>,
    offsets: Vec<[u32; 2]>,
    offsets_version: u8,
    sync: Option<Vec<u32>>,
    chunks: Vec<[u32; 3]>,
    sizes: Vec<u32>,
    chunk_offsets: Vec<u64>,
}

impl Track {
    fn read(content: &[u8]) -> Result<Self, String> {
        let (mut track, mut stbl) = (Self::default(), Stbl::default());
        track.read_boxes(content, &mut stbl)?;
        track.put_together(&stbl)?;
        Ok(track)
    }

    fn read_boxes(&mut self, content: &[u8], stbl: &mut Stbl) -> Result<(), String> {
        for (kind, content) in children(content)? {
            let mut fields = Fields(content);
            match &kind {
                b"mdia" | b"minf" | b"stbl" | b"edts" => self.read_boxes(content, stbl)?,
                b"dinf" | b"vmhd" | b"smhd" => {}
                b"tkhd" => {
                    let version = fields.version()?;
                    fields.skip(if version == 1 { 24 } else { 16 })?;
                    self.movie_duration = fields.time(version)?;
                    fields.skip(16 + 36)?;
                    self.size = (fields.u32()? >> 16, fields.u32()? >> 16);
                }
                b"mdhd" => {
                    let version = fields.version()?;
                    fields.skip(if version == 1 { 16 } else { 8 })?;
                    (self.timescale, self.duration) = (fields.u32()?, fields.time(version)?);
                }
                b"hdlr" => {
                    fields.skip(8)?;
                    self.handler = fields.array()?;
                }
                b"elst" => {
                    let version = fields.version()?;
                    for _ in 0..fields.u32()? {
                        let duration = fields.time(version)?;
                        let media_time = match version {
                            1 => fields.u64()?.cast_signed(),
                            _ => fields.u32()?.cast_signed().into(),
                        };
                        self.edits.push(Edit { duration, media_time });
                        (fields.u32()? == 0x1_0000)
                            .then_some(())
                            .ok_or("an edit is not played at its rate")?;
                    }
                }
                b"stsd" => {
                    fields.skip(8)?;
                    self.entries =
                        children(fields.0)?.iter().map(|(kind, entry)| (*kind, entry.to_vec())).collect();
                }
                b"stts" => stbl.durations = fields.list(0)?.1,
                b"ctts" => (stbl.offsets_version, stbl.offsets) = fields.list(0)?,
                b"stss" => stbl.sync = Some(fields.list::<1>(0)?.1.iter().map(|[sample]| *sample).collect()),
                b"stsc" => stbl.chunks = fields.list(0)?.1,
                b"stsz" => stbl.sizes = fields.list::<1>(4)?.1.iter().map(|[size]| *size).collect(),
                b"co64" => {
                    let offsets = fields.list::<2>(0)?.1;
                    let join = |[high, low]: &[u32; 2]| u64::from(*high) << 32 | u64::from(*low);
                    stbl.chunk_offsets = offsets.iter().map(join).collect();
                }
                _ => return Err(format!("a track has {}", kind.escape_ascii())),
            }
        }
        Ok(())
    }

    fn put_together(&mut self, stbl: &Stbl) -> Result<(), String> {
        let runs = |list: &[[u32; 2]]| -> Vec<u32> {
            list.iter().flat_map(|&[count, value]| std::iter::repeat_n(value, count as usize)).collect()
        };
        let (durations, offsets) = (runs(&stbl.durations), runs(&stbl.offsets));
        let count = stbl.sizes.len();
        if durations.len() != count || !(offsets.is_empty() || offsets.len() == count) {
            return Err(format!("{count} sizes, {} durations, {} offsets", durations.len(), offsets.len()));
        }
        let (mut next, mut dts) = (0, 0);
        for (number, &begin) in (1..).zip(&stbl.chunk_offsets) {
            let like = stbl
                .chunks
                .iter()
                .rfind(|[first, ..]| *first <= number)
                .ok_or("a chunk has no stsc entry")?;
            let [_, samples, entry] = *like;
            let mut offset = begin;
            for _ in 0..samples {
                let size = *stbl.sizes.get(next).ok_or("more samples in chunks than sizes")?;
                let raw = offsets.get(next).copied().unwrap_or(0);
                let sample = Sample {
                    offset,
                    size,
                    dts,
                    duration: durations[next],
                    composition_offset: match stbl.offsets_version {
                        0 => raw.into(),
                        _ => raw.cast_signed().into(),
                    },
                    is_sync: stbl
                        .sync
                        .as_ref()
                        .is_none_or(|sync| sync.binary_search(&(next as u32 + 1)).is_ok()),
                    entry,
                };
                self.samples.push(sample);
                (next, dts, offset) = (next + 1, dts + u64::from(sample.duration), offset + u64::from(size));
            }
            self.chunks.push(samples);
        }
        (next == count).then_some(()).ok_or_else(|| format!("{next} of {count} samples are in chunks"))
    }
}

/// A box in another: its kind and its content.
type Child<'a> = ([u8; 4], &'a [u8]);

/// The boxes in a box.
fn children(mut content: &[u8]) -> Result<Vec<Child<'_>>, String> {
    let mut found = Vec::new();
    while !content.is_empty() {
        let mut fields = Fields(content);
        let (size, kind) = (fields.u32()? as usize, fields.array()?);
        let bytes = content.get(8..size).ok_or_else(|| format!("{} ends early", kind.escape_ascii()))?;
        found.push((kind, bytes));
        content = &content[size..];
    }
    Ok(found)
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (taken, rest) = self.0.split_first_chunk().ok_or("a box ends early")?;
        self.0 = rest;
        Ok(*taken)
    }

    fn skip(&mut self, size: usize) -> Result<(), String> {
        self.0 = self.0.get(size..).ok_or("a box ends early")?;
        Ok(())
    }

    fn u32(&mut self) -> Result<u32, String> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, String> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    fn version(&mut self) -> Result<u8, String> {
        Ok(self.array::<4>()?[0])
    }

    fn time(&mut self, version: u8) -> Result<u64, String> {
        if version == 1 { self.u64() } else { Ok(self.u32()?.into()) }
    }

    /// The version of a box, and its entries of `N` numbers each, which stand behind `skipped` bytes and their count.
    fn list<const N: usize>(&mut self, skipped: usize) -> Result<(u8, Vec<[u32; N]>), String> {
        let version = self.version()?;
        self.skip(skipped)?;
        let count = self.u32()? as usize;
        if self.0.len() != count * N * 4 {
            return Err(format!("{count} entries in {} bytes", self.0.len()));
        }
        let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap_or_default());
        let entries =
            self.0.chunks(N * 4).map(|entry| std::array::from_fn(|n| number(&entry[n * 4..n * 4 + 4])));
        Ok((version, entries.collect()))
    }
}
