//! What the on-demand URL wants of a push.
//!
//! A push may be asked about by several calls: begins are repeated, and a call may die. Which answer holds is a
//! [decision] under the push's own name, and each of its offers goes by it.

use serde::{Deserialize, Serialize};

use crate::decision::{self, WorkBucket};
use crate::error::Error;
use crate::rule::Container;
use crate::stream::{StreamName, hash};

/// What the on-demand URL wants of a push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Whether it is to be recorded.
    pub record: bool,
    /// Of the rule's formats, these alone; `None`: all of them.
    pub containers: Option<Vec<Container>>,
    /// Cycles that replace those of the rule. Unit: s.
    pub cycles: Vec<(Container, u32)>,
    /// Why it is not recorded, where nobody said so.
    pub reason: Option<String>,
}

/// A push, by the names that its gateway gave.
#[derive(Clone, Copy, Debug)]
pub struct Push<'a> {
    /// The stream.
    pub stream: &'a StreamName,
    /// The gateway.
    pub gateway: &'a str,
    /// The gateway's name of the push.
    pub push: &'a str,
}

impl Push<'_> {
    /// The decision's name.
    pub(crate) fn object_name(&self) -> String {
        let Self { stream: StreamName { domain, app, stream }, gateway, push } = self;
        format!("decision/wish/{}", hash(&[domain, app, stream, gateway, push]))
    }
}

/// The wish for a push, if it is decided.
///
/// # Errors
/// The work bucket failed.
pub async fn find(bucket: &impl WorkBucket, push: Push<'_>) -> Result<Option<Wish>, Error> {
    decision::find(bucket, &push.object_name()).await
}

/// Decides on a wish for a push; answers what was decided, which may be another one.
///
/// # Errors
/// The work bucket failed.
pub async fn decide(bucket: &impl WorkBucket, push: Push<'_>, proposal: &Wish) -> Result<Wish, Error> {
    decision::decide(bucket, &push.object_name(), proposal).await
}
