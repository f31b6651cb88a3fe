//! Markers and their segments: a segment begins with a two-byte marker, which a length usually follows.

use crate::Error;

pub(crate) const START_OF_IMAGE: u8 = 0xD8;
pub(crate) const END_OF_IMAGE: u8 = 0xD9;
pub(crate) const START_OF_SCAN: u8 = 0xDA;
pub(crate) const QUANTISATION_TABLES: u8 = 0xDB;
pub(crate) const HUFFMAN_TABLES: u8 = 0xC4;
pub(crate) const RESTART_INTERVAL: u8 = 0xDD;
pub(crate) const ARITHMETIC_CONDITIONING: u8 = 0xCC;
pub(crate) const JPEG_EXTENSIONS: u8 = 0xC8;
pub(crate) const FIRST_FRAME: u8 = 0xC0;
pub(crate) const LAST_FRAME: u8 = 0xCF;
pub(crate) const FIRST_RESTART: u8 = 0xD0;
pub(crate) const LAST_RESTART: u8 = 0xD7;
pub(crate) const APP0: u8 = 0xE0;
pub(crate) const APP1: u8 = 0xE1;
pub(crate) const APP14: u8 = 0xEE;
/// T.81 reserves all codes below the first frame marker. `TEM` is one of them; none has a segment.
pub(crate) const RESERVED_LAST: u8 = 0xBF;

/// A segment is cut off.
pub(crate) const TRUNCATED: Error = Error::Damaged("it ends within its header");

/// Walks over bytes from the front.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (head, tail) = self.rest.split_at_checked(count).ok_or(TRUNCATED)?;
        self.rest = tail;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (head, tail) = self.rest.split_first_chunk().ok_or(TRUNCATED)?;
        self.rest = tail;
        Ok(*head)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Error> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn word(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    /// Moves past the next marker and returns its code, or `None` if there is none. Like libjpeg, skips all bytes before
    /// it: the rest of a scan, and bytes that should not be there.
    pub(crate) fn marker(&mut self) -> Option<u8> {
        loop {
            let at = self.rest.iter().position(|&byte| byte == 0xFF)?;
            let code_at = at + self.rest[at..].iter().position(|&byte| byte != 0xFF)?;
            let code = self.rest[code_at];
            self.rest = &self.rest[code_at + 1..];
            if code != 0 {
                return Some(code);
            }
        }
    }

    /// The content after a marker. It is preceded by a length that counts its own two bytes.
    pub(crate) fn segment(&mut self) -> Result<Cursor<'a>, Error> {
        let length = usize::from(self.word()?);
        let content = length
            .checked_sub(2)
            .ok_or(Error::Damaged("a segment is shorter than its length"))?;
        self.take(content).map(Cursor::new)
    }

    /// As [`Self::segment`], for content that does not matter: an impossible length means that it is empty.
    pub(crate) fn optional_segment(&mut self) -> Result<Cursor<'a>, Error> {
        let content = usize::from(self.word()?).saturating_sub(2);
        self.take(content).map(Cursor::new)
    }
}
