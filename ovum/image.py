"""Composes application images: the kernel's ELF file with archives in its last segment.

Section 1 of docs/boot-protocol.md is the specification. Section headers and whatever else a
machine does not load are left behind in kernel.elf.
"""

import dataclasses
import io
import mmap
import os
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from ovum.atomic import replaced
from ovum.cpio import PAGE, find_last, regular, write_archive
from ovum.elf import PF_R, PT_LOAD, Elf, ElfError, Segment

HIGHER_HALF: Final = 0xFFFF_FFFF_8000_0000
"""Where physical address 0 is in the kernel's address space."""

_SECTION_TABLE_OFFSET: Final = 40
_SECTION_COUNT_OFFSET: Final = 60
_COPY_CHUNK: Final = 1 << 20


class ImageError(Exception):
    """The file cannot be made into an image, or is none."""


def _page_up(value: int) -> int:
    return value + -value % PAGE


def _kernel_head(kernel: Path, archive_size: int) -> tuple[bytes, Segment]:
    """The kernel's loaded part with its placeholder filled in, and what was filled in."""
    try:
        elf = Elf.parse(kernel.read_bytes())
    except ElfError as error:
        raise ImageError(f"{kernel}: {error}") from error
    if not elf.segments:
        raise ImageError(f"{kernel}: no program headers")
    placeholder = elf.segments[-1]
    if (placeholder.p_type, placeholder.p_filesz, placeholder.p_memsz) != (PT_LOAD, 0, 0):
        raise ImageError(f"{kernel}: the last program header is no placeholder for an archive")
    others = elf.segments[:-1]
    end_of_file = max(segment.p_offset + segment.p_filesz for segment in others)
    end_of_kernel = max(
        segment.p_paddr + segment.p_memsz for segment in others if segment.p_type == PT_LOAD
    )
    address = _page_up(end_of_kernel)
    filled = dataclasses.replace(
        placeholder,
        p_flags=PF_R,
        p_offset=_page_up(end_of_file),
        p_vaddr=HIGHER_HALF + address,
        p_paddr=address,
        p_filesz=archive_size,
        p_memsz=archive_size,
        p_align=PAGE,
    )
    head = bytearray(elf.data[:end_of_file])
    at = elf.segments_at + (len(elf.segments) - 1) * len(filled.pack())
    head[at : at + len(filled.pack())] = filled.pack()
    struct.pack_into("<Q", head, _SECTION_TABLE_OFFSET, 0)
    struct.pack_into("<HH", head, _SECTION_COUNT_OFFSET, 0, 0)
    return bytes(head).ljust(filled.p_offset, b"\0"), filled


def compose(kernel: Path, archives: Sequence[Path | bytes], out: Path) -> int:
    """Writes the image of this kernel with these archives, in their order; returns its size.

    Each archive must fill whole pages, as `write_archive` makes them. `out` is replaced when all
    is written, never partly.
    """
    sizes = [len(part) if isinstance(part, bytes) else part.stat().st_size for part in archives]
    if any(size % PAGE for size in sizes):
        raise ImageError("an archive that does not fill whole pages")
    head, segment = _kernel_head(kernel, sum(sizes))
    with replaced(out, 0o777) as file:
        file.write(head)
        for part in archives:
            _append(file, part)
        size = file.tell()
        if size != segment.p_offset + segment.p_filesz:
            raise ImageError("an archive changed while the image was being written")
    return size


def _append(file: BinaryIO, part: Path | bytes) -> None:
    if isinstance(part, bytes):
        file.write(part)
        return
    with part.open("rb") as source:
        while chunk := source.read(_COPY_CHUNK):
            file.write(chunk)


def is_image(path: Path) -> bool:
    """Whether the file is an application image: an ELF file whose last segment is an archive."""
    try:
        with path.open("rb") as file:
            elf = Elf.parse(file.read(64 * 1024))
            if not elf.segments:
                return False
            file.seek(elf.segments[-1].p_offset)
            return elf.segments[-1].p_filesz > 0 and file.read(6) == b"070701"
    except (ElfError, OSError):
        return False


def split_image(image: Path) -> tuple[bytes, int, int]:
    """An image's kernel with an empty placeholder, and offset and size of its archives in bytes.

    Boot loaders that know modules find room for the archives wherever the machine has it; as a part
    of the kernel they need one piece of memory at one address. Raises ImageError.
    """
    if not is_image(image):
        raise ImageError(f"{image} is no image that `ovum build` has made")
    with image.open("rb") as file:
        elf = Elf.parse(file.read(64 * 1024))
        last = elf.segments[-1]
        file.seek(0)
        kernel = bytearray(file.read(last.p_offset))
    empty = dataclasses.replace(last, p_offset=0, p_vaddr=0, p_paddr=0, p_filesz=0, p_memsz=0)
    at = elf.segments_at + (len(elf.segments) - 1) * len(empty.pack())
    kernel[at : at + len(empty.pack())] = empty.pack()
    if last.p_offset + last.p_filesz > image.stat().st_size:
        raise ImageError(f"{image} is cut off: its archives should have {last.p_filesz} bytes")
    return bytes(kernel), last.p_offset, last.p_filesz


def start_archive(argv: Sequence[str], environ: Mapping[str, str], cwd: str) -> bytes:
    """The archive that tells the kernel what to start: section 2 of the protocol."""
    words = list(argv)
    settings = [f"{key}={value}" for key, value in environ.items()]
    for text in [*words, *settings, cwd]:
        if "\0" in text:
            raise ImageError("an argument or a variable that contains NUL")
    out = io.BytesIO()
    write_archive(
        out,
        [
            regular("ovum/argv", b"".join(os.fsencode(word) + b"\0" for word in words)),
            regular("ovum/environ", b"".join(os.fsencode(text) + b"\0" for text in settings)),
            regular("ovum/cwd", os.fsencode(cwd)),
        ],
    )
    return out.getvalue()


def input_archive(content: bytes) -> bytes:
    """The archive with the file that is standard input: section 2 of the protocol."""
    out = io.BytesIO()
    write_archive(out, [regular("ovum/stdin", content)])
    return out.getvalue()


def read_start(image: Path) -> tuple[list[str], dict[str, str], str]:
    """Arguments, environment and working folder that an image starts with. Raises ImageError."""
    with image.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        segment = Elf.parse(data[: 64 * 1024]).segments[-1]
        with memoryview(data) as view:
            archive = view[segment.p_offset : segment.p_offset + segment.p_filesz]
            try:
                found = find_last(archive, {"ovum/argv", "ovum/environ", "ovum/cwd"})
            finally:
                archive.release()
    argv = _words(found.get("ovum/argv", b"/init\0"))
    settings = [word.partition("=") for word in _words(found.get("ovum/environ", b""))]
    environ = {key: value for key, _, value in settings}
    return argv, environ, os.fsdecode(found.get("ovum/cwd", b"/"))


def _words(text: bytes) -> list[str]:
    return [os.fsdecode(word) for word in text.split(b"\0")[:-1]]
