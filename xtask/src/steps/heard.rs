//! What a running program says: lines, and cargo's progress, which overwrites itself.

use std::io::{BufRead, BufReader, Read};

/// One piece of what a program prints.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Cargo's count, short: `syn, quote (12 of 340)`.
    Progress(String),
    /// Anything else, without escape sequences.
    Line(String),
    Nothing,
}

impl Heard {
    pub(super) fn of(piece: &str) -> Self {
        let text = without_escapes(piece);
        if let Some(progress) = progress(text.trim()) {
            return Self::Progress(progress);
        }
        if text.is_empty() && piece.is_empty() || !text.trim().is_empty() {
            return Self::Line(text);
        }
        Self::Nothing
    }
}

/// Calls `hear` for each piece of `stream` that a line feed or a carriage return ends.
pub(super) fn pieces(stream: impl Read, hear: impl Fn(&str)) {
    let mut stream = BufReader::new(stream);
    let mut piece = Vec::new();
    loop {
        // A stream that breaks has ended.
        let bytes = stream.fill_buf().unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let taken = end.map_or(bytes.len(), |end| end + 1);
        piece.extend_from_slice(&bytes[..end.unwrap_or(taken)]);
        stream.consume(taken);
        if end.is_some() {
            hear(&String::from_utf8_lossy(&piece));
            piece.clear();
        }
    }
    if !piece.is_empty() {
        hear(&String::from_utf8_lossy(&piece));
    }
}

/// `Building [===>   ] 12/340: syn, quote`
fn progress(text: &str) -> Option<String> {
    let (_, counted) = text.strip_prefix("Building [")?.split_once("] ")?;
    let (count, crates) = counted.split_once(": ").unwrap_or((counted, ""));
    let (done, all) = count.trim_end_matches(':').split_once('/')?;
    let (done, all): (u32, u32) = (done.parse().ok()?, all.parse().ok()?);
    Some(
        format!("{crates} ({done} of {all})")
            .trim_start()
            .to_owned(),
    )
}

/// `text` without ECMA-48's control sequences, such as colours.
fn without_escapes(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|character: char| ('@'..='~').contains(&character));
        plain.push_str(end.map_or("", |end| &part[end + 1..]));
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn heard(bytes: &[u8]) -> Vec<Heard> {
        let heard = RefCell::new(Vec::new());
        pieces(bytes, |piece| heard.borrow_mut().push(Heard::of(piece)));
        heard.into_inner()
    }

    fn line(text: &str) -> Heard {
        Heard::Line(text.to_owned())
    }

    #[test]
    fn cargos_count_is_shortened_and_its_lines_are_kept() {
        let said = b"   \x1b[1m\x1b[32mCompiling\x1b[0m syn v3.0.10\n\
            \x1b[1m\x1b[36m    Building\x1b[0m [=>      ] 12/340: syn, quote(build)\r\x1b[K\
            \x1b[1m\x1b[36m    Building\x1b[0m [=>      ] 13/340\r\x1b[K\
            \x1b[1m\x1b[33mwarning\x1b[0m: odd\n";
        let progress = |text: &str| Heard::Progress(text.to_owned());
        assert_eq!(
            heard(said),
            [
                line("   Compiling syn v3.0.10"),
                progress("syn, quote(build) (12 of 340)"),
                progress("(13 of 340)"),
                line("warning: odd"),
            ]
        );
    }

    #[test]
    fn empty_lines_and_a_last_line_without_an_end_are_kept() {
        assert_eq!(heard(b"one\n\ntwo"), [line("one"), line(""), line("two")]);
        assert_eq!(heard(b"Building [] 1/x: y"), [line("Building [] 1/x: y")]);
        assert_eq!(heard(b"\x1b[K"), [Heard::Nothing]);
    }
}
