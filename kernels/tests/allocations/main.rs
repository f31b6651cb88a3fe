//! A network that is warm allocates nothing. In a binary of its own: the allocator that counts serves the whole process.
#![allow(unsafe_code)] // An allocator cannot be written without.

#[path = "../kernels/random.rs"]
mod random;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use imageclassifier_kernels::{Architecture, Kernel, Network, Team, Workspace};

use random::{Random, RandomNetwork};

/// The system's allocator, and how often any thread asked it for memory.
struct Counting(AtomicUsize);

#[global_allocator]
static ALLOCATOR: Counting = Counting(AtomicUsize::new(0));

// SAFETY: every call goes on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.0.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.0.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// How often memory is asked for while `work` runs.
fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATOR.0.load(Ordering::SeqCst);
    work();
    ALLOCATOR.0.load(Ordering::SeqCst) - before
}

#[test]
fn a_warm_network_allocates_nothing() {
    let counted = allocations(|| drop(std::hint::black_box(vec![0_u8; 10])));
    assert!(counted >= 1, "the count counts");
    let architecture = Architecture::lite0();
    let mut random = Random::new(13);
    let weights = RandomNetwork::new(&mut random, &architecture);
    let picture = random.numbers(architecture.input().pixels() * 3, 1.0);
    for kernel in Kernel::ALL
        .into_iter()
        .filter(|kernel| kernel.is_available())
    {
        let network =
            Network::new(kernel, &architecture, &weights.weights()).expect("a supported network");
        for threads in [1, 2] {
            let mut team = Team::new(threads);
            let mut workspace = Workspace::for_threads(&network, threads);
            let mut run = || {
                network.stem().pad_hwc(&picture, workspace.picture_mut());
                network.run_on(&mut team, &mut workspace);
            };
            run();
            // A helper may still be starting, which allocates once; what runs allocate, they would allocate every time.
            let warm = (0..20).any(|_| allocations(|| (0..3).for_each(|_| run())) == 0);
            assert!(warm, "{kernel}, {threads} threads");
        }
    }
}
