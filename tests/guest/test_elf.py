"""The ELF files of the kernel and of an image, as section 1 of docs/boot-protocol.md has them."""

import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.constants import P_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import NoteSegment

from ovum.progress import Progress
from ovum.toolchain import ensure_kernel

from . import machine
from .conftest import HELLO

KERNEL_BASE = 0xFFFF_FFFF_8000_0000
LOADED_AT = 0x10_0000
PAGE = 4096

XEN_ELFNOTE_PHYS32_ENTRY = 18
MULTIBOOT2_MAGIC = 0xE85250D6


@pytest.fixture(scope="module")
def kernel() -> Iterator[ELFFile]:
    with ensure_kernel(Progress()).open("rb") as file:
        yield ELFFile(file)


@pytest.fixture(scope="module")
def image(hello_elf: Path) -> Iterator[ELFFile]:
    with hello_elf.open("rb") as file:
        yield ELFFile(file)


def _loaded(elf: ELFFile) -> list[Any]:
    """The PT_LOAD headers, with the archive's or its placeholder as the last."""
    return [segment.header for segment in elf.iter_segments("PT_LOAD")]


def test_it_is_a_static_executable_for_x86_64(kernel: ELFFile) -> None:
    assert (kernel.elfclass, kernel.little_endian) == (64, True)
    assert kernel.header.e_machine == "EM_X86_64"
    assert kernel.header.e_type == "ET_EXEC"
    assert not list(kernel.iter_segments("PT_INTERP")) + list(kernel.iter_segments("PT_DYNAMIC"))


def test_no_segment_is_both_writable_and_executable(kernel: ELFFile, image: ELFFile) -> None:
    for elf in (kernel, image):
        for header in _loaded(elf):
            flags = header.p_flags
            assert not (flags & P_FLAGS.PF_W and flags & P_FLAGS.PF_X), header


def test_text_constants_and_data_are_apart(kernel: ELFFile) -> None:
    flags = [header.p_flags for header in _loaded(kernel)[:-1]]
    read, write, execute = P_FLAGS.PF_R, P_FLAGS.PF_W, P_FLAGS.PF_X
    assert sorted(flags) == sorted([read | execute, read, read | write])


def test_everything_is_linked_in_the_higher_half(kernel: ELFFile) -> None:
    headers = _loaded(kernel)[:-1]
    assert min(header.p_paddr for header in headers) == LOADED_AT
    for header in headers:
        assert header.p_vaddr == KERNEL_BASE + header.p_paddr
        assert header.p_memsz >= header.p_filesz > 0
    text = next(header for header in headers if header.p_flags & P_FLAGS.PF_X)
    assert text.p_vaddr <= kernel.header.e_entry < text.p_vaddr + text.p_memsz


def test_segments_share_no_page(kernel: ELFFile, image: ELFFile) -> None:
    for elf in (kernel, image):
        ranges = sorted((h.p_paddr, h.p_paddr + h.p_memsz) for h in _loaded(elf) if h.p_memsz)
        for (_, end), (start, _) in pairwise(ranges):
            assert -(-end // PAGE) <= start // PAGE, (hex(end), hex(start))


def test_the_headers_are_loaded_with_the_first_segment(kernel: ELFFile) -> None:
    first = _loaded(kernel)[0]
    assert first.p_offset == 0
    end = kernel.header.e_phoff + kernel.header.e_phnum * kernel.header.e_phentsize
    assert end <= first.p_filesz


def test_the_last_header_of_the_kernel_is_a_placeholder(kernel: ELFFile) -> None:
    *_, last = kernel.iter_segments()
    assert last.header.p_type == "PT_LOAD"
    assert last.header.p_flags == P_FLAGS.PF_R
    assert (last.header.p_filesz, last.header.p_memsz) == (0, 0)


def test_the_pvh_note_names_an_entry_in_the_text(kernel: ELFFile) -> None:
    entries = [
        struct.unpack("<I", note["n_descdata"][:4])[0]
        for segment in kernel.iter_segments("PT_NOTE")
        if isinstance(segment, NoteSegment)
        for note in segment.iter_notes()
        # A name where pyelftools knows one for the number.
        if note["n_name"] == "Xen"
        and str(note["n_type"]) in (str(XEN_ELFNOTE_PHYS32_ENTRY), "NT_XEN_PHYS32_ENTRY")
    ]
    assert len(entries) == 1
    text = next(h for h in _loaded(kernel) if h.p_flags & P_FLAGS.PF_X)
    assert text.p_paddr <= entries[0] < text.p_paddr + text.p_filesz


def test_the_multiboot2_header_is_where_loaders_look(kernel: ELFFile, image: ELFFile) -> None:
    """Multiboot2 specification, 3.1.1: in the first 32 KiB, 64-bit aligned, with a checksum."""
    for elf in (kernel, image):
        elf.stream.seek(0)
        head = elf.stream.read(32 * 1024)
        found = [
            at
            for at in range(0, len(head) - 16, 8)
            if struct.unpack_from("<I", head, at)[0] == MULTIBOOT2_MAGIC
        ]
        assert len(found) == 1
        magic, architecture, length, checksum = struct.unpack_from("<IIII", head, found[0])
        assert architecture == 0
        assert (magic + architecture + length + checksum) & 0xFFFF_FFFF == 0
        assert found[0] + length <= len(head)
        # The last tag: type 0, flags 0, size 8.
        assert struct.unpack_from("<HHI", head, found[0] + length - 8) == (0, 0, 8)


def test_the_archive_is_the_last_segment_page_aligned(kernel: ELFFile, image: ELFFile) -> None:
    *others, archive = [segment.header for segment in image.iter_segments()]
    assert archive.p_type == "PT_LOAD"
    assert archive.p_flags == P_FLAGS.PF_R
    assert archive.p_offset % PAGE == archive.p_paddr % PAGE == archive.p_filesz % PAGE == 0
    assert archive.p_vaddr == KERNEL_BASE + archive.p_paddr
    assert archive.p_memsz == archive.p_filesz > 0
    end = max(h.p_paddr + h.p_memsz for h in others if h.p_type == "PT_LOAD")
    assert archive.p_paddr == -(-end // PAGE) * PAGE
    image.stream.seek(archive.p_offset)
    assert image.stream.read(6) == b"070701"


def test_an_image_has_the_promised_size(hello_elf: Path, small_elf: Path) -> None:
    assert hello_elf.stat().st_size <= 30 << 20
    assert small_elf.stat().st_size <= 14 << 20


def test_an_image_runs_with_more_arguments(hello_elf: Path, tmp_path: Path) -> None:
    assert machine.run(hello_elf).expect().out == f"{HELLO}\n"
    image = tmp_path / "words.elf"
    source = "import os, sys; print(sys.argv, os.environ['A'])"
    machine.command("build", "-e", "A=1", "-c", source, "-o", image, "--", "built").expect()
    assert machine.run(image).expect().out == "['-c', 'built'] 1\n"
    assert machine.run("-e", "A=2", image, "b c").expect().out == "['-c', 'built', 'b c'] 2\n"
