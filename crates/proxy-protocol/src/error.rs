//! Why bytes are no header.

/// The longest header that is taken, in bytes. The two addresses take 36, and extensions with a client's certificate
/// some thousands.
pub const MAX_BYTES: usize = 4096;

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A byte is not the signature's: it is no PROXY protocol of version 2 at all.
    #[error("byte {at} is {found:#04x} and not that of the PROXY protocol's signature (version 2)")]
    Signature {
        /// Which.
        at: usize,
        /// The byte.
        found: u8,
    },
    /// Another version, or a command that is none.
    #[error("version and command are {found:#04x}: only 0x20 (LOCAL) and 0x21 (PROXY) are taken")]
    VersionCommand {
        /// Byte 12.
        found: u8,
    },
    /// Neither TCP over IPv4 nor over IPv6, nor unspecified.
    #[error("family and protocol are {found:#04x}: only TCP over IPv4 (0x11) and IPv6 (0x21) is taken")]
    Family {
        /// Byte 13.
        found: u8,
    },
    /// More than is taken.
    #[error("the header has {bytes} bytes, at most {MAX_BYTES} are taken")]
    TooLong {
        /// All of it.
        bytes: usize,
    },
    /// Fewer bytes than the addresses of the family have.
    #[error("{bytes} bytes follow, and the addresses alone have {needed}")]
    Addresses {
        /// What the length says.
        bytes: usize,
        /// What the family needs.
        needed: usize,
    },
    /// An extension ends after the header.
    #[error("the extension at byte {at} ends after the header")]
    Extension {
        /// Its place in the header.
        at: usize,
    },
    /// The checksum is not that of the header, or has not four bytes, or is there twice.
    #[error("the checksum at byte {at} is not the header's")]
    Checksum {
        /// The place of the extension that holds it.
        at: usize,
    },
}
