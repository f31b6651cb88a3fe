//! The imports of a crate as a graph, and the cycles in it.

use std::collections::{BTreeMap, BTreeSet};

/// A module's path below its crate.
pub(super) type Module = Vec<String>;
/// The paths that each module's file names.
pub(super) type Files = BTreeMap<Module, Vec<Vec<String>>>;
/// What each module or folder imports, and by which names.
type Imports = BTreeMap<Module, BTreeMap<Module, BTreeSet<String>>>;

/// Modules, or folders with all that is in them, that import each other.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cycle {
    pub(super) name: String,
    /// One line for each import within the cycle.
    pub(super) imports: Vec<String>,
}

/// Every cycle of files or folders in one crate.
pub(super) fn cycles(src: &str, files: &Files) -> Vec<Cycle> {
    let of_files = imports(files);
    let parents: BTreeSet<Module> = files
        .keys()
        .flat_map(|module| (0..module.len()).map(|depth| module[..depth].to_vec()))
        .collect();
    let of_folders = parents
        .iter()
        .map(|parent| among_children(parent, &of_files));
    let mut found: Vec<Cycle> = Vec::new();
    for imports in [of_files.clone()].into_iter().chain(of_folders) {
        for members in strongly_connected(&imports) {
            let cycle = Cycle::new(src, &members, &imports);
            if found.iter().all(|earlier| earlier.name != cycle.name) {
                found.push(cycle);
            }
        }
    }
    found
}

impl Cycle {
    fn new(src: &str, members: &BTreeSet<Module>, imports: &Imports) -> Self {
        let names: Vec<_> = members.iter().map(|member| member.join("::")).collect();
        let arrows = members.iter().flat_map(|from| {
            let inside = imports[from].iter().filter(|(to, _)| members.contains(*to));
            inside.map(|(to, names)| {
                let names: Vec<_> = names.iter().map(String::as_str).collect();
                let (from, to) = (from.join("::"), to.join("::"));
                format!("{from} -> {to}: {}", names.join(", "))
            })
        });
        Self {
            name: format!("{src}: {}", names.join(" ")),
            imports: arrows.collect(),
        }
    }
}

/// The imports among the files and folders directly in `parent`, each with all that is in it.
fn among_children(parent: &Module, of_files: &Imports) -> Imports {
    let depth = parent.len();
    let child = |module: &Module| {
        (module.len() > depth && module.starts_with(parent)).then(|| module[..=depth].to_vec())
    };
    let mut found = Imports::new();
    for (from, targets) in of_files {
        let Some(from) = child(from) else { continue };
        let of_child = found.entry(from.clone()).or_default();
        for (to, names) in targets {
            if let Some(to) = child(to).filter(|to| *to != from) {
                of_child
                    .entry(to)
                    .or_default()
                    .extend(names.iter().cloned());
            }
        }
    }
    found
}

fn imports(files: &Files) -> Imports {
    files
        .iter()
        .map(|(module, paths)| {
            let mut targets: BTreeMap<Module, BTreeSet<String>> = BTreeMap::new();
            for path in paths {
                if let Some((target, name)) = resolve(module, path, files) {
                    targets.entry(target).or_default().insert(name);
                }
            }
            (module.clone(), targets)
        })
        .collect()
}

/// The file that a path leads to, and what it names there. The crate's root only re-exports.
fn resolve(module: &Module, path: &[String], files: &Files) -> Option<(Module, String)> {
    let (mut base, mut rest) = match path.split_first()? {
        (first, rest) if first == "crate" => (Module::new(), rest),
        _ => (module.clone(), path),
    };
    while let Some((first, after)) = rest.split_first() {
        match first.as_str() {
            "super" => drop(base.pop()),
            "self" => {}
            _ => break,
        }
        rest = after;
    }
    let full = [&base, rest].concat();
    let end = (1..=full.len())
        .rev()
        .find(|&end| files.contains_key(&full[..end]))?;
    let target = full[..end].to_vec();
    (target != *module).then(|| (target, full[end..].join("::")))
}

/// Sets of modules that can all be reached from each other.
fn strongly_connected(imports: &Imports) -> Vec<BTreeSet<Module>> {
    let reached: BTreeMap<_, _> = imports
        .keys()
        .map(|module| (module, reachable(module, imports)))
        .collect();
    let mut found: Vec<BTreeSet<Module>> = Vec::new();
    for (module, targets) in &reached {
        let members: BTreeSet<Module> = targets
            .iter()
            .filter(|target| reached[target].contains(*module))
            .cloned()
            .collect();
        if members.len() > 1 && !found.contains(&members) {
            found.push(members);
        }
    }
    found
}

/// What `module` imports, directly or through others.
fn reachable(module: &Module, imports: &Imports) -> BTreeSet<Module> {
    let mut found = BTreeSet::new();
    let mut unread = vec![module];
    while let Some(module) = unread.pop() {
        for target in imports[module].keys() {
            if found.insert(target.clone()) {
                unread.push(target);
            }
        }
    }
    found
}
