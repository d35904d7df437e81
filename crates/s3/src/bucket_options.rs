//! How objects are created in buckets, by patterns of endpoint and bucket.

use percent_encoding::percent_decode_str;

use crate::pattern::Pattern;
use crate::request::Header;
use crate::{Bucket, Checksum, Error};

/// The headers that can be set: encryption, storage class and access list of an object, in the words of S3, OSS and
/// COS. No other is taken, so that no setting changes what a request does.
const HEADERS: [&str; 16] = [
    "x-amz-acl",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-bucket-key-enabled",
    "x-amz-server-side-encryption-context",
    "x-amz-storage-class",
    "x-cos-acl",
    "x-cos-server-side-encryption",
    "x-cos-server-side-encryption-context",
    "x-cos-server-side-encryption-cos-kms-key-id",
    "x-cos-storage-class",
    "x-oss-object-acl",
    "x-oss-server-side-data-encryption",
    "x-oss-server-side-encryption",
    "x-oss-server-side-encryption-key-id",
    "x-oss-storage-class",
];

/// How objects are created in a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The key may write and nothing else: names are the tag's own, and nothing is asked for.
    pub write_only: bool,
    /// The store replaces objects whatever a create asks for: whether there is one is looked up first.
    pub head_first: bool,
    /// The store takes no metadata beside an object's tag.
    pub no_notes: bool,
    /// By what the store is to make sure that bodies came as they were sent; usually it is not.
    pub checksum: Option<Checksum>,
    /// Sent with each object.
    pub(crate) headers: Vec<Header>,
}

/// Options for buckets: `host/bucket=option;option`, separated by commas, spaces or lines. An option is `write-only`,
/// `head-first`, `no-notes`, `checksum=` and one of `crc32c`, `md5` and `sha256`, or `header=value` with one of a fixed list of
/// headers.
///
/// Patterns are those of [`BucketKeys`](crate::BucketKeys), and the most specific one counts alone. Whatever separates
/// stands percent-encoded within a value. An entry that is wrong is told of only where its pattern is the one that
/// counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BucketOptions(Vec<(Pattern, Result<Options, Error>)>);

impl BucketOptions {
    /// Reads options; no text is no option.
    ///
    /// # Errors
    /// [`Error::KeyPattern`] for an entry without a pattern.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut entries: Vec<(Pattern, Result<Options, Error>)> = Vec::new();
        let texts = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
        for (place, text) in (1..).zip(texts) {
            let refuse = |problem| Error::KeyPattern { entry: place, problem };
            let (pattern, options) =
                text.split_once('=').ok_or_else(|| refuse("is not of the form host/bucket=option"))?;
            let pattern = Pattern::parse(pattern).map_err(refuse)?;
            let wrong = |problem| Error::KeyValue { entry: place, pattern: pattern.text().into(), problem };
            if let Some((_, earlier)) = entries.iter_mut().find(|(earlier, _)| *earlier == pattern) {
                *earlier = Err(wrong("repeats the pattern of an earlier one"));
                continue;
            }
            let options = parse_options(options).map_err(wrong);
            entries.push((pattern, options));
        }
        Ok(Self(entries))
    }

    /// The options of the most specific pattern that the bucket is of; the usual ones where it is of none.
    ///
    /// # Errors
    /// [`Error::KeyValue`] where that pattern's options are wrong.
    pub fn find(&self, bucket: &Bucket) -> Result<Options, Error> {
        let matching = self.0.iter().filter(|(pattern, _)| pattern.matches(bucket));
        let found = matching.max_by(|(a, _), (b, _)| a.cmp(b));
        found.map_or_else(|| Ok(Options::default()), |(_, options)| options.clone())
    }
}

fn parse_options(text: &str) -> Result<Options, &'static str> {
    let mut options = Options::default();
    for option in text.split(';').filter(|option| !option.is_empty()) {
        match option.split_once('=') {
            None if option == "write-only" => options.write_only = true,
            None if option == "head-first" => options.head_first = true,
            None if option == "no-notes" => options.no_notes = true,
            None => {
                return Err(
                    "has an option that is neither write-only, head-first, no-notes, checksum=name nor header=value",
                );
            }
            Some(("checksum", name)) => {
                let checksum =
                    Checksum::parse(name).ok_or("has a checksum that is not crc32c, md5 or sha256")?;
                if options.checksum.replace(checksum).is_some() {
                    return Err("has a checksum twice");
                }
            }
            Some((name, value)) => {
                let name = HEADERS.into_iter().find(|header| header.eq_ignore_ascii_case(name));
                let name = name.ok_or("has a header that cannot be set")?;
                if options.headers.iter().any(|header| header.name == name) {
                    return Err("has a header twice");
                }
                let value = percent_decode_str(value).decode_utf8();
                let value = value.ok().filter(|value| is_value(value));
                let value = value.ok_or("has a header with a value that no header can have")?;
                options.headers.push(Header::new(name, &value));
            }
        }
    }
    Ok(options)
}

/// RFC 9110 §5.5, of ASCII alone: a value that some part on the way would trim or fold could not be signed.
fn is_value(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str, endpoint: &str, name: &str) -> Result<Options, Error> {
        BucketOptions::parse(text)?.find(&Bucket::new(endpoint, name).unwrap())
    }

    #[test]
    fn the_most_specific_pattern_counts_alone() {
        let text = "*/*=write-only,s3.example.com/*=head-first\ns3.example.com/bkt=write-only;head-first";
        let flags = |endpoint, name| {
            let Options { write_only, head_first, .. } = find(text, endpoint, name).unwrap();
            (write_only, head_first)
        };
        assert_eq!(flags("localhost", "bkt"), (true, false));
        assert_eq!(flags("s3.example.com", "other"), (false, true));
        assert_eq!(flags("s3.example.com", "bkt"), (true, true));
        assert_eq!(flags("127.0.0.1:9000", "bkt"), (false, false));
        assert_eq!(find(" ,", "localhost", "bkt"), Ok(Options::default()));
        assert_eq!(find("*/*=write-only,localhost/bkt=", "localhost", "bkt"), Ok(Options::default()));
    }

    #[test]
    fn each_option_sets_its_own_flag_and_no_other() {
        let default = Options::default;
        for (text, expected) in [
            ("write-only", Options { write_only: true, ..default() }),
            ("head-first", Options { head_first: true, ..default() }),
            ("no-notes", Options { no_notes: true, ..default() }),
            ("no-notes;head-first;", Options { no_notes: true, head_first: true, ..default() }),
        ] {
            assert_eq!(find(&format!("localhost/bkt={text}"), "localhost", "bkt"), Ok(expected), "{text}");
        }
    }

    #[test]
    fn bodies_have_a_checksum_where_one_is_named() {
        let checksum = |text: &str| find(text, "localhost", "bkt").unwrap().checksum;
        assert_eq!(checksum("localhost/bkt=write-only"), None);
        for (name, expected) in
            [("crc32c", Checksum::Crc32c), ("md5", Checksum::Md5), ("sha256", Checksum::Sha256)]
        {
            assert_eq!(checksum(&format!("localhost/*=checksum={name};write-only")), Some(expected));
        }
    }

    #[test]
    fn headers_are_taken_of_a_fixed_list() {
        let text = "localhost/bkt=X-Amz-Server-Side-Encryption=aws:kms;x-amz-acl=bucket-owner-full-control;\
                    x-amz-server-side-encryption-context=eyJhIjoxfQ%3D%3D";
        let expected = [
            Header::new("x-amz-server-side-encryption", "aws:kms"),
            Header::new("x-amz-acl", "bucket-owner-full-control"),
            Header::new("x-amz-server-side-encryption-context", "eyJhIjoxfQ=="),
        ];
        assert_eq!(find(text, "localhost", "bkt").unwrap().headers, expected);
    }

    #[test]
    fn what_is_wrong_is_told_where_its_pattern_counts() {
        for options in [
            "read-only",
            "writeonly;",
            "authorization=x",
            "x-amz-copy-source=/other/key",
            "x-amz-meta-recorder=x",
            "if-none-match=x",
            "x-amz-acl=",
            "x-amz-acl=a%0D%0Ab",
            "x-amz-acl=a%20b",
            "x-amz-acl=a;x-amz-acl=b",
            "x-amz-acl=%FF",
            "head-first=no",
            "checksum",
            "checksum=",
            "checksum=crc32",
            "checksum=md5;checksum=md5",
        ] {
            let text = format!("*/*=write-only,s3.example.com/bkt={options}");
            let error = find(&text, "s3.example.com", "bkt").unwrap_err().to_string();
            assert!(error.starts_with("entry 2, for \"s3.example.com/bkt\", has "), "{options}: {error}");
            assert!(find(&text, "s3.example.com", "other").unwrap().write_only, "{options}");
        }
        let twice = find("a.b/bkt=write-only,A.B/bkt=", "a.b", "bkt").unwrap_err().to_string();
        assert!(twice.contains("entry 2"), "{twice}");
        for text in ["write-only", "https://a.b/bkt=write-only", "a.b=write-only"] {
            assert!(matches!(BucketOptions::parse(text), Err(Error::KeyPattern { entry: 1, .. })), "{text}");
        }
    }
}
