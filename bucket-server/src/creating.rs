//! Conditional creates, of which at most one succeeds for each object.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use http::header::IF_NONE_MATCH;
use http::{Method, Request};
use hyper::body::Incoming;

/// Requests that create an object only if it is absent, one at a time for each object.
///
/// The store looks whether the object exists before it reads the body and renames after: of two such
/// requests at once, both would succeed.
#[derive(Default)]
pub(crate) struct Creating {
    objects: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

impl Creating {
    pub(crate) async fn lock(&self, request: &Request<Incoming>) -> Option<tokio::sync::OwnedMutexGuard<()>> {
        let creates = matches!(*request.method(), Method::PUT | Method::POST);
        if !creates || !request.headers().contains_key(IF_NONE_MATCH) {
            return None;
        }
        let lock = {
            let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
            objects.retain(|_, lock| lock.strong_count() > 0);
            let entry = objects.entry(request.uri().path().to_owned()).or_default();
            entry.upgrade().unwrap_or_else(|| {
                let lock = Arc::new(tokio::sync::Mutex::new(()));
                *entry = Arc::downgrade(&lock);
                lock
            })
        };
        Some(lock.lock_owned().await)
    }
}
