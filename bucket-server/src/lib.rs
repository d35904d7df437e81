//! An S3 server over folders, for local use: real signatures, real protocol, one access key.
//!
//! A bucket is a folder, an object a file that its key names below it, so that people find recordings by name; files
//! that people put there are objects too. Keys that a folder cannot hold lie in the hidden folder `.bucket-server`
//! beside the buckets, as uploads in parts do. What is answered with 200 is synced to the disk. On a file system that
//! takes upper and lower case for the same, keys that differ in nothing else are one object. Of the disk some room is kept
//! free for others, by [`KeepFree`].
#![deny(missing_docs)]

mod access;
mod attributes;
mod fault;
mod link;
mod lists;
mod locks;
mod name;
mod objects;
mod page;
mod parts;
mod place;
mod receive;
mod request;
mod room;
mod server;
mod service;
mod store;
mod uploads;
mod walk;

pub use link::link_buckets;
pub use name::check_bucket_name;
pub use room::{KeepFree, Look, Room, Shortage, Space};
pub use server::{BucketConfig, BucketServer};
