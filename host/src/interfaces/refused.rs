//! Interfaces that refuse: files and sockets, which no component has here, and those that a dependency imports
//! without inheriting their capability.
//!
//! Composition renames an import of the second kind, so that it stays apart from the granted one. This module
//! satisfies both kinds with functions that refuse: with the interface's own error where it has one, with
//! nothing at all for a list or an option, with a trap otherwise. So does Spin's adapter.

use wasmtime::component::types::{ComponentFunc, ComponentInstance, ComponentItem, Type};
use wasmtime::component::{Component, Linker, LinkerInstance, Resource, ResourceType, Val};
use wasmtime::{AsContextMut, Engine, Result, bail};

const NAMESPACE: &str = "refused:";

/// Packages of which no component is given anything.
const NOT_GIVEN: [&str; 2] = ["wasi:filesystem/", "wasi:sockets/"];

/// The handle of the network, which names a right to ask; what is asked with it is refused.
const INSTANCE_NETWORK: &str = "wasi:sockets/instance-network";

/// Stands for every resource of a refused interface.
struct Never;

/// The import name under which `interface` is refused to the dependency number `index`.
pub(crate) fn renamed(interface: &str, index: usize) -> String {
    format!("{NAMESPACE}d{index}-{}", interface.replacen(':', "-", 1))
}

/// The interface that an import name made by [`renamed`] stands for.
fn original(import: &str) -> Option<String> {
    let (_index, name) = import.strip_prefix(NAMESPACE)?.split_once('-')?;
    Some(name.replacen('-', ":", 1))
}

/// The interface, without its version, that is refused under the name `import`.
fn refused_interface(import: &str) -> Option<String> {
    let given = || !NOT_GIVEN.iter().any(|package| import.starts_with(package));
    let interface = original(import).or_else(|| (!given()).then(|| import.to_owned()))?;
    interface.split('@').next().map(str::to_owned)
}

/// Satisfies the refused imports of `component`.
pub(crate) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    engine: &Engine,
    component: &Component,
) -> Result<()> {
    let component = component.component_type();
    let mut defined: Vec<ResourceType> = Vec::new();
    for (import, item) in component.imports(engine) {
        let ComponentItem::ComponentInstance(instance) = item.ty else { continue };
        match refused_interface(import) {
            Some(interface) => {
                refuse(&mut linker.instance(import)?, engine, &instance, &interface, &mut defined)?;
            }
            None => defined.extend(instance.exports(engine).filter_map(|(_, item)| match item.ty {
                ComponentItem::Resource(resource) => Some(resource),
                _ => None,
            })),
        }
    }
    Ok(())
}

fn refuse<T: Send + 'static>(
    linker: &mut LinkerInstance<'_, T>,
    engine: &Engine,
    instance: &ComponentInstance,
    interface: &str,
    defined: &mut Vec<ResourceType>,
) -> Result<()> {
    for (name, item) in instance.exports(engine) {
        match item.ty {
            // A resource that another interface defined before is only used here.
            ComponentItem::Resource(resource) if !defined.contains(&resource) => {
                linker.resource(name, ResourceType::host::<Never>(), |_, _| Ok(()))?;
                defined.push(resource);
            }
            ComponentItem::ComponentFunc(function) => {
                let interface = interface.to_owned();
                if function.async_() {
                    linker.func_new_concurrent(name, move |accessor, function, params, results| {
                        let released = accessor.with(|access| release(params, access));
                        let refused = released.and_then(|()| answer(&interface, &function, params, results));
                        Box::pin(async move { refused })
                    })?;
                } else {
                    linker.func_new(name, move |mut store, function, params, results| {
                        if interface == INSTANCE_NETWORK
                            && let [network] = results
                        {
                            let handle = Resource::<Never>::new_own(0);
                            *network = Val::Resource(handle.try_into_resource_any(store.as_context_mut())?);
                            return Ok(());
                        }
                        release(params, store)?;
                        answer(&interface, &function, params, results)
                    })?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Gives back the handles that a guest lent for a call: the runtime traps where one is left.
fn release(params: &[Val], mut store: impl AsContextMut) -> Result<()> {
    for param in params {
        if let Val::Resource(handle) = param
            && handle.ty() == ResourceType::host::<Never>()
        {
            handle.try_into_resource::<Never>(store.as_context_mut())?;
        }
    }
    Ok(())
}

fn answer(interface: &str, function: &ComponentFunc, params: &[Val], results: &mut [Val]) -> Result<()> {
    tracing::debug!(interface, "refused");
    for (result, ty) in results.iter_mut().zip(function.results()) {
        match refusal(interface, &ty, params) {
            Some(refusal) => *result = refusal,
            None => bail!("\"{interface}\" is not permitted"),
        }
    }
    Ok(())
}

fn refusal(interface: &str, ty: &Type, params: &[Val]) -> Option<Val> {
    match ty {
        Type::List(_) => Some(Val::List(Vec::new())),
        Type::Option(_) => Some(Val::Option(None)),
        Type::Result(result) => {
            let error = match result.err() {
                None => None,
                Some(ty) => Some(Box::new(error(interface, &ty, params)?)),
            };
            Some(Val::Result(Err(error)))
        }
        _ => None,
    }
}

/// The error that says it best, of those that the interfaces of the capability sets have.
fn error(interface: &str, ty: &Type, params: &[Val]) -> Option<Val> {
    const ACCESS_DENIED: &str = "access-denied";
    let message = || Val::String(format!("\"{interface}\" is not permitted"));
    match ty {
        Type::Enum(cases) => {
            cases.names().any(|name| name == ACCESS_DENIED).then(|| Val::Enum(ACCESS_DENIED.into()))
        }
        Type::Variant(cases) => {
            let name = [ACCESS_DENIED, "undefined", "internal-error", "other"]
                .into_iter()
                .find(|name| cases.cases().any(|case| case.name == *name))?;
            let payload = match cases.cases().find(|case| case.name == name)?.ty {
                None => None,
                // `undefined` names what was asked for.
                Some(Type::String) => match (name, params.first()) {
                    ("undefined", Some(asked @ Val::String(_))) => Some(asked.clone()),
                    _ => Some(message()),
                },
                Some(Type::Option(option)) => match option.ty() {
                    Type::String => Some(Val::Option(Some(Box::new(message())))),
                    _ => Some(Val::Option(None)),
                },
                Some(_) => return None,
            };
            Some(Val::Variant(name.into(), payload.map(Box::new)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_import_names_its_original() {
        let import = renamed("wasi:http/client@0.3.0", 12);
        assert_eq!(import, "refused:d12-wasi-http/client@0.3.0");
        assert_eq!(refused_interface(&import).as_deref(), Some("wasi:http/client"));
        let import = renamed("spin:key-value/key-value@3.0.0", 0);
        assert_eq!(refused_interface(&import).as_deref(), Some("spin:key-value/key-value"));
        assert_eq!(refused_interface("wasi:http/client@0.3.0"), None);
    }

    #[test]
    fn files_and_sockets_are_refused_to_everybody() {
        for import in ["wasi:filesystem/types@0.2.6", "refused:d0-wasi-filesystem/types@0.2.6"] {
            assert_eq!(refused_interface(import).as_deref(), Some("wasi:filesystem/types"));
        }
        assert_eq!(refused_interface("wasi:sockets/types@0.3.0").as_deref(), Some("wasi:sockets/types"));
        assert_eq!(refused_interface("wasi:cli/environment@0.2.6"), None);
    }
}
