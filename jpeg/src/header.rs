//! Everything in front of the entropy-coded bytes, checked once and held in types.

use crate::Error;
use crate::huffman::CodeList;
use crate::marker::{self, Cursor};

/// Components of a picture, at most.
pub(crate) const COMPONENTS_MAX: usize = 3;
/// Blocks in a unit of interleaved components, at most (T.81, B.2.3).
const BLOCKS_PER_UNIT_MAX: usize = 10;
const TABLES: usize = 4;

/// How the components become red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Grey,
    YCbCr,
    Rgb,
}

/// One component as the frame describes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Component {
    id: u8,
    /// Blocks in an interleaved unit, horizontally and vertically: 1 to 4.
    pub(crate) blocks_across: usize,
    pub(crate) blocks_down: usize,
    quantisation: usize,
    pub(crate) dc_table: usize,
    pub(crate) ac_table: usize,
}

/// A header that this decoder can work with: every table that the scan refers to is there.
#[derive(Clone, Debug)]
pub(crate) struct Header<'a> {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) components: Vec<Component>,
    pub(crate) colour: Colour,
    /// Units between two restart markers; 0 means there are none.
    pub(crate) restart_units: u32,
    /// The content of the Exif segment, if there is one.
    pub(crate) exif: Option<&'a [u8]>,
    /// The scan, and whatever follows it.
    pub(crate) scan: &'a [u8],
    tables: Tables,
}

#[derive(Clone, Debug, Default)]
struct Tables {
    /// Factors in zigzag order.
    quantisation: [Option<[u16; 64]>; TABLES],
    dc: [Option<Box<CodeList>>; TABLES],
    ac: [Option<Box<CodeList>>; TABLES],
}

#[derive(Default)]
struct Application<'a> {
    jfif: bool,
    adobe_transform: Option<u8>,
    exif: Option<&'a [u8]>,
}

struct Frame {
    width: u32,
    height: u32,
    components: Vec<Component>,
}

impl<'a> Header<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(bytes);
        if cursor.array()? != [0xFF, marker::START_OF_IMAGE] {
            return Err(Error::Damaged("it does not start like a JPEG"));
        }
        let mut tables = Tables::default();
        let mut application = Application::default();
        let mut frame = None;
        let mut restart_units = 0;
        loop {
            match cursor.marker()? {
                marker::BASELINE | marker::EXTENDED if frame.is_some() => {
                    return Err(Error::Damaged("it has two frames"));
                }
                marker::BASELINE | marker::EXTENDED => {
                    frame = Some(Frame::parse(cursor.segment()?)?)
                }
                marker::HUFFMAN_TABLES => tables.define_huffman(cursor.segment()?)?,
                marker::QUANTISATION_TABLES => tables.define_quantisation(cursor.segment()?)?,
                marker::RESTART_INTERVAL => restart_units = u32::from(cursor.segment()?.word()?),
                marker::APP0 => application.read_jfif(cursor.segment()?.rest()),
                marker::APP1 => application.read_exif(cursor.segment()?.rest()),
                marker::APP14 => application.read_adobe(cursor.segment()?.rest()),
                marker::START_OF_SCAN => {
                    let Frame {
                        width,
                        height,
                        mut components,
                    } = frame.ok_or(Error::Damaged("its scan has no frame"))?;
                    assign_tables(&mut components, cursor.segment()?)?;
                    tables.check(&components)?;
                    return Ok(Self {
                        width,
                        height,
                        colour: application.colour(&components),
                        components,
                        restart_units,
                        exif: application.exif,
                        scan: cursor.rest(),
                        tables,
                    });
                }
                marker::NUMBER_OF_LINES | marker::ARITHMETIC_CONDITIONING | 0xC2..=0xCF => {
                    return Err(Error::Unsupported(
                        "another process than sequential Huffman coding",
                    ));
                }
                marker::END_OF_IMAGE => return Err(Error::Damaged("it has no scan")),
                // The other application segments, and comments.
                0xE0..=0xEF | 0xFE => _ = cursor.segment()?,
                _ => return Err(Error::Unsupported("an unusual marker")),
            }
        }
    }

    /// Factors in zigzag order, signed because coefficients are: they wrap as libjpeg-turbo's 16-bit products do.
    #[allow(clippy::cast_possible_wrap, reason = "16-bit products are the same")]
    pub(crate) fn factors(&self, component: &Component) -> [i16; 64] {
        self.tables.quantisation[component.quantisation]
            .expect("checked by `Tables::check`")
            .map(|factor| factor as i16)
    }

    pub(crate) fn dc_codes(&self, component: &Component) -> &CodeList {
        self.tables.dc[component.dc_table]
            .as_ref()
            .expect("checked by `Tables::check`")
    }

    pub(crate) fn ac_codes(&self, component: &Component) -> &CodeList {
        self.tables.ac[component.ac_table]
            .as_ref()
            .expect("checked by `Tables::check`")
    }
}

impl Frame {
    fn parse(mut segment: Cursor<'_>) -> Result<Self, Error> {
        if segment.byte()? != 8 {
            return Err(Error::Unsupported("samples of other than 8 bits"));
        }
        let [height, width] = [segment.word()?, segment.word()?];
        if height == 0 {
            return Err(Error::Unsupported("a height that follows the pixels"));
        }
        if width == 0 {
            return Err(Error::Damaged("it has no columns"));
        }
        let count = usize::from(segment.byte()?);
        if !matches!(count, 1 | COMPONENTS_MAX) {
            return Err(Error::Unsupported("other than one or three components"));
        }
        let mut components = Vec::with_capacity(count);
        for _ in 0..count {
            components.push(Component::parse(&mut segment)?);
        }
        if !segment.is_empty() {
            return Err(Error::Damaged("its frame is longer than its components"));
        }
        if let [grey] = &mut components[..] {
            // A scan of one component is not interleaved: its unit is one block, whatever the factors say.
            (grey.blocks_across, grey.blocks_down) = (1, 1);
        }
        let blocks: usize = components
            .iter()
            .map(|c| c.blocks_across * c.blocks_down)
            .sum();
        if blocks > BLOCKS_PER_UNIT_MAX {
            return Err(Error::Damaged("its sampling factors are too large"));
        }
        Ok(Self {
            width: width.into(),
            height: height.into(),
            components,
        })
    }
}

impl Component {
    fn parse(segment: &mut Cursor<'_>) -> Result<Self, Error> {
        let [id, factors, quantisation] = segment.array()?;
        let (across, down) = (usize::from(factors >> 4), usize::from(factors & 15));
        if !(1..=4).contains(&across) || !(1..=4).contains(&down) {
            return Err(Error::Damaged("a sampling factor is not between 1 and 4"));
        }
        let quantisation = usize::from(quantisation);
        if quantisation >= TABLES {
            return Err(Error::Damaged("it refers to a table that cannot exist"));
        }
        Ok(Self {
            id,
            blocks_across: across,
            blocks_down: down,
            quantisation,
            dc_table: 0,
            ac_table: 0,
        })
    }
}

/// Reads the scan's header: it must hold all components, in the frame's order, and all coefficients.
fn assign_tables(components: &mut [Component], mut segment: Cursor<'_>) -> Result<(), Error> {
    const OTHER_SCANS: Error = Error::Unsupported("several scans");
    if usize::from(segment.byte()?) != components.len() {
        return Err(OTHER_SCANS);
    }
    for component in components {
        let [id, tables] = segment.array()?;
        if id != component.id {
            return Err(OTHER_SCANS);
        }
        component.dc_table = usize::from(tables >> 4);
        component.ac_table = usize::from(tables & 15);
    }
    if segment.array()? != [0, 63, 0] {
        return Err(OTHER_SCANS);
    }
    if !segment.is_empty() {
        return Err(Error::Damaged("its scan's header is too long"));
    }
    Ok(())
}

impl Tables {
    fn define_quantisation(&mut self, mut segment: Cursor<'_>) -> Result<(), Error> {
        while !segment.is_empty() {
            let kind = segment.byte()?;
            let table = self
                .quantisation
                .get_mut(usize::from(kind & 15))
                .ok_or(Error::Damaged("it defines a table that cannot exist"))?;
            let mut factors = [0; 64];
            for factor in &mut factors {
                *factor = match kind >> 4 {
                    0 => segment.byte()?.into(),
                    1 => segment.word()?,
                    _ => {
                        return Err(Error::Damaged(
                            "a quantisation table has an unknown precision",
                        ));
                    }
                };
            }
            *table = Some(factors);
        }
        Ok(())
    }

    fn define_huffman(&mut self, mut segment: Cursor<'_>) -> Result<(), Error> {
        while !segment.is_empty() {
            let kind = segment.byte()?;
            let tables = match kind >> 4 {
                0 => &mut self.dc,
                1 => &mut self.ac,
                _ => return Err(Error::Damaged("a Huffman table is of an unknown class")),
            };
            let table = tables
                .get_mut(usize::from(kind & 15))
                .ok_or(Error::Damaged("it defines a table that cannot exist"))?;
            let counts = segment.array()?;
            let symbols = segment.take(counts.iter().map(|&n| usize::from(n)).sum())?;
            *table = Some(Box::new(CodeList::new(counts, symbols)?));
        }
        Ok(())
    }

    fn check(&self, components: &[Component]) -> Result<(), Error> {
        let defined = |component: &Component| {
            let dc = self.dc.get(component.dc_table)?.as_ref()?;
            self.ac.get(component.ac_table)?.as_ref()?;
            self.quantisation[component.quantisation].as_ref()?;
            Some(dc)
        };
        for component in components {
            defined(component)
                .ok_or(Error::Unsupported("tables that it does not define"))?
                .check_dc()?;
        }
        Ok(())
    }
}

impl<'a> Application<'a> {
    fn read_jfif(&mut self, content: &[u8]) {
        self.jfif |= content.len() >= 14 && content.starts_with(b"JFIF\0");
    }

    /// The first one counts.
    fn read_exif(&mut self, content: &'a [u8]) {
        if self.exif.is_none() {
            self.exif = content.strip_prefix(b"Exif\0\0");
        }
    }

    fn read_adobe(&mut self, content: &[u8]) {
        if content.starts_with(b"Adobe")
            && let Some(&transform) = content.get(11)
        {
            self.adobe_transform = Some(transform);
        }
    }

    /// libjpeg's rules: JFIF is always Y'CbCr, Adobe says which, and otherwise the components' names tell.
    fn colour(&self, components: &[Component]) -> Colour {
        match components {
            [r, g, b] => match (self.jfif, self.adobe_transform) {
                (true, _) => Colour::YCbCr,
                (false, Some(0)) => Colour::Rgb,
                (false, Some(_)) => Colour::YCbCr,
                (false, None) if [r.id, g.id, b.id] == *b"RGB" => Colour::Rgb,
                (false, None) => Colour::YCbCr,
            },
            _ => Colour::Grey,
        }
    }
}
