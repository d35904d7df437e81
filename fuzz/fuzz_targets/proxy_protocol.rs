//! A proxy's bytes never make the reader panic, and each part of a header asks for more until it is whole.
#![no_main]

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // Nearly nothing begins as a header does.
    let sent = [SIGNATURE, bytes].concat();
    let _ = proxy_protocol::read(bytes);
    if let Ok(Some((header, length))) = proxy_protocol::read(&sent) {
        assert!(length <= sent.len() && length <= proxy_protocol::MAX_BYTES);
        assert_eq!(header.source.is_some(), header.destination.is_some());
        assert_eq!(proxy_protocol::read(&sent[..length]), Ok(Some((header, length))));
        for part in 0..length {
            assert_eq!(proxy_protocol::read(&sent[..part]), Ok(None));
        }
    }
});
