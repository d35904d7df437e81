//! What a transport stream does not carry.

use flv::TagKind;

/// Past so many names, others count with the last one of their kind.
pub const MAX_LEFT_OUT: usize = 8;

/// Bytes of a name that are told.
const MAX_NAME_SIZE: usize = 64;

/// What a transport stream does not carry: a track of another codec, or script data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// What its tags carry.
    pub kind: TagKind,
    /// The codec as the FLV names it, or the name of the script data.
    pub name: String,
    /// Messages of it in the chunk.
    pub messages: u32,
}

/// Counts a message that is left out.
pub(crate) fn count(list: &mut Vec<LeftOut>, kind: TagKind, name: String) {
    let is_full = list.len() >= MAX_LEFT_OUT;
    let known = list.iter().position(|entry| entry.kind == kind && entry.name == name);
    let last = || list.iter().rposition(|entry| entry.kind == kind).filter(|_| is_full);
    match known.or_else(last) {
        Some(index) => list[index].messages = list[index].messages.saturating_add(1),
        None => list.push(LeftOut { kind, name, messages: 1 }),
    }
}

/// Counts a message of script data, unless it describes the stream: what `onMetaData` says is found in the media, and
/// often truer.
pub(crate) fn count_script(list: &mut Vec<LeftOut>, body: &[u8]) {
    let name = flv::script::name(body).unwrap_or_default();
    if name != flv::script::ON_META_DATA {
        let name = &name[..name.len().min(MAX_NAME_SIZE)];
        count(list, TagKind::Script, name.escape_ascii().to_string());
    }
}
