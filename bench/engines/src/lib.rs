//! Engines in Rust behind a C ABI. Inputs are handed over before the clock starts: `feed`, then `run`.
//!
//! Every function returns null or false, and says why on standard error, where it cannot do what is asked.

mod ours;
mod peak;
mod picture;
mod rten;
mod tract;

use std::{
    ffi::{CStr, c_char},
    ptr, slice,
};

/// Side of the input.
const SIZE: usize = 224;
/// Numbers in one picture.
const PICTURE_LEN: usize = SIZE * SIZE * 3;

/// A network that is loaded, for batches of one size.
trait Engine {
    /// Takes what the next run computes: pictures one after the other, `[channel, height, width]`.
    fn feed(&mut self, pictures: &[f32]) -> anyhow::Result<()>;
    /// The logits, picture after picture.
    fn run(&mut self) -> anyhow::Result<Vec<f32>>;
}

/// A loaded engine and the size of its batches.
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

fn said<T>(outcome: anyhow::Result<T>) -> Option<T> {
    outcome.inspect_err(|error| eprintln!("{error:#}")).ok()
}

/// Loads engine `name`: `tract` or `rten` from the ONNX file `model`; `avx512`, `avx2`, `scalar`, `flex` or `ndarray` from
/// the product's own weights.
///
/// # Safety
/// `name` and `model` are strings that end with 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn engine_load(
    name: *const c_char,
    model: *const c_char,
    batch: usize,
    threads: usize,
) -> *mut Loaded {
    // SAFETY: the caller's promise.
    let [name, model] = [name, model].map(|text| unsafe { CStr::from_ptr(text) }.to_string_lossy());
    match said(load(&name, &model, batch, threads)) {
        Some(engine) => Box::into_raw(Box::new(Loaded { engine, batch })),
        None => ptr::null_mut(),
    }
}

/// Hands over the pictures of the next run, `[batch, channel, height, width]`.
///
/// # Safety
/// `loaded` is from [`engine_load`] and used by one thread at a time; `pictures` holds a batch.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn engine_feed(loaded: *mut Loaded, pictures: *const f32) -> bool {
    // SAFETY: the caller's promise.
    let loaded = unsafe { &mut *loaded };
    // SAFETY: the caller's promise.
    let pictures = unsafe { slice::from_raw_parts(pictures, loaded.batch * PICTURE_LEN) };
    said(loaded.engine.feed(pictures)).is_some()
}

/// Runs what was fed, and writes the logits, `[batch, class]`.
///
/// # Safety
/// `loaded` is from [`engine_load`] and used by one thread at a time; `logits` has room for a batch of 1000.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn engine_run(loaded: *mut Loaded, logits: *mut f32) -> bool {
    // SAFETY: the caller's promise.
    let loaded = unsafe { &mut *loaded };
    let Some(found) = said(loaded.engine.run()) else {
        return false;
    };
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts_mut(logits, found.len()) }.copy_from_slice(&found);
    true
}

/// Turns an encoded picture into the network's input, `[height, width, channel]`; `full_scale` forbids decoding it at a
/// reduced scale.
///
/// # Safety
/// `encoded` holds `len` bytes; `values` has room for one picture.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn picture_prepare(
    encoded: *const u8,
    len: usize,
    full_scale: bool,
    values: *mut f32,
) -> bool {
    // SAFETY: the caller's promise.
    let encoded = unsafe { slice::from_raw_parts(encoded, len) };
    let Some(input) = said(picture::prepare(encoded, full_scale)) else {
        return false;
    };
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts_mut(values, PICTURE_LEN) }.copy_from_slice(input.values());
    true
}

/// Most multiply-adds of one core, in GFLOP/s, with vectors of 512 or 256 bits; 0 where the machine has none such.
#[unsafe(no_mangle)]
pub extern "C" fn peak_gflops(bits: usize) -> f64 {
    peak::gflops(bits).unwrap_or(0.0)
}
