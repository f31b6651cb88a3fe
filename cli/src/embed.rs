//! `imageclassifier embed`: feature vectors of images, for other programs.

use std::io::{self, Write, stdout};

use imageclassifier_model::Embedding;
use serde_json::json;

use crate::{
    args,
    inputs::Input,
    outcome::Outcome,
    train::{
        base::Base,
        features::{Cache, embed},
    },
};

pub(crate) fn run(args: &args::Embed) -> Outcome {
    let base = match Base::load(args.base.as_ref()) {
        Ok(base) => base,
        Err(why) => return Outcome::failure(why),
    };
    let cache = match Cache::open(args.cache.as_deref(), &base) {
        Ok(cache) => cache,
        Err(why) => return Outcome::failure(why),
    };
    let mut rows = Vec::new();
    let mut failed = 0;
    for input in Input::from_arguments(&args.files) {
        let embedding = input
            .path()
            .and_then(|path| embed(path, &base, &cache).map(|(_, embedding)| embedding));
        match embedding {
            Ok(embedding) => rows.push((input.name().to_owned(), embedding)),
            Err(why) => {
                eprintln!("imageclassifier: {}: {why}", input.name());
                failed += 1;
            }
        }
    }
    if rows.is_empty() {
        return Outcome::failure("no image could be embedded");
    }
    let written = if args.npy {
        write_npy(&mut stdout().lock(), &rows)
    } else {
        write_json_lines(&mut stdout().lock(), &rows)
    };
    match written {
        Ok(()) => Outcome::complete_if(failed == 0),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Outcome::Partial,
        Err(error) => Outcome::failure(format!("cannot write the output: {error}")),
    }
}

fn write_json_lines(output: &mut impl Write, rows: &[(String, Embedding)]) -> io::Result<()> {
    for (file, embedding) in rows {
        let row = json!({ "file": file, "embedding": embedding.values() });
        writeln!(output, "{row}")?;
    }
    output.flush()
}

/// NumPy's format, version 1.0: one matrix `[images, channels]` of little-endian f32
/// (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).
fn write_npy(output: &mut impl Write, rows: &[(String, Embedding)]) -> io::Result<()> {
    /// Magic string, version and length of the header.
    const PREFIX_BYTES: usize = 10;
    const ALIGNMENT: usize = 64;
    let channels = rows[0].1.values().len();
    let mut header = format!(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {channels}), }}",
        rows.len()
    );
    let padded = (PREFIX_BYTES + header.len() + 1).next_multiple_of(ALIGNMENT) - PREFIX_BYTES;
    header.extend(std::iter::repeat_n(' ', padded - 1 - header.len()));
    header.push('\n');
    let length = u16::try_from(padded).expect("the header is short");
    output.write_all(b"\x93NUMPY\x01\x00")?;
    output.write_all(&length.to_le_bytes())?;
    output.write_all(header.as_bytes())?;
    for (_, embedding) in rows {
        let values = embedding.values().iter();
        output.write_all(
            &values
                .flat_map(|value| value.to_le_bytes())
                .collect::<Vec<_>>(),
        )?;
    }
    output.flush()
}
