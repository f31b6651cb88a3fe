//! The frame: size, components, and how their coefficients are coded.

use crate::Error;
use crate::marker::Cursor;
use crate::tables::TABLES;

/// Most components of an image: CMYK.
pub(crate) const COMPONENTS_MAX: usize = 4;

/// The order in which coefficients are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Process {
    /// All coefficients of a block at once.
    Sequential,
    /// First coarse, then finer, in several scans.
    Progressive,
}

/// One component, as the frame describes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Component {
    pub(crate) id: u8,
    /// Blocks in an interleaved unit, horizontally and vertically: 1 to 4.
    pub(crate) blocks_across: usize,
    pub(crate) blocks_down: usize,
    pub(crate) quantisation: usize,
}

/// A frame of 8-bit samples and one, three or four components.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) process: Process,
    pub(crate) components: Vec<Component>,
    /// The largest of the components' `blocks_across` and `blocks_down`.
    pub(crate) across_max: usize,
    pub(crate) down_max: usize,
}

impl Process {
    /// The process that the frame's marker stands for.
    pub(crate) fn of_marker(code: u8) -> Result<Self, Error> {
        match code & 15 {
            0 | 1 => Ok(Self::Sequential),
            2 => Ok(Self::Progressive),
            3 => Err(Error::Unsupported("lossless coding")),
            5..=7 => Err(Error::Unsupported("hierarchical coding")),
            9 | 10 => Err(Error::Unsupported("arithmetic coding")),
            11 => Err(Error::Unsupported("lossless arithmetic coding")),
            _ => Err(Error::Unsupported("hierarchical arithmetic coding")),
        }
    }
}

impl Frame {
    pub(crate) fn parse(process: Process, mut segment: Cursor<'_>) -> Result<Self, Error> {
        match segment.byte()? {
            8 => {}
            12 => return Err(Error::Unsupported("samples of 12 bits")),
            _ => return Err(Error::Unsupported("samples of other than 8 bits")),
        }
        let [height, width] = [segment.word()?, segment.word()?];
        if height == 0 {
            return Err(Error::Unsupported("a height that follows the pixels"));
        }
        if width == 0 {
            return Err(Error::Damaged("it has no columns"));
        }
        let count = usize::from(segment.byte()?);
        if !matches!(count, 1 | 3 | COMPONENTS_MAX) {
            return Err(Error::Unsupported(
                "other than one, three or four components",
            ));
        }
        let mut components = Vec::with_capacity(count);
        for _ in 0..count {
            components.push(Component::parse(&mut segment)?);
        }
        if !segment.is_empty() {
            return Err(Error::Damaged("its frame is longer than its components"));
        }
        if let [grey] = &mut components[..] {
            // A scan of one component is not interleaved: its unit is one block, whatever the sampling factors are.
            (grey.blocks_across, grey.blocks_down) = (1, 1);
        }
        let max = |factor: fn(&Component) -> usize| components.iter().map(factor).max();
        Ok(Self {
            width: width.into(),
            height: height.into(),
            process,
            across_max: max(|c| c.blocks_across).unwrap_or(1),
            down_max: max(|c| c.blocks_down).unwrap_or(1),
            components,
        })
    }

    /// Interleaved units in a row of the image.
    pub(crate) fn units(&self) -> usize {
        (self.width as usize).div_ceil(8 * self.across_max)
    }

    /// Rows of interleaved units.
    pub(crate) fn unit_rows(&self) -> usize {
        (self.height as usize).div_ceil(8 * self.down_max)
    }

    /// Rows of the image above `unit_row`; all rows if it is `None`.
    pub(crate) fn rows_before(&self, unit_row: Option<usize>) -> u32 {
        let rows = unit_row.and_then(|row| u32::try_from(row * 8 * self.down_max).ok());
        rows.unwrap_or(self.height).min(self.height)
    }

    /// Columns and rows of a component's blocks that contain samples of the image: those of a scan of its own.
    pub(crate) fn blocks(&self, component: &Component) -> (usize, usize) {
        let count =
            |pixels: u32, factor: usize, max: usize| (pixels as usize * factor).div_ceil(8 * max);
        (
            count(self.width, component.blocks_across, self.across_max),
            count(self.height, component.blocks_down, self.down_max),
        )
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
        })
    }
}
