//! A video track of MPEG-4 part 2: its headers, wherever the push has them, and the framing of its frames.

use codec::mpeg4::{self, Framing, VideoObjectLayer};
use media::{Data, PictureSize, RepairKind, Repairs, VideoCodec, VideoConfig};

use crate::state::{VideoState, fingerprint, identity};

/// What is known of a track of MPEG-4 part 2.
#[derive(Clone, Debug)]
pub(crate) struct Mpeg4Stream<'a> {
    /// What stands before the first picture, in pieces that follow each other.
    headers: Vec<&'a [u8]>,
    size: Option<PictureSize>,
    /// A video object layer has come, in this chunk or before.
    has_layer: bool,
    /// Fingerprint of the sequence header in use.
    header: Option<u64>,
    /// The identity that was known, until headers come: those of the chunk before were too long to be kept.
    resumed: Option<u64>,
    /// The framing of the last frame.
    framing: Option<Framing>,
    /// The configuration last given out does not hold any more.
    is_new: bool,
    /// Headers have changed since, and the configuration holds all the same.
    headers_changed: bool,
}

impl<'a> Mpeg4Stream<'a> {
    pub(crate) fn new() -> Self {
        Self {
            headers: Vec::new(),
            size: None,
            has_layer: false,
            header: None,
            resumed: None,
            framing: None,
            is_new: true,
            headers_changed: false,
        }
    }

    /// Goes on where the chunk before ended. The headers may have come in the first keyframe of the session alone, and
    /// have been too long to be kept.
    pub(crate) fn resume(state: &VideoState<'a>) -> Self {
        let mut stream = Self::new();
        stream.size = find_layer(&state.headers).and_then(size_of);
        stream.headers.clone_from(&state.headers);
        (stream.header, stream.has_layer) = (state.header, true);
        stream.resumed = state.headers.is_empty().then_some(state.identity);
        stream
    }

    /// What the next chunk has to know; `None` before the headers have come.
    pub(crate) fn state(&self) -> Option<VideoState<'a>> {
        self.has_layer.then(|| VideoState {
            codec: VideoCodec::Mpeg4,
            length_size: 4,
            header: self.header,
            identity: self.identity(),
            headers: self.headers.clone(),
        })
    }

    /// Takes a sequence header; `false` where it cannot be used and what was known holds on.
    ///
    /// FFmpeg sends an empty one where the keyframes have the headers, which is no fault.
    pub(crate) fn configure(&mut self, record: &'a [u8], repairs: &mut Repairs) -> bool {
        if record.is_empty() {
            return true;
        }
        let Ok(Some(layer)) = VideoObjectLayer::find(record) else {
            repairs.count(RepairKind::SequenceHeaderMalformed);
            return false;
        };
        let headers = mpeg4::before_first_picture(record);
        let header = Some(fingerprint([headers]));
        if self.header != header || self.headers.is_empty() {
            self.header = header;
            self.take_headers(vec![headers], layer);
            self.is_new = true;
        }
        self.has_layer = true;
        true
    }

    /// The data of a frame and whether it begins with headers; these are taken. `None` where the frame is neither behind
    /// start codes nor behind lengths.
    pub(crate) fn read(&mut self, frame: &'a [u8]) -> Option<(Data<'a>, bool)> {
        let framing = Framing::of(frame, self.framing)?;
        self.framing = Some(framing);
        match framing {
            Framing::StartCodes => {
                let layer = VideoObjectLayer::find(frame).ok().flatten();
                if let Some(layer) = layer {
                    self.take_headers(vec![mpeg4::before_first_picture(frame)], layer);
                }
                Some((Data::Frame(frame), layer.is_some()))
            }
            Framing::Lengths => {
                let parts = mpeg4::split_lengths(frame)?;
                let pieces = |parts: &[&'a [u8]]| -> Vec<&'a [u8]> {
                    parts.iter().flat_map(|part| [mpeg4::START_CODE_PREFIX, part]).collect()
                };
                let headers = parts.iter().take_while(|part| !mpeg4::begins_picture(part[0])).count();
                let layer = parts[..headers].iter().find(|part| mpeg4::is_video_object_layer(part[0]));
                let layer = layer.and_then(|layer| VideoObjectLayer::parse(&layer[1..]).ok());
                if let Some(layer) = layer {
                    self.take_headers(pieces(&parts[..headers]), layer);
                }
                Some((Data::Pieces(pieces(&parts)), layer.is_some()))
            }
        }
    }

    fn take_headers(&mut self, headers: Vec<&'a [u8]>, layer: VideoObjectLayer) {
        let size = size_of(layer);
        self.is_new |= self.size != size;
        (self.size, self.has_layer, self.resumed) = (size, true, None);
        if self.headers != headers {
            self.headers = headers;
            self.headers_changed = true;
        }
    }

    /// A video object layer has come.
    pub(crate) fn is_decodable(&self) -> bool {
        self.has_layer
    }

    /// A new configuration for the next access unit, or `None` where the last one given out holds.
    ///
    /// `headers_due`: the access unit needs headers before it that it does not bring.
    pub(crate) fn take_change(&mut self, headers_due: bool) -> Option<VideoConfig<'a>> {
        if !(self.is_new || headers_due && self.headers_changed) {
            return None;
        }
        (self.is_new, self.headers_changed) = (false, false);
        Some(VideoConfig {
            codec: VideoCodec::Mpeg4,
            size: self.size,
            length_size: 4,
            headers: self.headers.clone(),
        })
    }

    /// Tells the configuration from others: headers that change with each keyframe are no other, unless the size changes.
    pub(crate) fn identity(&self) -> u64 {
        self.resumed.unwrap_or_else(|| identity(VideoCodec::Mpeg4, self.header.unwrap_or(0), self.size))
    }
}

/// The video object layer of headers in pieces, where a start code that stood for a length is a piece of its own.
fn find_layer(headers: &[&[u8]]) -> Option<VideoObjectLayer> {
    VideoObjectLayer::find(&headers.concat()).ok().flatten()
}

/// The size of the pictures, where they are rectangular.
fn size_of(layer: VideoObjectLayer) -> Option<PictureSize> {
    (layer.width > 0).then_some(PictureSize { width: layer.width, height: layer.height })
}
