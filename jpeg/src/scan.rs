//! The only scan of a sequential file: decodes, transforms, upsamples and converts one row of interleaved units at a time.

use fearless_simd::Simd;

use crate::Error;
use crate::bits::Bits;
use crate::channel::Channel;
use crate::header::Header;
use crate::level::{self, Work};
use crate::output::Output;
use crate::restart::Restarts;

/// Decodes the region of `output`, and nothing below it. Returns how many rows of the unscaled image are present or not
/// needed.
pub(crate) fn decode(header: &Header<'_>, output: &mut Output) -> Result<u32, Error> {
    let mut channels = Vec::with_capacity(output.planes.len());
    for (&part, plane) in header.scan.components.iter().zip(&output.planes) {
        let channel = Channel::new(&header.frame, part, &header.segments, plane, &channels)?;
        channels.push(channel);
    }
    let mut cut_at = None;
    level::run(Scan {
        bits: Bits::new(header.segments.cursor.rest()),
        restarts: Restarts::new(header.segments.restart_units),
        channels,
        units: header.frame.units(),
        output,
        cut_at: &mut cut_at,
    });
    Ok(header.frame.rows_before(cut_at))
}

struct Scan<'s, 'a> {
    bits: Bits<'a>,
    restarts: Restarts,
    channels: Vec<Channel>,
    /// Interleaved units in a row of the image.
    units: usize,
    output: &'s mut Output,
    /// The first row of units that the file does not contain completely.
    cut_at: &'s mut Option<usize>,
}

impl Work for Scan<'_, '_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        for unit_row in 0..self.output.unit_rows_end() {
            self.output.start_row(unit_row);
            for unit in 0..self.units {
                if self.restarts.pass(&mut self.bits) {
                    self.channels
                        .iter_mut()
                        .for_each(|channel| channel.prediction = 0);
                }
                let is_exhausted = self.bits.is_exhausted();
                for (channel, plane) in self.channels.iter_mut().zip(&mut self.output.planes) {
                    let needed = plane.unit_rows.contains(&unit_row);
                    if is_exhausted {
                        channel.blank_unit(plane, unit, needed);
                    } else {
                        channel.decode_unit(simd, &mut self.bits, plane, unit, needed);
                    }
                }
            }
            if self.cut_at.is_none() && self.bits.is_cut() {
                *self.cut_at = Some(unit_row);
            }
            self.output.finish_row(simd, unit_row);
        }
    }
}
