"""`bench/engines` through ctypes: our own network and picture code, and other engines in Rust."""

import ctypes
from typing import Any

import numpy as np

from report import BUILT, PROGRAMS

CLASSES = 1000
SIZE = 224
MODEL = BUILT / "efficientnet_lite0.onnx"
POINTER, TEXT, COUNT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t


def open_library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(PROGRAMS / "libbench_engines.so"))
    for name, result, arguments in (
        ("engine_load", POINTER, [TEXT, TEXT, COUNT, COUNT]),
        ("engine_feed", ctypes.c_bool, [POINTER, POINTER]),
        ("engine_run", ctypes.c_bool, [POINTER, POINTER]),
        ("picture_prepare", ctypes.c_bool, [TEXT, COUNT, ctypes.c_bool, POINTER]),
        ("peak_gflops", ctypes.c_double, [COUNT]),
    ):
        function: Any = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


LIBRARY = open_library()


class NativeEngine:
    """`avx512`, `avx2`, `scalar` (our kernels), `flex`, `ndarray` (burn's operators), `tract` or `rten`."""

    def __init__(self, name: str, batch: int, threads: int) -> None:
        self.engine = LIBRARY.engine_load(name.encode(), str(MODEL).encode(), batch, threads)
        if not self.engine:
            raise LookupError(f"{name} cannot be loaded here")
        self.logits = np.zeros((batch, CLASSES), np.float32)
        self.to = self.logits.ctypes.data

    def feed(self, pictures: np.ndarray) -> None:
        """Before the clock starts: pictures of the next run, `[batch, channel, height, width]`."""
        if not LIBRARY.engine_feed(self.engine, pictures.ctypes.data):
            raise RuntimeError("not fed")

    def run(self) -> np.ndarray:
        if not LIBRARY.engine_run(self.engine, self.to):
            raise RuntimeError("no answer")
        return self.logits


def prepare(encoded: bytes, full_scale: bool = False) -> np.ndarray:
    """The product's way from bytes to input, `[height, width, channel]`."""
    values = np.empty((SIZE, SIZE, 3), np.float32)
    if not LIBRARY.picture_prepare(encoded, len(encoded), full_scale, values.ctypes.data):
        raise ValueError("not a picture")
    return values


def peak_gflops(bits: int) -> float:
    """What one core can do at most in f32, with vectors of so many bits; 0 if it has none such."""
    return LIBRARY.peak_gflops(bits)
