//! What networks allocate. In a binary of its own: the allocator that counts serves the whole process.
#![allow(unsafe_code)] // An allocator cannot be written without.

#[path = "../kernels/networks.rs"]
mod networks;
#[path = "../kernels/random.rs"]
mod random;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use imageclassifier_kernels::{Isa, Network, THREADS_MAX, ThreadTeam};

use random::{Random, RandomNetwork};

/// The system's allocator, which counts what all threads take from it.
struct Counting {
    /// Allocations.
    count: AtomicUsize,
    /// Bytes that are allocated and not yet freed.
    bytes: AtomicUsize,
}

#[global_allocator]
static ALLOCATOR: Counting = Counting {
    count: AtomicUsize::new(0),
    bytes: AtomicUsize::new(0),
};

/// The counts are the whole process's: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

// SAFETY: every call is forwarded to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.bytes.fetch_add(layout.size(), Ordering::SeqCst);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.bytes.fetch_add(layout.size(), Ordering::SeqCst);
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        self.bytes.fetch_sub(layout.size(), Ordering::SeqCst);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// Allocations while `work` runs.
fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATOR.count.load(Ordering::SeqCst);
    work();
    ALLOCATOR.count.load(Ordering::SeqCst) - before
}

/// Bytes that `make` allocates and keeps.
fn reserved<T>(make: impl FnOnce() -> T) -> usize {
    let before = ALLOCATOR.bytes.load(Ordering::SeqCst);
    let kept = make();
    let bytes = ALLOCATOR.bytes.load(Ordering::SeqCst) - before;
    drop(kept);
    bytes
}

#[test]
fn a_warm_network_allocates_nothing() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let counted = allocations(|| drop(std::hint::black_box(vec![0_u8; 10])));
    assert!(counted >= 1, "the count counts");
    let [architecture, ..] = networks::large();
    let mut random = Random::new(13);
    let weights = RandomNetwork::new(&mut random, &architecture);
    let image = random.values(architecture.input().pixels() * 3, 1.0);
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
        let network =
            Network::new(isa, &architecture, &weights.weights()).expect("a supported network");
        for threads in [1, 2] {
            let mut team = ThreadTeam::new(threads);
            let mut workspace = network.workspace();
            let mut run = || {
                network.stem().pad_hwc(&image, workspace.image_mut());
                network.run_on(&mut team, &mut workspace);
            };
            run();
            // A helper may still be starting, which allocates once; what runs allocate, they would allocate every time.
            let warm = (0..20).any(|_| allocations(|| (0..3).for_each(|_| run())) == 0);
            assert!(warm, "{isa}, {threads} threads");
        }
    }
}

/// What a server holds that has a workspace for each of `threads` threads, and one team among them that has run.
fn reserved_by_server(network: &Network, threads: usize) -> usize {
    reserved(|| {
        let mut workspaces: Vec<_> = (0..threads).map(|_| network.workspace()).collect();
        let mut team = ThreadTeam::new(threads);
        network.run_on(&mut team, &mut workspaces[0]);
        (workspaces, team)
    })
}

#[test]
fn memory_grows_with_the_threads_and_not_with_their_square() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let [architecture, ..] = networks::large();
    let weights = RandomNetwork::new(&mut Random::new(1), &architecture);
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
        let network =
            Network::new(isa, &architecture, &weights.weights()).expect("a supported network");
        let workspace = reserved(|| network.workspace());
        let bytes = reserved_by_server(&network, 64);
        println!(
            "{isa}: {} KiB for a workspace, {} MiB for 64 threads",
            workspace >> 10,
            bytes >> 20
        );
        // A helper of the team needs less than a workspace; threads, names and locks are small.
        let most = (64 + THREADS_MAX) * workspace + (1 << 20);
        assert!(bytes <= most, "{isa}: {bytes} bytes, not {most}");
    }
}
