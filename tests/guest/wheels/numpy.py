"""NumPy: linear algebra on several threads, Fourier transforms, sorting, random numbers, files."""

import io
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits


def digits(values: object) -> str:
    """The numbers with as many digits as every processor agrees on."""
    return " ".join(f"{value:.8g}" for value in np.ravel(values))


random = np.random.default_rng(1)
a, b = random.random((400, 400)), random.random((400, 400))

with threadpool_limits(3, user_api="blas"):
    print("threads of OpenBLAS:", [pool["num_threads"] for pool in threadpool_info()])
    product = a @ b
with threadpool_limits(1, user_api="blas"):
    print("product:", digits(product[::150, ::150]), np.allclose(product, a @ b))
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda part: part @ b, np.array_split(a, 8)))
print("by four threads of Python:", np.allclose(np.vstack(rows), product))

small = a[:120, :120]
print("solve:", digits(np.linalg.solve(small, b[:120, 0])[:4]))
print("determinant:", digits(np.linalg.slogdet(small)))
print("eigenvalues:", digits(np.linalg.eigvalsh(small + small.T)[[0, 1, -1]]))
left, weights, right = np.linalg.svd(small)
print("svd:", digits(weights[:3]), np.allclose(left * weights @ right, small))
try:
    np.linalg.inv(np.zeros((3, 3)))
except np.linalg.LinAlgError as error:
    print("singular:", error)

wave = np.sin(np.arange(4096) * 0.1) + np.cos(np.arange(4096) * 0.3)
spectrum = np.fft.rfft(wave)
peaks = np.sort(np.argsort(np.abs(spectrum))[-2:])
print("fft:", peaks, digits(np.abs(spectrum[peaks])), np.allclose(np.fft.irfft(spectrum), wave))
print("fft of 1009:", digits(np.abs(np.fft.fft(wave[:1009]))[[1, 504]]))

values = random.random(5000)
print("argsort:", np.argsort(values)[::999], bool(np.all(np.diff(values[np.argsort(values)]) >= 0)))
numbers = random.integers(0, 1 << 40, 200_000)
print("sorted:", np.sort(numbers)[::66_666], np.unique(numbers % 1000).size)
print("text:", np.strings.upper(np.array(["ring", "zero"])), np.array(["b", "a"]).argsort())
print("complex:", digits(np.abs(np.exp(1j * np.linspace(0, 3, 5)) + 1)))
print("float16:", np.linspace(0, 1, 5, dtype=np.float16) * np.float16(1 / 3))
print("overflow:", np.array([127], np.int8) + np.array([1], np.int8))
print("einsum:", digits(np.einsum("ij,jk,ki->", a[:50, :50], b[:50, :50], a[:50, :50])))
with np.errstate(divide="raise"):
    try:
        np.ones(3) / np.zeros(3)
    except FloatingPointError as error:
        print("division:", error)

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "map")
    mapped = np.memmap(path, np.float64, "w+", shape=(256, 256))
    mapped[:] = a[:256, :256]
    mapped.flush()
    print("memmap:", np.array_equal(np.fromfile(path).reshape(256, 256), a[:256, :256]))
    del mapped
packed = io.BytesIO()
np.savez_compressed(packed, a=numbers[:1000], b=b[:10])
packed.seek(0)
with np.load(packed) as stored:
    print("npz:", sorted(stored), np.array_equal(stored["a"], numbers[:1000]))
try:
    np.empty((1 << 20, 1 << 20))
except MemoryError as error:
    print("too large:", error)
