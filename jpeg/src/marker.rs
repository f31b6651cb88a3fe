//! The segments in front of the pixels: each begins with a two-byte marker and, mostly, a length.

use crate::Error;

pub(crate) const START_OF_IMAGE: u8 = 0xD8;
pub(crate) const END_OF_IMAGE: u8 = 0xD9;
pub(crate) const START_OF_SCAN: u8 = 0xDA;
pub(crate) const QUANTISATION_TABLES: u8 = 0xDB;
pub(crate) const HUFFMAN_TABLES: u8 = 0xC4;
pub(crate) const RESTART_INTERVAL: u8 = 0xDD;
pub(crate) const NUMBER_OF_LINES: u8 = 0xDC;
pub(crate) const ARITHMETIC_CONDITIONING: u8 = 0xCC;
pub(crate) const BASELINE: u8 = 0xC0;
pub(crate) const EXTENDED: u8 = 0xC1;
pub(crate) const APP0: u8 = 0xE0;
pub(crate) const APP1: u8 = 0xE1;
pub(crate) const APP14: u8 = 0xEE;

const TRUNCATED: Error = Error::Damaged("it ends within its header");

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

    /// The next marker's code; any number of 0xFF may come before it.
    pub(crate) fn marker(&mut self) -> Result<u8, Error> {
        if self.byte()? != 0xFF {
            return Err(Error::Damaged("a marker is missing"));
        }
        loop {
            let code = self.byte()?;
            if code != 0xFF {
                return Ok(code);
            }
        }
    }

    /// What follows a marker: a length that counts its own two bytes, then the content.
    pub(crate) fn segment(&mut self) -> Result<Cursor<'a>, Error> {
        let length = usize::from(self.word()?);
        let content = length
            .checked_sub(2)
            .ok_or(Error::Damaged("a segment is shorter than its length"))?;
        self.take(content).map(Cursor::new)
    }
}
