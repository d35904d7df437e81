//! Increments a counter in the store that it may inherit.

use spin_sdk::experimental::wasi::keyvalue::{atomics, store};

spin_sdk::wit_bindgen::generate!({
    world: "counter-provider", path: "wit", runtime_path: "spin_sdk::wit_bindgen::rt", generate_all,
});

struct Component;

impl exports::conformance::counter::counter::Guest for Component {
    async fn bump(key: String) -> Result<i64, String> {
        let bucket = store::open("default").map_err(|error| format!("{error:?}"))?;
        atomics::increment(&bucket, &key, 1).map_err(|error| format!("{error:?}"))
    }
}

export!(Component);
