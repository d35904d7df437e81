//! Who may push.

use http::StatusCode;
use protocol::StreamPath;
use shared::catalog::{self, StreamName};
use shared::{Denial, Refusal, display_name};

use crate::world::World;

/// Lets a publisher push. Nothing comes of it: whoever is let in may stay away.
///
/// # Errors
/// 403 with a reason for the publisher; 503 where that cannot be said.
pub async fn admit(world: &impl World, path: &StreamPath) -> Result<(), Refusal> {
    let refuse = |code, message: String| Err(Refusal::new(StatusCode::FORBIDDEN, code, message));
    if !is_open(&world.variable("push_domains").await?, path.domain()) {
        return refuse("DomainNotAllowed", not_allowed(path.domain()));
    }
    match forbidden(world, &path.into(), world.now_ms()).await? {
        Some(denial) => refuse("StreamForbidden", denial.reason),
        None => Ok(()),
    }
}

/// Has the pushes of newly adopted sessions end that may not be.
///
/// Whoever forbids a stream ends the pushes whose sessions it finds. A session that it did not find was adopted after the
/// stream was forbidden, and is looked at here. So is one whose gateway went by its own checks, as its admission was not
/// answered in time.
///
/// # Errors
/// A component failed: the sessions are told of again.
pub async fn end_forbidden(world: &impl World, adopted: &[String]) -> Result<(), Refusal> {
    if adopted.is_empty() {
        return Ok(());
    }
    let domains = world.variable("push_domains").await?;
    for id in adopted {
        let session = match world.get_session(id).await {
            Ok(session) => session,
            // It has expired, or is not found yet in a store that is being filled anew.
            Err(catalog::Error::NoSuchSession | catalog::Error::Unfit(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        // It may have been let in by a host whose clock is ahead of this one's.
        let at_ms = world.now_ms().max(session.began_ms);
        let domain = &session.stream.domain;
        let denial = match is_open(&domains, domain) {
            true => forbidden(world, &session.stream, at_ms).await?,
            false => Some(Denial { reason: not_allowed(domain), until_ms: None }),
        };
        if let Some(denial) = denial {
            world.end_pushes(session.stream, Some(id), denial, world.now_ms()).await?;
        }
    }
    Ok(())
}

fn not_allowed(domain: &str) -> String {
    format!("domain {domain} may not be pushed to")
}

/// Why a stream cannot be pushed, if it is forbidden.
async fn forbidden(world: &impl World, stream: &StreamName, at_ms: u64) -> Result<Option<Denial>, Refusal> {
    let found = world.get_forbidden(stream.clone(), at_ms / 1_000).await?;
    Ok(found.map(|found| Denial::until(&display_name(stream), found.until)))
}

/// Whether a domain may be pushed to, by the list of those that may, separated by commas or spaces; an empty list is of all.
fn is_open(domains: &str, domain: &str) -> bool {
    let mut listed = domains.split([',', ' ', '\n']).filter(|listed| !listed.is_empty()).peekable();
    listed.peek().is_none() || listed.any(|listed| listed.eq_ignore_ascii_case(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_is_of_all_domains_and_any_other_of_those_that_it_names() {
        for domains in ["", " ", ","] {
            assert!(is_open(domains, "live.example.com"), "{domains:?}");
        }
        let domains = "live.example.com, Other.example.com\nthird.example.com";
        for domain in ["live.example.com", "other.example.com", "third.example.com"] {
            assert!(is_open(domains, domain), "{domain}");
        }
        for domain in ["example.com", "live.example.co", "x.live.example.com", ""] {
            assert!(!is_open(domains, domain), "{domain}");
        }
    }
}
