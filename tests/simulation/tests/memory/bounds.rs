//! What calls may cost: counted in operations of the store.

use crate::site::Site;

const RULE: [(&str, &str); 5] = [
    ("DomainName", "live.example.com"),
    ("AppName", "live"),
    ("OssBucket", "bkt"),
    ("OssEndpoint", "store"),
    ("RecordFormat.1.Format", "m3u8"),
];

#[test]
fn a_command_on_an_offline_stream_does_not_read_the_rules_of_the_domain() {
    let site = Site::new();
    assert_eq!(site.command("cam", "stop"), "InvalidDomain.NotFound");
    let mut most = 0;
    for number in 0..200 {
        let stream = format!("s{number}");
        site.api("AddLiveAppRecordConfig", &[&RULE[..], &[("StreamName", &stream)]].concat()).unwrap();
        if number % 50 == 0 {
            let (operations, code) = site.operations(|| site.command("cam", "stop"));
            assert_eq!(code, "InvalidStream.NotFound");
            most = most.max(operations);
        }
    }
    let (operations, code) = site.operations(|| site.command("cam", "stop"));
    assert_eq!(code, "InvalidStream.NotFound");
    assert!(operations <= most && most <= 20, "{operations} operations with 200 rules, {most} with fewer");
}
