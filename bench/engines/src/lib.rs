//! Engines in Rust behind a C ABI. `feed` takes the inputs before the clock starts, then `run` computes.
//!
//! A function that fails returns null or false and prints the reason to standard error.

mod ours;
mod peak;
mod preprocessing;
mod rten;
mod tract;

use std::{
    ffi::{CStr, c_char},
    ptr, slice,
};

/// Side of the input.
const SIZE: usize = 224;
/// Elements of one image.
const IMAGE_LEN: usize = SIZE * SIZE * 3;

/// A loaded network for batches of one size.
trait Engine {
    /// Sets the input of the next run, `[batch, channel, height, width]`.
    fn feed(&mut self, images: &[f32]) -> anyhow::Result<()>;
    /// The logits, `[batch, class]`.
    fn run(&mut self) -> anyhow::Result<Vec<f32>>;
}

/// A loaded engine and its batch size.
pub struct Loaded {
    engine: Box<dyn Engine>,
    batch: usize,
}

fn load(name: &str, model: &str, batch: usize, threads: usize) -> anyhow::Result<Box<dyn Engine>> {
    Ok(match name {
        "tract" => Box::new(tract::Tract::load(model)?),
        "rten" => Box::new(rten::Rten::load(model)?),
        ours => Box::new(ours::Ours::load(ours, batch, threads)?),
    })
}

fn print_error<T>(result: anyhow::Result<T>) -> Option<T> {
    result.inspect_err(|error| eprintln!("{error:#}")).ok()
}

/// Loads the engine `name`: `tract` or `rten` from the ONNX file `model`; `avx512`, `avx2`, `scalar`, `flex` or `ndarray` from
/// the product's own weights.
///
/// # Safety
/// `name` and `model` are valid C strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn engine_load(
    name: *const c_char,
    model: *const c_char,
    batch: usize,
    threads: usize,
) -> *mut Loaded {
    // SAFETY: the caller's promise.
    let [name, model] = [name, model].map(|text| unsafe { CStr::from_ptr(text) }.to_string_lossy());
    match print_error(load(&name, &model, batch, threads)) {
        Some(engine) => Box::into_raw(Box::new(Loaded { engine, batch })),
        None => ptr::null_mut(),
    }
}

/// Sets the input of the next run, `[batch, channel, height, width]`.
///
/// # Safety
/// `loaded` is from [`engine_load`] and used by one thread at a time; `images` points to a whole batch.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn engine_feed(loaded: *mut Loaded, images: *const f32) -> bool {
    // SAFETY: the caller's promise.
    let loaded = unsafe { &mut *loaded };
    // SAFETY: the caller's promise.
    let images = unsafe { slice::from_raw_parts(images, loaded.batch * IMAGE_LEN) };
    print_error(loaded.engine.feed(images)).is_some()
}

/// Runs the network on the input, and writes the logits, `[batch, class]`.
///
/// # Safety
/// `loaded` is from [`engine_load`] and used by one thread at a time; `logits` has room for a batch of 1000.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn engine_run(loaded: *mut Loaded, logits: *mut f32) -> bool {
    // SAFETY: the caller's promise.
    let loaded = unsafe { &mut *loaded };
    let Some(computed) = print_error(loaded.engine.run()) else {
        return false;
    };
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts_mut(logits, computed.len()) }.copy_from_slice(&computed);
    true
}

/// Converts an encoded image to the network's input, `[height, width, channel]`. With `full_scale` it is not decoded at a
/// reduced scale.
///
/// # Safety
/// `encoded` points to `len` bytes; `values` has room for one image.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn image_prepare(
    encoded: *const u8,
    len: usize,
    full_scale: bool,
    values: *mut f32,
) -> bool {
    // SAFETY: the caller's promise.
    let encoded = unsafe { slice::from_raw_parts(encoded, len) };
    let Some(input) = print_error(preprocessing::prepare(encoded, full_scale)) else {
        return false;
    };
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts_mut(values, IMAGE_LEN) }.copy_from_slice(input.values());
    true
}

/// Peak multiply-adds of one core, in GFLOP/s, with vectors of 512 or 256 bits; 0 if the CPU has no such vectors.
#[unsafe(no_mangle)]
pub extern "C" fn peak_gflops(bits: usize) -> f64 {
    peak::gflops(bits).unwrap_or(0.0)
}
