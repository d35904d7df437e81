//! What is generated from `wit/`.

wasmtime::component::bindgen!({
    path: "wit",
    world: "live-recorder:host/imports",
    imports: { default: async | trappable },
    with: {
        "spin:key-value/key-value.store": crate::interfaces::stores::Store,
        "wasi:keyvalue/store.bucket": crate::interfaces::stores::Store,
    },
    trappable_error_type: {
        "spin:key-value/key-value.error" => crate::interfaces::stores::StoreError,
        "spin:variables/variables.error" => crate::manifest::variables::VariableError,
        "wasi:keyvalue/store.error" => crate::interfaces::stores::StoreError,
    },
});
