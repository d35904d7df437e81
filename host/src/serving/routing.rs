//! Which component answers a path, by the rules and with the matcher of Spin's HTTP trigger.
//!
//! Exact routes beat routes with `:name` segments, and these beat a trailing `/...`; among the latter the
//! longest prefix wins. A trailing slash does not count. Of two equal routes the later one is used.

use anyhow::{Result, anyhow};

/// The routes of an application.
#[derive(Debug)]
pub struct Router {
    routes: routefinder::Router<Route>,
}

#[derive(Clone, Debug)]
struct Route {
    component: String,
    /// As the manifest has it.
    raw: String,
    /// Without a trailing slash.
    sanitized: String,
}

/// A route that was found.
#[derive(Debug, PartialEq, Eq)]
pub struct RouteMatch<'a> {
    /// Id of the component that answers.
    pub component: &'a str,
    /// The route as the manifest has it.
    pub raw_route: &'a str,
    /// The route without a trailing slash.
    pub matched_route: &'a str,
    /// What a trailing `/...` stands for, with its leading slash; empty otherwise.
    pub path_info: String,
    /// What each `:name` segment stands for, as it is on the wire: percent-encoding is left alone.
    pub segments: Vec<(String, String)>,
}

impl Router {
    /// Builds the router of `(route, component id)` pairs.
    ///
    /// # Errors
    ///
    /// When a pattern cannot be parsed.
    pub fn new<'a>(routes: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut unique: Vec<Route> = Vec::new();
        for (raw, component) in routes {
            let route = Route { component: component.into(), raw: raw.into(), sanitized: sanitize(raw) };
            match unique.iter_mut().find(|earlier| earlier.raw == raw) {
                Some(earlier) => {
                    tracing::error!(
                        route = raw,
                        unused = earlier.component,
                        used = component,
                        "two components have the same route"
                    );
                    *earlier = route;
                }
                None => unique.push(route),
            }
        }
        let mut router = routefinder::Router::new();
        for route in unique {
            let pattern = match route.sanitized.strip_suffix("/...") {
                Some(prefix) => format!("{prefix}/*"),
                None => route.sanitized.clone(),
            };
            let raw = route.raw.clone();
            router.add(pattern.as_str(), route).map_err(|error| anyhow!("route {raw:?}: {error}"))?;
        }
        Ok(Self { routes: router })
    }

    /// Finds the route of `path`, the path of a request as it is on the wire.
    #[must_use]
    pub fn route<'a>(&'a self, path: &'a str) -> Option<RouteMatch<'a>> {
        let found = self.routes.best_match(path)?;
        let captures = found.captures();
        // The matcher drops trailing slashes of the wildcard, Spin keeps them.
        let path_info = captures.wildcard().map_or_else(String::new, |rest| {
            let slash = if path.ends_with('/') { "/" } else { "" };
            if rest.is_empty() { slash.to_owned() } else { format!("/{rest}{slash}") }
        });
        let segments = captures.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let route = found.handler();
        Some(RouteMatch {
            component: &route.component,
            raw_route: &route.raw,
            matched_route: &route.sanitized,
            path_info,
            segments,
        })
    }
}

impl RouteMatch<'_> {
    /// The route without a trailing wildcard.
    #[must_use]
    pub fn route_prefix(&self) -> &str {
        self.raw_route.strip_suffix("/...").unwrap_or(self.raw_route)
    }
}

fn sanitize(route: &str) -> String {
    let absolute = if route.starts_with('/') { route.to_owned() } else { format!("/{route}") };
    absolute.strip_suffix('/').map(str::to_owned).unwrap_or(absolute)
}

#[cfg(test)]
mod tests;
