//! No file or folder of a crate imports one that imports it back, directly or through others. An import is a `use` or a path that
//! begins with `crate`, `self` or `super`. A parent may name its own children, and a test any file.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail};
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

/// Every crate's `src`.
pub(crate) fn check() -> anyhow::Result<()> {
    let root = crate::root();
    let mut found = Vec::new();
    for src in sources(&root)? {
        let name = src.strip_prefix(&root)?.display().to_string();
        let files = read(&src).with_context(|| format!("cannot read {name}"))?;
        found.extend(cycles(&name, &files));
    }
    report(&found)
}

/// The `src` folders one and two levels below `root`.
fn sources(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    const NO_CRATES: [&str; 3] = ["target", "node_modules", "dist"];
    let mut found = Vec::new();
    for folder in folders(root)? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        if NO_CRATES.contains(&&*name) || name.starts_with('.') {
            continue;
        }
        for crate_folder in [vec![folder.clone()], folders(&folder)?].concat() {
            let src = crate_folder.join("src");
            if crate_folder.join("Cargo.toml").is_file() && src.is_dir() {
                found.push(src);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn folders(parent: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(parent)? {
        let path = entry?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    Ok(found)
}

/// A module's path below its crate.
type Module = Vec<String>;
/// The paths that each module's file names.
type Files = BTreeMap<Module, Vec<Vec<String>>>;
/// What each module or folder imports, and by which names.
type Imports = BTreeMap<Module, BTreeMap<Module, BTreeSet<String>>>;

fn read(src: &Path) -> anyhow::Result<Files> {
    let mut files = Files::new();
    let mut unread = vec![src.to_owned()];
    while let Some(folder) = unread.pop() {
        unread.extend(folders(&folder)?);
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "rs")
                && let Some(module) = module(path.strip_prefix(src)?)
            {
                let text = fs::read_to_string(&path)?;
                let paths = parse(&text).with_context(|| format!("cannot read {path:?}"))?;
                files.insert(module, paths);
            }
        }
    }
    Ok(files)
}

/// The module that a file is; `None` for tests and for the roots of programs.
fn module(file: &Path) -> Option<Module> {
    let file = file.with_extension("");
    let mut names: Module = file
        .iter()
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    if names.iter().any(|name| name == "tests") || names[0] == "bin" || names == ["main"] {
        return None;
    }
    names.pop_if(|last| *last == "lib" || *last == "mod");
    Some(names)
}

/// Modules, or folders with all that is in them, that import each other.
#[derive(Debug, PartialEq, Eq)]
struct Cycle {
    name: String,
    /// One line for each import within the cycle.
    imports: Vec<String>,
}

fn cycles(src: &str, files: &Files) -> Vec<Cycle> {
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
        for members in circles(&imports) {
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
fn circles(imports: &Imports) -> Vec<BTreeSet<Module>> {
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

/// What `module` imports, directly or over others.
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

fn parse(text: &str) -> anyhow::Result<Vec<Vec<String>>> {
    let tokens: TokenStream = text.parse().map_err(|error| anyhow!("{error}"))?;
    let mut found = Vec::new();
    paths(tokens, &mut found);
    Ok(found)
}

/// Puts every path in `tokens` that begins with `crate`, `self` or `super` into `found`, except those of tests.
fn paths(tokens: TokenStream, found: &mut Vec<Vec<String>>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut rest = &*tokens;
    while let Some((first, after)) = rest.split_first() {
        rest = match first {
            TokenTree::Ident(root) if starts_path(root) && path_goes_on(after) => {
                path(rest, &[], found)
            }
            TokenTree::Group(group) if is_cfg_test(group) => without_module(after),
            TokenTree::Group(group) => {
                paths(group.stream(), found);
                after
            }
            _ => after,
        };
    }
}

fn starts_path(word: &Ident) -> bool {
    word == "crate" || word == "self" || word == "super"
}

fn path_goes_on(tokens: &[TokenTree]) -> bool {
    let is_colon =
        |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':');
    matches!(tokens, [one, two, ..] if is_colon(one) && is_colon(two))
}

/// Puts the path at the start of `tokens`, which continues `base`, into `found`, or each path of a `use` with braces; what
/// comes after it.
fn path<'a>(
    mut tokens: &'a [TokenTree],
    base: &[String],
    found: &mut Vec<Vec<String>>,
) -> &'a [TokenTree] {
    let mut path = base.to_vec();
    loop {
        match tokens.split_first() {
            Some((TokenTree::Ident(name), after)) => {
                path.push(name.to_string());
                tokens = after;
            }
            Some((TokenTree::Group(group), after)) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<_> = group.stream().into_iter().collect();
                let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
                for branch in inner.split(is_comma).filter(|branch| !branch.is_empty()) {
                    self::path(branch, &path, found);
                }
                return after;
            }
            _ => break,
        }
        if !path_goes_on(tokens) {
            break;
        }
        tokens = &tokens[2..];
    }
    found.push(path);
    tokens
}

/// Whether this is the `[cfg(test)]` of an attribute, or one of all(test, ...).
fn is_cfg_test(group: &Group) -> bool {
    let text: String = group.stream().to_string().split_whitespace().collect();
    group.delimiter() == Delimiter::Bracket
        && (text.starts_with("cfg(test") || text.starts_with("cfg(all(test"))
}

/// The tokens after the module or other item that they begin with.
fn without_module(tokens: &[TokenTree]) -> &[TokenTree] {
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    };
    let end = tokens.iter().position(ends);
    end.map_or(&[], |end| &tokens[end + 1..])
}

/// # Errors
/// Each cycle with its imports, if there is one.
fn report(found: &[Cycle]) -> anyhow::Result<()> {
    let mut problems = Vec::new();
    for cycle in found {
        problems.push(format!("a cycle of imports in {}", cycle.name));
        problems.extend(cycle.imports.iter().map(|arrow| format!("  {arrow}")));
    }
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &[(&str, &str)]) -> Vec<String> {
        let files = files.iter().map(|(path, text)| {
            let module = module(Path::new(path)).expect("no test");
            (module, parse(text).expect("Rust"))
        });
        let found = cycles("src", &files.collect());
        found.into_iter().map(|cycle| cycle.name).collect()
    }

    #[test]
    fn finds_cycles_of_files_however_the_import_is_written() {
        for import in [
            "use crate::b::B;",
            "use super::b;",
            "use crate::{\n    c,\n    b::{self, B as Other},\n};",
            "fn f() { crate::b::f(); }",
            "fn f(b: super::b::B) {}",
            "pub(crate) use crate::b::B;",
        ] {
            let files = [
                ("lib.rs", ""),
                ("a.rs", import),
                ("b.rs", "use crate::a::A;"),
                ("c.rs", ""),
            ];
            assert_eq!(names(&files), ["src: a b"], "{import}");
        }
    }

    #[test]
    fn finds_cycles_over_others() {
        let files = [
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "use crate::c::C;"),
            ("c.rs", "use crate::a::A;"),
            ("d.rs", "use crate::a::A;"),
        ];
        assert_eq!(names(&files), ["src: a b c"]);
    }

    #[test]
    fn finds_cycles_of_folders_whose_files_have_none() {
        let files = [
            ("a.rs", "mod one; mod two;"),
            ("a/one.rs", "use crate::b::one::One;"),
            ("a/two.rs", ""),
            ("b/mod.rs", "mod one; mod two;"),
            ("b/one.rs", ""),
            ("b/two.rs", "use crate::a::two::Two;"),
        ];
        assert_eq!(names(&files), ["src: a b"]);
    }

    #[test]
    fn ignores_tests_comments_strings_and_children() {
        let tests = "#[cfg(test)]\nmod tests {\n    use crate::b::B;\n}";
        for text in [
            "// use crate::b::B;",
            "/// [`crate::b::B`]",
            "const TEXT: &str = \"use crate::b::B;\";",
            "const TEXT: &str = r#\"crate::b::B \"quoted\" \"#;",
            "mod b;",
            "use other_crate::b::B;",
            tests,
        ] {
            let files = [("a.rs", text), ("b.rs", "use crate::a::A;")];
            assert!(names(&files).is_empty(), "{text}");
        }
        assert_eq!(module(Path::new("a/tests.rs")), None);
    }

    #[test]
    fn reports_a_cycle_with_its_imports() {
        let files = [("a.rs", "use crate::b::B;"), ("b.rs", "use crate::a::A;")];
        let files = files.map(|(path, text)| {
            let module = module(Path::new(path)).expect("no test");
            (module, parse(text).expect("Rust"))
        });
        let found = cycles("src", &files.into());
        let problem = report(&found).expect_err("there is a cycle").to_string();
        assert!(problem.contains("src: a b"), "{problem}");
        assert!(problem.contains("a -> b: B"), "{problem}");
        report(&[]).expect("there is none");
    }
}
