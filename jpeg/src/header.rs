//! Everything around the entropy-coded bytes, checked once and then held in types.

use crate::Error;
use crate::application::{Application, Colour};
use crate::frame::{COMPONENTS_MAX, Component, Frame, Process};
use crate::marker::{self, Cursor};
use crate::tables::Tables;

/// Most blocks in a unit of interleaved components (T.81, B.2.3).
const BLOCKS_PER_UNIT_MAX: usize = 10;

/// The header up to the first scan.
#[derive(Clone, Debug)]
pub(crate) struct Header<'a> {
    pub(crate) frame: Frame,
    pub(crate) colour: Colour,
    pub(crate) scan: ScanHeader,
    /// What the segments so far define. Their cursor is at the first scan's entropy-coded bytes.
    pub(crate) segments: Segments<'a>,
}

/// What a scan contains.
#[derive(Clone, Debug)]
pub(crate) struct ScanHeader {
    /// Components in the order in which they are interleaved. Each is at a different index of the frame.
    pub(crate) components: Vec<ScanComponent>,
    /// First and last coefficient, in zigzag order.
    pub(crate) first: usize,
    pub(crate) last: usize,
    /// Whether the scan refines coefficients by a lower bit, instead of bringing their first bits.
    pub(crate) refines: bool,
    /// How many bits below those of this scan are still missing.
    pub(crate) shift: u32,
}

/// One component of a scan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScanComponent {
    /// Its index in the frame.
    pub(crate) index: usize,
    pub(crate) dc_table: usize,
    pub(crate) ac_table: usize,
}

/// Reads segments, and keeps what they define.
#[derive(Clone, Debug)]
pub(crate) struct Segments<'a> {
    pub(crate) cursor: Cursor<'a>,
    pub(crate) tables: Tables,
    /// Units between two restart markers; 0 means there are none.
    pub(crate) restart_units: u32,
    pub(crate) application: Application<'a>,
    /// Whether the end marker has been read.
    pub(crate) has_ended: bool,
    frame: Option<Frame>,
}

impl<'a> Header<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(bytes);
        if cursor.array()? != [0xFF, marker::START_OF_IMAGE] {
            return Err(Error::Damaged("it does not start like a JPEG"));
        }
        let mut segments = Segments {
            cursor,
            tables: Tables::default(),
            restart_units: 0,
            application: Application::default(),
            has_ended: false,
            frame: None,
        };
        let scan = segments
            .next_scan()?
            .ok_or(Error::Damaged("it ends before its pixels"))?;
        // `next_scan` has already required a frame.
        let frame = segments.frame.clone().ok_or(NO_FRAME)?;
        let ids: Vec<_> = frame.components.iter().map(|c| c.id).collect();
        Ok(Self {
            colour: segments.application.colour(&ids),
            frame,
            scan,
            segments,
        })
    }

    /// Whether the first scan contains everything, in the frame's order: then one pass over the bytes is enough.
    pub(crate) fn has_one_scan(&self) -> bool {
        let in_order = |(place, component): (usize, &ScanComponent)| component.index == place;
        self.frame.process == Process::Sequential
            && self.scan.components.len() == self.frame.components.len()
            && self.scan.components.iter().enumerate().all(in_order)
    }
}

const NO_FRAME: Error = Error::Damaged("its scan has no frame");

impl<'a> Segments<'a> {
    /// Reads on to the next scan; `None` if there is none.
    pub(crate) fn next_scan(&mut self) -> Result<Option<ScanHeader>, Error> {
        while let Some(code) = self.cursor.marker() {
            match code {
                marker::END_OF_IMAGE => {
                    self.has_ended = true;
                    return Ok(None);
                }
                marker::START_OF_SCAN => {
                    let frame = self.frame.as_ref().ok_or(NO_FRAME)?;
                    return ScanHeader::parse(frame, self.cursor.segment()?).map(Some);
                }
                marker::START_OF_IMAGE => {
                    return Err(Error::Damaged("it starts a second time"));
                }
                marker::HUFFMAN_TABLES => self.tables.define_huffman(self.cursor.segment()?)?,
                marker::QUANTISATION_TABLES => {
                    self.tables.define_quantisation(self.cursor.segment()?)?;
                }
                marker::RESTART_INTERVAL => {
                    self.restart_units = u32::from(self.cursor.segment()?.word()?);
                }
                // These segments concern codings that are not supported, or are of no consequence.
                marker::ARITHMETIC_CONDITIONING | marker::JPEG_EXTENSIONS => {
                    _ = self.cursor.optional_segment()?;
                }
                marker::FIRST_FRAME..=marker::LAST_FRAME => self.read_frame(code)?,
                marker::APP0 => {
                    let segment = self.cursor.optional_segment()?;
                    self.application.read_jfif(segment.rest());
                }
                marker::APP1 => {
                    let segment = self.cursor.optional_segment()?;
                    self.application.read_exif(segment.rest());
                }
                marker::APP14 => {
                    let segment = self.cursor.optional_segment()?;
                    self.application.read_adobe(segment.rest());
                }
                // Restart markers that a scan left over, and codes that T.81 reserves: these have no segment.
                marker::FIRST_RESTART..=marker::LAST_RESTART | ..=marker::RESERVED_LAST => {}
                // Other application segments, comments, and what later parts of the standard define.
                _ => _ = self.cursor.optional_segment()?,
            }
        }
        Ok(None)
    }

    fn read_frame(&mut self, code: u8) -> Result<(), Error> {
        if self.frame.is_some() {
            return Err(Error::Damaged("it has two frames"));
        }
        let process = Process::of_marker(code)?;
        self.frame = Some(Frame::parse(process, self.cursor.segment()?)?);
        Ok(())
    }
}

impl ScanHeader {
    fn parse(frame: &Frame, mut segment: Cursor<'_>) -> Result<Self, Error> {
        let count = usize::from(segment.byte()?);
        if !(1..=COMPONENTS_MAX).contains(&count) {
            return Err(Error::Damaged("a scan has no or too many components"));
        }
        let mut components = Vec::with_capacity(count);
        for _ in 0..count {
            let [id, tables] = segment.array()?;
            let taken = |place| components.iter().any(|c: &ScanComponent| c.index == place);
            let index = (0..frame.components.len())
                .find(|&place| frame.components[place].id == id && !taken(place))
                .ok_or(Error::Damaged("a scan refers to an unknown component"))?;
            components.push(ScanComponent {
                index,
                dc_table: usize::from(tables >> 4),
                ac_table: usize::from(tables & 15),
            });
        }
        let [first, last, bits] = segment.array()?;
        if !segment.is_empty() {
            return Err(Error::Damaged("a scan's header is too long"));
        }
        let scan = Self {
            components,
            first: first.into(),
            last: last.into(),
            refines: bits >> 4 > 0,
            shift: u32::from(bits & 15),
        };
        scan.check_interleaving(frame)?;
        if frame.process == Process::Progressive {
            scan.check_progression(bits >> 4)?;
        }
        Ok(scan)
    }

    fn check_interleaving(&self, frame: &Frame) -> Result<(), Error> {
        let blocks = |c: &Component| c.blocks_across * c.blocks_down;
        let parts = self.components.iter();
        let sum: usize = parts.map(|c| blocks(&frame.components[c.index])).sum();
        if self.components.len() > 1 && sum > BLOCKS_PER_UNIT_MAX {
            return Err(Error::Damaged("its sampling factors are too large"));
        }
        Ok(())
    }

    /// Checks T.81, G.1.1.1: a scan has either first coefficients alone, or others of a single component, refined bit by
    /// bit.
    fn check_progression(&self, refined_from: u8) -> Result<(), Error> {
        const SHIFT_MAX: u32 = 13;
        let band = if self.first == 0 {
            self.last == 0
        } else {
            (self.first..64).contains(&self.last) && self.components.len() == 1
        };
        let bits = refined_from == 0 || u32::from(refined_from) == self.shift + 1;
        if band && bits && self.shift <= SHIFT_MAX {
            return Ok(());
        }
        Err(Error::Damaged("a progressive scan is out of order"))
    }
}
