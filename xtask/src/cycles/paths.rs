//! The paths that a Rust file names.

use anyhow::anyhow;
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

/// The paths in a file that begin with `crate`, `self` or `super`, without those of tests.
pub(super) fn parse(text: &str) -> anyhow::Result<Vec<Vec<String>>> {
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
