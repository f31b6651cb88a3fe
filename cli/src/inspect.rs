//! `imageclassifier inspect`: what an imported model consists of, and where its time goes.

use imageclassifier_model::{
    Framing, ImportedModel, Isa, Preprocessing, Program, StepProfile, ThreadTeam,
};

use crate::{args, outcome::Outcome};

/// Runs of which the fastest counts.
const ROUNDS: usize = 20;

pub(crate) fn run(args: &args::Inspect) -> Outcome {
    match inspect(args) {
        Ok(()) => Outcome::Success,
        Err(why) => Outcome::failure(why),
    }
}

fn inspect(args: &args::Inspect) -> Result<(), String> {
    if !ImportedModel::is_at(&args.model) {
        return Err(format!(
            "{} has neither model.onnx nor network.safetensors: give a folder that `imageclassifier import` wrote",
            args.model.display()
        ));
    }
    let model = ImportedModel::read(&args.model).map_err(|error| error.to_string())?;
    let graph = model.network().map_err(|error| error.to_string())?.fused();
    let preprocessing = model.preprocessing();
    let (parameters, macs) = (graph.parameters(), graph.total_macs());
    let layers: Vec<_> = graph.layers().collect();
    let program = Program::new(Isa::detect(), graph).map_err(|error| error.to_string())?;
    for (what, value) in [
        ("model", model.name().to_owned()),
        ("classes", model.labels().len().to_string()),
        (
            "input",
            format!(
                "{0} x {0} pixels: {1}; {2}, {3}",
                preprocessing.input_size,
                framing(preprocessing),
                preprocessing.filter.name(),
                preprocessing.order.name()
            ),
        ),
        (
            "normalisation",
            format!("(x - {:?}) / {:?}", preprocessing.mean, preprocessing.scale),
        ),
        ("parameters", parameters.to_string()),
        ("multiply-adds", macs.to_string()),
        (
            "memory of a run",
            format!("{} bytes", program.buffer_bytes()),
        ),
        (
            "in kernels",
            format!(
                "{:.1} % of the multiply-adds",
                program.kernel_share() * 100.0
            ),
        ),
        ("fused blocks", program.fused_blocks().to_string()),
        (
            "heatmaps",
            if program.is_explainable() {
                "yes"
            } else {
                "no"
            }
            .to_owned(),
        ),
    ] {
        println!("{what:<19}{value}");
    }
    println!();
    if args.profile {
        profile(&program, args.threads);
        return Ok(());
    }
    println!(
        "{:>12} {:>12}  {:<40} {:<22} layer",
        "multiply-adds", "parameters", "operation", "output"
    );
    for layer in layers {
        println!(
            "{:>12} {:>12}  {:<40} {:<22} {}",
            layer.macs,
            layer.parameters,
            layer.operation,
            format!("{:?}", layer.shape),
            layer.name
        );
    }
    Ok(())
}

/// What becomes of an image's shape.
fn framing(preprocessing: &Preprocessing) -> String {
    let size = preprocessing.input_size;
    match preprocessing.framing {
        Framing::CropThenResize(fraction) => {
            let share = fraction * 100.0;
            format!("crop {share:.1} % of the shorter side, then resize to {size}")
        }
        Framing::ResizeThenCrop(_) => {
            let side = preprocessing.resized_side().unwrap_or(size);
            format!("resize to {side}, then crop {size}")
        }
        Framing::Squash => format!("resize to {size} without keeping the proportions"),
    }
}

fn profile(program: &Program, threads: u8) {
    let mut team = ThreadTeam::new(threads.into());
    let mut buffers = program.buffers();
    let input = vec![0.5; program.input_len()];
    let steps = program.profile(&mut team, &mut buffers, &input, ROUNDS);
    let total: f64 = steps.iter().map(milliseconds).sum();
    println!(
        "{:>9} {:>6} {:>8}  {:<13} {:<40} layer",
        "ms", "share", "GMAC/s", "kernel", "operation"
    );
    for step in &steps {
        let time = milliseconds(step);
        #[allow(clippy::cast_precision_loss, reason = "for people")]
        let rate = step.macs as f64 / time / 1e6;
        println!(
            "{time:>9.3} {:>5.1}% {rate:>8.1}  {:<13} {:<40} {}",
            time / total * 100.0,
            step.kernel,
            step.operation,
            step.name
        );
    }
    println!(
        "{total:>9.3} ms in all, on {threads} threads with {}",
        program.isa()
    );
}

fn milliseconds(step: &StepProfile) -> f64 {
    step.time.as_secs_f64() * 1e3
}
