"""Small ELF files for tests, made by hand."""

import struct
from collections.abc import Sequence

PT_LOAD, PT_NOTE = 1, 4

KERNEL_BASE = 0xFFFF_FFFF_8000_0000
LOAD_ADDRESS = 0x10_0000


def elf(segments: Sequence[tuple[int, int, int, int, int, int]], content: bytes = b"") -> bytes:
    """An ELF64 file with these program headers (type, flags, offset, paddr, filesz, memsz)."""
    header = struct.pack(
        "<4sBBBB8sHHIQQQIHHHHHH",
        *(b"\x7fELF", 2, 1, 1, 0, bytes(8), 2, 62, 1, KERNEL_BASE + LOAD_ADDRESS, 64, 0, 0),
        *(64, 56, len(segments), 64, 0, 0),
    )
    table = b"".join(
        struct.pack(
            "<IIQQQQQQ", kind, flags, offset, KERNEL_BASE + paddr, paddr, filesz, memsz, 4096
        )
        for kind, flags, offset, paddr, filesz, memsz in segments
    )
    return header + table + content


def kernel(*, code: bytes = b"the kernel's code", bss: int = 10_000, tail: bytes = b"") -> bytes:
    """A kernel as the protocol wants one; `tail` stands for what a machine does not load."""
    start = 64 + 2 * 56
    size = start + len(code)
    segments = [
        (PT_LOAD, 5, 0, LOAD_ADDRESS, size, size + bss),
        (PT_LOAD, 4, 0, 0, 0, 0),
    ]
    return elf(segments, code + tail)
