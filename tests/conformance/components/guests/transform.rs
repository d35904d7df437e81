//! Copies a stream, with no capability.

use spin_sdk::wit_bindgen::{self, StreamReader, StreamResult};

wit_bindgen::generate!({
    world: "transform-provider", path: "wit", runtime_path: "spin_sdk::wit_bindgen::rt", generate_all,
});

struct Component;

impl exports::conformance::transform::transform::Guest for Component {
    async fn pass(mut input: StreamReader<u8>) -> StreamReader<u8> {
        let (mut output, reader) = wit_stream::new();
        wit_bindgen::spawn(async move {
            let mut buffer = Vec::with_capacity(1 << 20);
            loop {
                let (status, filled) = input.read(buffer).await;
                buffer = output.write_all(filled).await;
                buffer.clear();
                if buffer.capacity() == 0 {
                    buffer.reserve(1 << 20);
                }
                if matches!(status, StreamResult::Dropped) {
                    break;
                }
            }
        });
        reader
    }
}

export!(Component);
