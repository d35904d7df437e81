//! The users' buckets over WASI's HTTP client.

use catalog::users::{Look, Seen, Unseen, UserBuckets};
use futures_util::future::join_all;
use s3::{Client, Error};
use s3_client::Wasi;

/// So many objects are looked at together.
const AT_ONCE: usize = 16;

/// The buckets that rules name, each by the key that the application has for it.
pub(crate) struct Users;

impl UserBuckets for Users {
    async fn list(
        &self,
        bucket: (&str, &str),
        prefix: &str,
        after: &str,
        most: u32,
    ) -> Result<Vec<String>, Unseen> {
        client(bucket).await?.list(prefix, after, most).await.map_err(unseen)
    }

    async fn look(&self, bucket: (&str, &str), names: &[String]) -> Result<Vec<Look>, Unseen> {
        let client = client(bucket).await?;
        let mut looks = Vec::with_capacity(names.len());
        for some in names.chunks(AT_ONCE) {
            for found in join_all(some.iter().map(|name| client.look(name))).await {
                looks.push(match found.map_err(unseen) {
                    Ok(Some(s3::Seen { tag, note, size })) => Look::Seen(Seen { tag, note, size }),
                    Ok(None) => Look::Absent,
                    Err(Unseen::Refused(_)) => Look::Refused,
                    Err(failed) => return Err(failed),
                });
            }
        }
        Ok(looks)
    }
}

async fn client((endpoint, bucket): (&str, &str)) -> Result<Client<'static, Wasi>, Unseen> {
    s3_client::client(endpoint, bucket).await.map_err(unseen)
}

fn unseen(error: Error) -> Unseen {
    match error {
        Error::Unavailable { .. } | Error::Unreachable { .. } => Unseen::Failed(error.to_string()),
        refused => Unseen::Refused(refused.to_string()),
    }
}
