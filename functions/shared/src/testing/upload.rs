//! What an upload in parts is made of, and what a store may do with one.

use std::collections::BTreeMap;

use crate::bucket::Error;

/// An upload in parts.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The object's name.
    pub name: String,
    /// What the object is created with.
    pub tag: String,
    /// What the object is created with.
    pub content_type: String,
    /// What there is of it, by number.
    pub parts: BTreeMap<u16, Vec<u8>>,
}

/// What a store does that is asked to copy a part.
#[derive(Clone, Debug, Default)]
pub enum OnCopy {
    /// It copies.
    #[default]
    Copies,
    /// It answers so.
    Fails(Error),
    /// It says that it has copied, and has stored nothing.
    StoresNothing,
}

/// What a store does that is asked to make an object of parts.
#[derive(Clone, Debug, Default)]
pub enum OnComplete {
    /// It makes it.
    #[default]
    Makes,
    /// It answers so, also inside an answer that begins as a success, and has made nothing.
    Fails(Error),
    /// It has made it, and says nothing that can be understood.
    Garbles,
    /// Somebody has given the upload up.
    IsGone,
}
