//! Interfaces that a dependency imports without inheriting their capability.
//!
//! Composition renames such an import, so that it stays apart from the granted one, and this module
//! satisfies it with functions that refuse: with the interface's own error where it has one, with
//! nothing at all for a list or an option, with a trap otherwise. So does Spin's adapter.

use wasmtime::component::types::{ComponentFunc, ComponentInstance, ComponentItem, Type};
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceType, Val};
use wasmtime::{Engine, Result, bail};

const NAMESPACE: &str = "refused:";

/// Stands for every resource of a refused interface: none is ever made.
struct Never;

/// The import name under which `interface` is refused to the dependency number `index`.
pub(crate) fn renamed(interface: &str, index: usize) -> String {
    format!("{NAMESPACE}d{index}-{}", interface.replacen(':', "-", 1))
}

/// The interface that an import name made by [`renamed`] stands for, without its version.
fn original(import: &str) -> Option<String> {
    let (_index, name) = import.strip_prefix(NAMESPACE)?.split_once('-')?;
    let name = name.split('@').next().unwrap_or(name);
    Some(name.replacen('-', ":", 1))
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
        match original(import) {
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
                    linker.func_new_concurrent(name, move |_, function, params, results| {
                        let refused = answer(&interface, &function, params, results);
                        Box::pin(async move { refused })
                    })?;
                } else {
                    linker.func_new(name, move |_, function, params, results| {
                        answer(&interface, &function, params, results)
                    })?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn answer(interface: &str, function: &ComponentFunc, params: &[Val], results: &mut [Val]) -> Result<()> {
    tracing::debug!(interface, "refused to a dependency that does not inherit it");
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
        assert_eq!(original(&import).as_deref(), Some("wasi:http/client"));
        let import = renamed("spin:key-value/key-value@3.0.0", 0);
        assert_eq!(original(&import).as_deref(), Some("spin:key-value/key-value"));
        assert_eq!(original("wasi:http/client@0.3.0"), None);
    }
}
