use std::time::{Duration, Instant};

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_storeu_ps, _mm512_fmadd_ps,
    _mm512_loadu_ps, _mm512_set1_ps, _mm512_storeu_ps,
};

/// Independent sums: enough to hide the latency of a multiply-add (4 cycles, two per cycle), few enough for 16 registers.
const SUMS: usize = 12;
const STEPS: usize = 200_000;
const DURATION: Duration = Duration::from_millis(300);

/// GFLOP/s of the fastest of many short loops, so that context switches do not count; `None` without such vectors.
pub(crate) fn gflops(bits: usize) -> Option<f64> {
    let run_loop = supported(bits)?;
    let operations = (STEPS * SUMS * bits / 32 * 2) as f64;
    let started_at = Instant::now();
    let mut best = f64::MAX;
    while started_at.elapsed() < DURATION {
        let loop_started_at = Instant::now();
        std::hint::black_box(run_loop(std::hint::black_box(0.5)));
        best = best.min(loop_started_at.elapsed().as_secs_f64());
    }
    Some(operations / best / 1e9)
}

#[cfg(target_arch = "x86_64")]
fn supported(bits: usize) -> Option<fn(f32) -> f32> {
    match bits {
        // SAFETY: the CPU has the feature.
        512 if is_x86_feature_detected!("avx512f") => Some(|x| unsafe { loop_512(x) }),
        // SAFETY: the CPU has both features.
        256 if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") => {
            Some(|x| unsafe { loop_256(x) })
        }
        _ => None,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn supported(_: usize) -> Option<fn(f32) -> f32> {
    None
}

/// Multiply-adds on `SUMS` vectors that do not depend on each other.
macro_rules! fma_loop {
    ($name:ident, $features:literal, $lanes:literal, $set1:ident, $fmadd:ident, $loadu:ident, $storeu:ident) => {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = $features)]
        fn $name(x: f32) -> f32 {
            let mut lanes = [x; $lanes];
            // SAFETY: `lanes` has as many elements as a vector.
            let mut sums = [unsafe { $loadu(lanes.as_ptr()) }; SUMS];
            let (factor, summand) = ($set1(x), $set1(x * 0.1));
            for _ in 0..STEPS {
                for sum in &mut sums {
                    *sum = $fmadd(*sum, factor, summand);
                }
            }
            let mut total = 0.0;
            for sum in sums {
                // SAFETY: `lanes` has as many elements as a vector.
                unsafe { $storeu(lanes.as_mut_ptr(), sum) };
                total += lanes.iter().sum::<f32>();
            }
            total
        }
    };
}

fma_loop!(
    loop_512,
    "avx512f",
    16,
    _mm512_set1_ps,
    _mm512_fmadd_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps
);
fma_loop!(
    loop_256,
    "avx2,fma",
    8,
    _mm256_set1_ps,
    _mm256_fmadd_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps
);
