//! The users' buckets, as far as the catalog looks into them: only where a lost store is [filled anew](crate::rebuild).

/// Why nothing is known of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// It may not be listed or read: asking again changes nothing.
    Refused(String),
    /// It failed: asking again may help.
    Failed(String),
    /// Its objects may not be looked at.
    Hidden,
}

/// What comes of a look at an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// It is there.
    Seen(Seen),
    /// It is not.
    Absent,
    /// It may not be looked at: it may be another writer's, or none may be looked at.
    Refused,
}

/// What the store says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The one thing that it holds, as it was created; `None` for another writer's.
    pub tag: Option<String>,
    /// What [`commit::note`](crate::commit::note) said of the slice.
    pub note: Option<String>,
    /// Its bytes, where the store says how many.
    pub size: Option<u64>,
}

/// The users' buckets.
#[expect(async_fn_in_trait, reason = "components have one thread; no caller needs a Send bound")]
pub trait UserBuckets {
    /// The first names that begin with `prefix` and come after `after`, in the order of their bytes: at most `most`, and
    /// none where there are no more. The bucket is named by endpoint and name.
    ///
    /// # Errors
    /// Nothing is known of it.
    async fn list(
        &self,
        bucket: (&str, &str),
        prefix: &str,
        after: &str,
        most: u32,
    ) -> Result<Vec<String>, Unseen>;

    /// What is known of objects, in their order.
    ///
    /// # Errors
    /// Nothing is known of them.
    async fn look(&self, bucket: (&str, &str), names: &[String]) -> Result<Vec<Look>, Unseen>;
}
