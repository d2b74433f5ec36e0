"""Programs that put wheels from PyPI to work, for a guest and, the same, for Linux.

Each prints results that do not depend on the machine: what a processor's vector instructions or
the order of threads may change in the last digits is rounded away. They are run by name with
`python3 -m wheels NAME …`, and grouped by the image that they share.
"""

from typing import Final

GROUPS: Final = {
    "numeric": ("numpy", "scipy", "pandas", "pillow", "matplotlib"),
    "data": ("pyarrow", "polars"),
    "avx2": ("duckdb",),
    "services": (
        *("pydantic", "orjson", "cryptography", "lxml", "greenlet", "cffi", "ctypes", "quickjs"),
        *("wasmtime", "psutil", "asyncio", "uvloop", "trio", "anyio", "gevent"),
    ),
}
"""The programs; those of a group run in one boot, with the packages of the file of its name."""
