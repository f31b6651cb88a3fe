//! The paths that a Rust file names.

use std::sync::LazyLock;

use regex_lite::Regex;

/// Hashes around a raw string, at most.
const RAW_HASHES_MAX: usize = 4;

/// A token, or a comment or literal, which has no capture. Not of proc-macro2: as a dependency of a program, not of a macro, cargo
/// compiles it with other options, and with it everything that a macro expands in, burn included.
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    let hashes = (0..=RAW_HASHES_MAX).map(|count| "#".repeat(count));
    let raw = hashes.map(|hashes| format!(r#"[bc]?r{hashes}"[\s\S]*?"{hashes}"#));
    let raw = raw.collect::<Vec<_>>().join("|");
    let parts = [
        r"//[^\n]*",
        r"/\*[\s\S]*?\*/",
        &raw,
        r#""(?:\\[\s\S]|[^"\\])*""#,
        r"'(?:\\[^\n]+?|[^'\\])'",
        r"'\w+",
        r"((?:r#)?[A-Za-z_]\w*|::|[{}()\[\],;#])",
    ];
    Regex::new(&parts.join("|")).expect("a test uses it")
});

/// The paths in a file that begin with `crate`, `self` or `super`, without those of tests.
pub(super) fn parse(text: &str) -> Vec<Vec<String>> {
    let tokens = TOKEN.captures_iter(text).filter_map(|found| found.get(1));
    let tokens: Vec<_> = tokens.map(|token| token.as_str()).collect();
    let mut found = Vec::new();
    let mut rest = &*tokens;
    while !rest.is_empty() {
        rest = match rest {
            ["crate" | "self" | "super", "::", ..] => path(rest, &[], &mut found),
            ["#", "[", attribute @ ..] if is_cfg_test(attribute) => without_item(attribute),
            _ => &rest[1..],
        };
    }
    found
}

/// Puts the path at the start of `tokens`, which continues `base`, into `found`, or each path of a `use` with braces; what
/// comes after it.
fn path<'a, 'b>(
    mut tokens: &'b [&'a str],
    base: &[String],
    found: &mut Vec<Vec<String>>,
) -> &'b [&'a str] {
    let mut path = base.to_vec();
    loop {
        match tokens {
            ["{", inner @ ..] => return branches(inner, &path, found),
            [name, after @ ..] if is_word(name) => {
                path.push((*name).to_owned());
                tokens = after;
            }
            _ => break,
        }
        let ["::", after @ ..] = tokens else { break };
        tokens = after;
    }
    found.push(path);
    tokens
}

/// Each path between the braces that `tokens` are in; what comes after these.
fn branches<'a, 'b>(
    mut tokens: &'b [&'a str],
    base: &[String],
    found: &mut Vec<Vec<String>>,
) -> &'b [&'a str] {
    let mut starts = true;
    loop {
        tokens = match tokens {
            [] => return tokens,
            ["}", after @ ..] => return after,
            [first, ..] if starts && (*first == "{" || is_word(first)) => {
                starts = false;
                path(tokens, base, found)
            }
            [first, after @ ..] => {
                starts = *first == ",";
                after
            }
        };
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Whether these are the tokens of `cfg(test)` in an attribute, or of one of all(test, ...).
fn is_cfg_test(attribute: &[&str]) -> bool {
    attribute.starts_with(&["cfg", "(", "test"])
        || attribute.starts_with(&["cfg", "(", "all", "(", "test"])
}

/// The tokens after the attribute and the module or other item that they begin with.
fn without_item<'a, 'b>(tokens: &'b [&'a str]) -> &'b [&'a str] {
    let mut depth = 0_usize;
    let ends = |token: &&str| {
        match *token {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && (*token == "}" || *token == ";")
    };
    let end = tokens.iter().position(ends);
    end.map_or(&[], |end| &tokens[end + 1..])
}
