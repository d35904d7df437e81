//! What tells coded frames apart, in any container.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// A coded frame: which push it is of, and its decoding time after that push's begin. Unit: ms.
pub type Frame = (u32, u64);

/// What stands before the name of a frame.
const BEGIN: [u8; 4] = [0xb8, 0x5a, 0xa5, 0x5c];

/// What stands behind it.
const END: u8 = 0x80;

/// A frame's name: four bits of it a byte, so that no container has to change one.
const NAME: usize = 24;

/// Bytes of a frame behind the header of its codec.
pub(super) const LENGTH: usize = BEGIN.len() + NAME + 1;

/// Appends what a frame holds behind the header of its codec.
pub(super) fn write((push, at_ms): Frame, out: &mut Vec<u8>) {
    let name = u128::from(push) << 64 | u128::from(at_ms);
    out.extend(BEGIN);
    out.extend((0..NAME).rev().map(|place| 0x40 | (name >> (4 * place)) as u8 & 0xf));
    out.push(END);
}

/// Appends what has no meaning up to a size: no start code, and no two packets' worth of it alike.
pub(super) fn enlarge(frame: &mut Vec<u8>, size: usize) {
    let begin = frame.len();
    frame.extend((begin..size).map(|at| 0x80 | (at % 127) as u8));
}

/// The frames that stand whole in some bytes, in order.
#[must_use]
pub fn frames(bytes: &[u8]) -> Vec<Frame> {
    static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(&BEGIN));
    FINDER.find_iter(bytes).filter_map(|at| read(bytes.get(at..at + LENGTH)?)).collect()
}

pub(super) fn read(bytes: &[u8]) -> Option<Frame> {
    let name = bytes.strip_prefix(&BEGIN)?.strip_suffix(&[END])?;
    let bits = name
        .iter()
        .try_fold(0_u128, |bits, byte| (byte & 0xf0 == 0x40).then_some(bits << 4 | u128::from(byte & 0xf)))?;
    Some(((bits >> 64) as u32, bits as u64))
}
