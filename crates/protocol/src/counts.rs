//! Counts by name in a header: `name=count`, with commas between.

/// Writes counts.
///
/// ```
/// assert_eq!(protocol::write_counts([("timestamp-wrap", 1), ("stray-bytes", 20)]), "timestamp-wrap=1, stray-bytes=20");
/// ```
pub fn write_counts<'a>(counts: impl IntoIterator<Item = (&'a str, u32)>) -> String {
    let counts: Vec<String> = counts.into_iter().map(|(name, count)| format!("{name}={count}")).collect();
    counts.join(", ")
}

/// Reads counts, and passes over what is none.
///
/// ```
/// let read: Vec<_> = protocol::read_counts("timestamp-wrap=1, , stray-bytes=20,x=-1,y").collect();
/// assert_eq!(read, [("timestamp-wrap", 1), ("stray-bytes", 20)]);
/// ```
pub fn read_counts(value: &str) -> impl Iterator<Item = (&str, u32)> {
    let counts = value.split(',').filter_map(|count| count.trim().split_once('='));
    counts.filter_map(|(name, count)| Some((name, count.parse().ok()?)))
}
