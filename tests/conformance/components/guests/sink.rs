//! Uses capabilities from within a dependency.

use spin_sdk::wasip3::http::{client, types};
use spin_sdk::wasip3::wit_future;
use spin_sdk::wit_bindgen::StreamReader;
use spin_sdk::{key_value, variables};

spin_sdk::wit_bindgen::generate!({
    world: "sink-provider", path: "wit", runtime_path: "spin_sdk::wit_bindgen::rt", generate_all,
});

struct Component;

impl exports::conformance::sink::sink::Guest for Component {
    async fn put(authority: String, path: String, body: StreamReader<u8>) -> Result<u16, String> {
        let (_, no_trailers) = wit_future::new(|| Ok(None));
        let (request, _sent) = types::Request::new(types::Fields::new(), Some(body), no_trailers, None);
        request
            .set_method(&types::Method::Put)
            .and_then(|()| request.set_scheme(Some(&types::Scheme::Http)))
            .and_then(|()| request.set_authority(Some(&authority)))
            .and_then(|()| request.set_path_with_query(Some(&path)))
            .map_err(|()| "malformed request".to_owned())?;
        let response = client::send(request).await.map_err(|error| format!("{error:?}"))?;
        Ok(response.get_status_code())
    }

    async fn attempt(capability: String) -> Result<String, String> {
        match capability.as_str() {
            "key-value" => {
                let store = key_value::Store::open_default().await.map_err(|error| format!("{error:?}"))?;
                store.set("from-sink", b"x").await.map_err(|error| format!("{error:?}"))?;
                Ok("written".to_owned())
            }
            "variables" => variables::get("greeting").await.map_err(|error| format!("{error:?}")),
            "environment" => Ok(format!("{} variables", std::env::vars().count())),
            "files" => match std::fs::read_dir("/") {
                Ok(_) => Err("the root can be read".to_owned()),
                Err(_) => Ok("no files".to_owned()),
            },
            other => Err(format!("unknown capability {other:?}")),
        }
    }
}

export!(Component);
