//! Uploads in parts, of object stores in memory.

use std::collections::BTreeMap;

use crate::bucket::{Begun, Created, Error, Part, Source};

use super::buckets::{Buckets, Object, name};
use super::upload::{OnComplete, OnCopy, Upload};

/// The effects of calls.
impl Buckets {
    pub(super) fn begin_upload(
        &self,
        name: &str,
        content_type: &str,
        tag: &str,
        size: u64,
    ) -> Result<Begun, Error> {
        // As the client does, it looks whether there is one.
        match self.objects.borrow().get(name) {
            _ if self.write_only.get() => {}
            Some(there) if there.tag == tag && there.bytes.len() as u64 == size => {
                return Ok(Begun::There(Created::Before));
            }
            Some(_) => return Err(Error::Taken),
            None => {}
        }
        let id = self.next_upload();
        let (name, tag, content_type) = (name.into(), tag.into(), content_type.into());
        let upload = Upload { name, tag, content_type, parts: BTreeMap::new() };
        self.uploads.borrow_mut().insert(id.clone(), upload);
        Ok(Begun::Upload(id))
    }

    pub(super) fn upload_part(&self, id: &str, number: u16, body: Vec<u8>) -> Result<String, Error> {
        let mut uploads = self.uploads.borrow_mut();
        let upload = uploads.get_mut(id).ok_or(Error::NoSuchUpload)?;
        let etag = self.name_part(id, number, body.len() as u64);
        self.move_bytes(0, body.len());
        upload.parts.insert(number, body);
        Ok(etag)
    }

    pub(super) fn copy_part(&self, id: &str, number: u16, source: &Source) -> Result<String, Error> {
        let refuse = || Error::Refused(format!("{source:?} is not there"));
        let bytes = match self.on_copy.borrow().clone() {
            OnCopy::Fails(error) => return Err(error),
            OnCopy::StoresNothing => Vec::new(),
            OnCopy::Copies => {
                let objects = self.objects.borrow();
                let from = objects.get(&name(&source.at, &source.key)).ok_or_else(refuse)?;
                let end = (source.first + source.size) as usize;
                from.bytes.get(source.first as usize..end).ok_or_else(refuse)?.to_vec()
            }
        };
        let mut uploads = self.uploads.borrow_mut();
        let upload = uploads.get_mut(id).ok_or(Error::NoSuchUpload)?;
        upload.parts.insert(number, bytes);
        Ok(self.name_part(id, number, source.size))
    }

    pub(super) fn complete_upload(
        &self,
        (name, id): (&str, &str),
        tag: &str,
        parts: &[Part],
        copied: bool,
    ) -> Result<Created, Error> {
        let on_complete = self.on_complete.borrow_mut().pop_front().unwrap_or_default();
        if let OnComplete::Fails(error) = on_complete {
            return Err(error);
        }
        if let OnComplete::IsGone = on_complete {
            self.uploads.borrow_mut().remove(id);
        }
        let Some(upload) = self.uploads.borrow().get(id).cloned() else {
            let objects = self.objects.borrow();
            // Where only writing is allowed nobody can look whether it became the object.
            let there = objects.get(name).filter(|_| !self.write_only.get()).ok_or(Error::NoSuchUpload)?;
            return if there.tag == tag { Ok(Created::Before) } else { Err(Error::Taken) };
        };
        if self.write_only.get() && copied {
            return Err(Error::Refused("the key may not list parts".into()));
        }
        let sizes: Vec<u64> = upload.parts.values().map(|part| part.len() as u64).collect();
        let is_whole = sizes.iter().copied().eq(parts.iter().map(|part| part.size));
        assert!(is_whole || copied, "parts of {name}: {sizes:?} in place of {parts:?}");
        let (last, others) = sizes.split_last().ok_or(Error::NoSuchUpload)?;
        let is_unequal = others.iter().any(|size| *size != others[0] || size < last);
        let is_small = others.iter().any(|size| *size < self.least_part.get());
        if !is_whole || is_small || self.equal_parts.get() && is_unequal {
            return Err(Error::Refused(format!("parts of {sizes:?} bytes")));
        }
        let names = self.part_names.borrow();
        let is_named = |(number, part): (u16, &Part)| names.get(&(id.into(), number)) == Some(&part.etag);
        if !(1..).zip(parts).all(is_named) {
            return Err(Error::Refused(format!("parts of {name} have other names")));
        }
        let tag = if self.drops_tags_of_parts.get() { String::new() } else { upload.tag };
        let bytes = upload.parts.into_values().flatten().collect();
        let object = Object { tag, content_type: upload.content_type, bytes };
        let created = self.put(name.into(), object, true)?;
        // What another upload has made leaves this one as it is.
        if created == Created::Now {
            self.uploads.borrow_mut().remove(id);
        }
        match on_complete {
            OnComplete::Garbles => Err(Error::Unavailable("no result".into())),
            _ => Ok(created),
        }
    }

    pub(super) fn abort_uploads(&self, name: &str) -> Result<u32, Error> {
        if self.keeps_uploads_to_itself.get() {
            return Err(Error::Refused("uploads may not be listed".into()));
        }
        let mut uploads = self.uploads.borrow_mut();
        let before = uploads.len();
        if !self.write_only.get() {
            uploads.retain(|_, upload| upload.name != name);
        }
        Ok((before - uploads.len()) as u32)
    }
}
