//! The recording API as a client calls it, signed with ACS3-HMAC-SHA256 by code of its own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::site::Site;

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The access key that `live-recorder up` has by default.
const ACCESS_KEY: (&str, &str) = ("testid", "testsecret");

/// Calls an action; answers the status and the JSON.
///
/// # Errors
/// The server cannot be reached or does not answer JSON.
pub fn call(site: &impl Site, action: &str, parameters: &[(&str, &str)]) -> Result<(u16, Value)> {
    let host = site.functions().trim_start_matches("http://");
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let nonce = format!("{:?}-{:?}", std::time::Instant::now(), std::thread::current().id());
    let signed = sign(host, now_s, &nonce, action, parameters)?;
    let agent = crate::http_agent();
    let mut request = agent.post(format!("{}{}", site.functions(), signed.uri()));
    for (name, value) in signed.headers() {
        request = request.header(name, value);
    }
    let mut response = request.send_empty()?;
    let status = response.status().as_u16();
    let body = response.body_mut().read_to_string()?;
    let body = serde_json::from_str(&body).with_context(|| format!("{action} answers {status}: {body}"))?;
    Ok((status, body))
}

/// A signed call of an action at a time, in Unix seconds. Each call needs another `nonce`.
///
/// # Errors
/// A time or a host that no call can have.
pub fn sign(
    host: &str,
    now_s: u64,
    nonce: &str,
    action: &str,
    parameters: &[(&str, &str)],
) -> Result<http::Request<()>> {
    let mut encoded: Vec<String> = parameters
        .iter()
        .map(|(name, value)| {
            format!("{}={}", utf8_percent_encode(name, UNRESERVED), utf8_percent_encode(value, UNRESERVED))
        })
        .collect();
    encoded.sort_unstable();
    let query = encoded.join("&");
    let now = DateTime::from_timestamp(i64::try_from(now_s)?, 0).unwrap_or_default();
    let date = now.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let nonce = hex(&Sha256::digest(nonce));
    let empty = hex(&Sha256::digest(""));
    let headers = [
        ("host", host),
        ("x-acs-action", action),
        ("x-acs-content-sha256", &empty),
        ("x-acs-date", &date),
        ("x-acs-signature-nonce", &nonce),
        ("x-acs-version", "2016-11-01"),
    ];
    let names = headers.map(|(name, _)| name).join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let canonical = format!("POST\n/\n{query}\n{lines}\n{names}\n{empty}");
    let to_sign = format!("ACS3-HMAC-SHA256\n{}", hex(&Sha256::digest(canonical)));
    let mut mac = Hmac::<Sha256>::new_from_slice(ACCESS_KEY.1.as_bytes()).context("the secret is no key")?;
    mac.update(to_sign.as_bytes());
    let signature = hex(&mac.finalize().into_bytes());
    let authorization =
        format!("ACS3-HMAC-SHA256 Credential={},SignedHeaders={names},Signature={signature}", ACCESS_KEY.0);
    let request = http::Request::post(format!("/?{query}")).header("authorization", authorization);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    Ok(request.body(())?)
}

/// Object names of the record files of an hour before and after now that the API knows of a stream, by name.
///
/// # Errors
/// The server cannot be reached, or refuses to say.
pub fn record_files(site: &impl Site, domain: &str, app: &str, stream: &str) -> Result<Vec<String>> {
    const HOUR: Duration = Duration::from_secs(3_600);
    let time = |time: SystemTime| DateTime::<Utc>::from(time).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let (from, to) = (time(SystemTime::now() - HOUR), time(SystemTime::now() + HOUR));
    let parameters = [
        ("DomainName", domain),
        ("AppName", app),
        ("StreamName", stream),
        ("StartTime", &*from),
        ("EndTime", &*to),
    ];
    let (status, answer) = call(site, "DescribeLiveStreamRecordIndexFiles", &parameters)?;
    let files = answer["RecordIndexInfoList"]["RecordIndexInfo"].as_array();
    let files = files.filter(|_| status == 200).with_context(|| format!("it answers {status}: {answer}"))?;
    let object = |file: &Value| file["OssObject"].as_str().map(str::to_owned);
    let objects = files.iter().map(|file| object(file).with_context(|| format!("no object: {file}")));
    let mut objects = objects.collect::<Result<Vec<_>>>()?;
    objects.sort();
    Ok(objects)
}

/// Adds a rule that records every stream of an application as m3u8.
///
/// # Errors
/// The rule is refused.
pub fn add_rule(site: &impl Site, domain: &str, app: &str, slice_s: &str, delay_s: &str) -> Result<()> {
    add_rule_with(site, (domain, app), slice_s, delay_s, &[])
}

/// The same, and as m3u8, mp4 and flv.
///
/// # Errors
/// The rule is refused.
pub fn add_rule_of_all_formats(
    site: &impl Site,
    domain: &str,
    app: &str,
    slice_s: &str,
    delay_s: &str,
) -> Result<()> {
    let more = [("RecordFormat.2.Format", "mp4"), ("RecordFormat.3.Format", "flv")];
    add_rule_with(site, (domain, app), slice_s, delay_s, &more)
}

fn add_rule_with(
    site: &impl Site,
    (domain, app): (&str, &str),
    slice_s: &str,
    delay_s: &str,
    more: &[(&str, &str)],
) -> Result<()> {
    let parameters = [
        ("DomainName", domain),
        ("AppName", app),
        ("OssBucket", "recordings"),
        ("OssEndpoint", site.bucket()),
        ("DelayTime", delay_s),
        ("RecordFormat.1.Format", "m3u8"),
        ("RecordFormat.1.SliceDuration", slice_s),
    ];
    match call(site, "AddLiveAppRecordConfig", &[&parameters[..], more].concat())? {
        (200, _) => Ok(()),
        (status, body) => bail!("AddLiveAppRecordConfig answers {status}: {body}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
