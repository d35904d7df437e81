//! Decoding AMF0 never panics, and a decoded value survives encoding and decoding.
#![no_main]

use amf0::Value;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(values) = Value::decode_all(bytes) else { return };
    let mut encoded = Vec::new();
    values.iter().for_each(|value| value.encode(&mut encoded));
    let again = Value::decode_all(&encoded).expect("an encoding should decode");
    // Compared as text, because a number may be NaN, which does not equal itself.
    assert_eq!(format!("{values:?}"), format!("{again:?}"));
});
