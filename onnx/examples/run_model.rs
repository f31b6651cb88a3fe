//! Runs an ONNX classifier as a benchmark's peer process: `run_model MODEL.onnx INPUT.f32 THREADS [ISA] [layers]`; with `layers`
//! no blocks are fused. Prints the logits of the input, then waits for lines: each `N` runs it N times and prints the microseconds of each; `profile` prints the time of
//! each step.

use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};
use std::time::Instant;

use imageclassifier_kernels::{Isa, Program, ThreadTeam};
use imageclassifier_onnx::Model;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [model, input, threads, rest @ ..] = arguments.as_slice() else {
        return Err("usage: run_model MODEL.onnx INPUT.f32 THREADS [ISA] [layers]".into());
    };
    let bytes = std::fs::read(model)?;
    let graph = Model::parse(&bytes)?.graph(Some(224))?;
    drop(bytes);
    let (rest, by_layer) = match rest {
        [rest @ .., last] if last == "layers" => (rest, true),
        _ => (rest, false),
    };
    let isa = match rest {
        [isa, ..] => isa.parse()?,
        [] => Isa::detect(),
    };
    let begun_at = Instant::now();
    let program = if by_layer {
        Program::layer_by_layer(isa, graph)?
    } else {
        Program::new(isa, graph)?
    };
    let load = begun_at.elapsed();
    let (values, _) = std::fs::read(input).map(|bytes| {
        let (values, rest) = bytes.as_chunks();
        (
            values
                .iter()
                .map(|value| f32::from_le_bytes(*value))
                .collect::<Vec<_>>(),
            rest.len(),
        )
    })?;
    let mut buffers = program.buffers();
    let mut team = ThreadTeam::new(threads.parse()?);
    let mut out = stdout().lock();
    let logits: Vec<_> = program
        .run(&mut team, &mut buffers, &values)
        .iter()
        .map(f32::to_string)
        .collect();
    writeln!(out, "{}", logits.join(" "))?;
    writeln!(
        out,
        "{} {} {}",
        program.kernel_share(),
        program.buffer_bytes(),
        load.as_micros()
    )?;
    out.flush()?;
    for line in stdin().lock().lines() {
        let line = line?;
        if line == "profile" {
            for step in program.profile(&mut team, &mut buffers, &values, 10) {
                let micros = step.time.as_secs_f64() * 1e6;
                #[allow(clippy::cast_precision_loss)] // For people.
                let gmacs = step.macs as f64 / micros / 1e3;
                writeln!(
                    out,
                    "{micros:9.1} us {gmacs:7.1} GMAC/s  {:12} {:36} {}",
                    step.kernel, step.operation, step.name
                )?;
            }
        } else {
            for _ in 0..line.parse()? {
                let begun_at = Instant::now();
                program.run(&mut team, &mut buffers, &values);
                write!(out, "{} ", begun_at.elapsed().as_nanos() / 1000)?;
            }
            writeln!(out)?;
        }
        out.flush()?;
    }
    Ok(())
}
