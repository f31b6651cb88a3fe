"""`bench/engines` through ctypes: our own network and preprocessing, and other engines in Rust."""

import ctypes
from pathlib import Path
from typing import Any

import numpy as np

from report import BUILD_DIR, PROGRAMS

CLASSES = 1000
SIZE = 224
MODEL = BUILD_DIR / "efficientnet_lite0.onnx"
POINTER, TEXT, COUNT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t


def open_library(path: Path) -> ctypes.CDLL:
    library = ctypes.CDLL(str(path))
    for name, result, arguments in (
        ("engine_load", POINTER, [TEXT, TEXT, COUNT, COUNT]),
        ("engine_feed", ctypes.c_bool, [POINTER, POINTER]),
        ("engine_run", ctypes.c_bool, [POINTER, POINTER]),
        ("image_prepare", ctypes.c_bool, [TEXT, COUNT, ctypes.c_bool, POINTER]),
        ("peak_gflops", ctypes.c_double, [COUNT]),
    ):
        function: Any = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


LIBRARY = open_library(PROGRAMS / "libbench_engines.so")


class NativeEngine:
    """`avx512`, `avx2`, `scalar` (our kernels), `flex`, `ndarray` (burn's operators), `tract` or `rten`."""

    def __init__(self, name: str, model: Path, batch: int, threads: int, library: ctypes.CDLL = LIBRARY) -> None:
        self.library = library
        self.engine = library.engine_load(name.encode(), str(model).encode(), batch, threads)
        if not self.engine:
            raise LookupError(f"{name} cannot be loaded on this machine")
        self.logits = np.zeros((batch, CLASSES), np.float32)

    def feed(self, images: np.ndarray) -> None:
        """Sets the input of the next run, `[batch, channel, height, width]`. Call it before the clock starts."""
        if not self.library.engine_feed(self.engine, images.ctypes.data):
            raise RuntimeError("the engine rejected the input; standard error says why")

    def run(self) -> np.ndarray:
        """The logits, `[batch, class]`. The next run overwrites them."""
        if not self.library.engine_run(self.engine, self.logits.ctypes.data):
            raise RuntimeError("the engine failed; standard error says why")
        return self.logits


def prepare(encoded: bytes, full_scale: bool = False, library: ctypes.CDLL = LIBRARY) -> np.ndarray:
    """The product's preprocessing of an encoded image, `[height, width, channel]`."""
    values = np.empty((SIZE, SIZE, 3), np.float32)
    if not library.image_prepare(encoded, len(encoded), full_scale, values.ctypes.data):
        raise ValueError("the image cannot be decoded; standard error says why")
    return values


def peak_gflops(bits: int) -> float:
    """Peak f32 GFLOP/s of one core with vectors of `bits` bits; 0 if the CPU has no such vectors."""
    return LIBRARY.peak_gflops(bits)
