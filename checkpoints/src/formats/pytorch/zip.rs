//! Archives as `torch.save` writes them: nothing in them is compressed, so no file in them is larger than the archive.

use std::collections::BTreeMap;

const LOCAL_FILE: [u8; 4] = *b"PK\x03\x04";
const DIRECTORY_ENTRY: [u8; 4] = *b"PK\x01\x02";
const END_OF_DIRECTORY: [u8; 4] = *b"PK\x05\x06";
/// The end's fixed part, and the longest comment after it.
const END_BYTES: usize = 22;
const COMMENT_BYTES_MAX: usize = 65_535;

pub(super) fn is_it(bytes: &[u8]) -> bool {
    bytes.starts_with(&LOCAL_FILE)
}

/// The files by name.
///
/// # Errors
/// If the archive is damaged, or a file in it is compressed.
pub(super) fn files(archive: &[u8]) -> Result<BTreeMap<&str, &[u8]>, String> {
    find_files(archive).unwrap_or_else(|| Err("the archive is cut off or damaged".to_owned()))
}

/// `None` if a field is outside the archive.
fn find_files(archive: &[u8]) -> Option<Result<BTreeMap<&str, &[u8]>, String>> {
    let from = archive.len().saturating_sub(END_BYTES + COMMENT_BYTES_MAX);
    let mut ends = (from..archive.len().saturating_sub(END_BYTES - 1)).rev();
    let end = ends.find(|at| archive[*at..].starts_with(&END_OF_DIRECTORY))?;
    let count = u16_at(archive, end + 10)?;
    let mut at = u32_at(archive, end + 16)?;
    let mut files = BTreeMap::new();
    for _ in 0..count {
        let entry = archive.get(at..)?;
        if !entry.starts_with(&DIRECTORY_ENTRY) {
            return None;
        }
        let method = u16_at(entry, 10)?;
        let (packed, bytes) = (u32_at(entry, 20)?, u32_at(entry, 24)?);
        let [name, extra, comment] = [28, 30, 32].map(|field| u16_at(entry, field));
        let (name, extra, comment) = (name?, extra?, comment?);
        let local = u32_at(entry, 42)?;
        if method != 0 || packed != bytes {
            let problem = "the archive is compressed: write it with torch.save";
            return Some(Err(problem.to_owned()));
        }
        let header = 46;
        let text = std::str::from_utf8(entry.get(header..header + name)?).ok()?;
        files.insert(text, local_file(archive.get(local..)?, bytes)?);
        at += header + name + extra + comment;
    }
    Some(Ok(files))
}

/// The contents of a file that is `bytes` long.
fn local_file(file: &[u8], bytes: usize) -> Option<&[u8]> {
    let begins_well = file.starts_with(&LOCAL_FILE);
    let begin = 30 + u16_at(file, 26)? + u16_at(file, 28)?;
    file.get(begin..begin.checked_add(bytes)?)
        .filter(|_| begins_well)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*field).into())
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*field)).ok()
}
