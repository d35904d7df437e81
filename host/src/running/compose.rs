//! Composition of a component with its dependencies, by the rules of Spin.
//!
//! Each import that a dependency's name matches is satisfied by that dependency's export. What a
//! dependency imports itself goes to the host: under its own name where the dependency inherits the
//! capability, under a name that the host refuses otherwise.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use wac_graph::types::{ItemKind, Package, SubtypeChecker, WorldId};
use wac_graph::{CompositionGraph, EncodeOptions, NodeId};

use crate::interfaces::refused;
use crate::manifest::Component;
use crate::manifest::capability::Inherit;
use crate::manifest::dependency::DependencyName;

/// Reads the component `id` and its dependencies from `directory` and makes one component of them.
///
/// # Errors
///
/// When a file cannot be read or is not a component, when a dependency matches no import or does not
/// export what it should, or when two dependencies match one import.
pub fn compose(id: &str, component: &Component, directory: &Path) -> Result<Vec<u8>> {
    let source = read(&directory.join(&component.source))?;
    if component.dependencies.is_empty() {
        return Ok(source);
    }
    let mut composition = Composition { graph: CompositionGraph::new() };
    let root = composition.instantiate(id, source)?;

    let imports: Vec<String> = composition.graph.types()[root.world].imports.keys().cloned().collect();
    let mut satisfied: Vec<(String, &DependencyName)> = Vec::new();
    for (index, (name, dependency)) in component.dependencies.iter().enumerate() {
        let matched: Vec<&String> = imports.iter().filter(|import| name.matches(import)).collect();
        ensure!(!matched.is_empty(), "the dependency \"{name}\" matches no import of the component");
        let bytes = read(&directory.join(&dependency.path))?;
        let provider = composition
            .instantiate(name.package(), bytes)
            .with_context(|| format!("while adding the dependency \"{name}\""))?;
        composition
            .refuse(&provider, &dependency.inherit, index)
            .with_context(|| format!("while adding the dependency \"{name}\""))?;
        for import in matched {
            if let Some((_, other)) = satisfied.iter().find(|(taken, _)| taken == import) {
                bail!("the import {import:?} is satisfied by both \"{other}\" and \"{name}\"");
            }
            composition
                .connect(&root, import, &provider)
                .with_context(|| format!("while connecting the dependency \"{name}\""))?;
            satisfied.push((import.clone(), name));
        }
    }
    composition.finish(&root)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("while reading the component {}", path.display()))
}

struct Composition {
    graph: CompositionGraph,
}

/// One component in the graph.
struct Instantiation {
    world: WorldId,
    node: NodeId,
}

impl Composition {
    fn instantiate(&mut self, package: &str, bytes: Vec<u8>) -> Result<Instantiation> {
        let package = Package::from_bytes(package, None, bytes, self.graph.types_mut())?;
        let world = package.ty();
        let package = self.graph.register_package(package)?;
        Ok(Instantiation { world, node: self.graph.instantiate(package) })
    }

    /// Renames the imports of `provider` whose capability it does not inherit.
    fn refuse(&mut self, provider: &Instantiation, inherit: &Inherit, index: usize) -> Result<()> {
        let imports: Vec<(String, ItemKind)> = self.graph.types()[provider.world]
            .imports
            .iter()
            .filter(|(name, _)| !inherit.allows(name))
            .map(|(name, kind)| (name.clone(), *kind))
            .collect();
        for (name, kind) in imports {
            // Its resource comes from another interface of the set, and with that renamed, the types of
            // the two no longer agree: Spin fails here too, with less to go by.
            ensure!(
                !name.starts_with("wasi:keyvalue/atomics") && !name.starts_with("wasi:keyvalue/batch"),
                "it imports {name:?}, which needs inherit_configuration = [\"key_value_stores\"]"
            );
            let ItemKind::Instance(interface) = kind else { continue };
            let renamed = refused::renamed(&name, index);
            let mut interface = self.graph.types()[interface].clone();
            interface.id = Some(renamed.clone());
            let kind = ItemKind::Instance(self.graph.types_mut().add_interface(interface));
            let refusal = self.graph.import(renamed, kind)?;
            self.graph.set_instantiation_argument(provider.node, &name, refusal)?;
        }
        Ok(())
    }

    fn connect(&mut self, root: &Instantiation, import: &str, provider: &Instantiation) -> Result<()> {
        let types = self.graph.types();
        let export = *types[provider.world]
            .exports
            .get(import)
            .with_context(|| format!("it does not export {import:?}"))?;
        let wanted = *types[root.world].imports.get(import).expect("the import should be the root's");
        let mut cache = Default::default();
        SubtypeChecker::new(&mut cache)
            .is_subtype(export, types, wanted, types)
            .with_context(|| format!("its export {import:?} does not fit the import"))?;
        let export = self.graph.alias_instance_export(provider.node, import)?;
        self.graph.set_instantiation_argument(root.node, import, export)?;
        Ok(())
    }

    /// Exports what the root does and encodes the graph.
    fn finish(mut self, root: &Instantiation) -> Result<Vec<u8>> {
        let exports: Vec<String> = self.graph.types()[root.world].exports.keys().cloned().collect();
        for name in exports {
            let export = self.graph.alias_instance_export(root.node, &name)?;
            self.graph.export(export, &name)?;
        }
        Ok(self.graph.encode(EncodeOptions::default())?)
    }
}
