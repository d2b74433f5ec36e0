"""ovum.elf: the same answers as pyelftools, and errors for what is no ELF file."""

from pathlib import Path

import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

from ovum.elf import Elf, ElfError, LibraryIndex, is_elf
from ovum.rootfs import LIBRARIES
from ovum.sysroot import Sysroot
from tests.host.elffile import kernel


@pytest.mark.parametrize("name", ["usr/bin/python3.13", f"{LIBRARIES}/libssl.so.3"])
def test_the_same_answers_as_pyelftools(sysroot: Sysroot, name: str) -> None:
    path = sysroot.root / name
    elf = Elf.parse(path.read_bytes())
    with path.open("rb") as file:
        reference = ELFFile(file)
        section = reference.get_section_by_name(".dynamic")
        assert isinstance(section, DynamicSection)
        # pyelftools gives a tag an attribute named after its type.
        needed = [getattr(tag, "needed", None) for tag in section.iter_tags("DT_NEEDED")]
        sonames = [getattr(tag, "soname", None) for tag in section.iter_tags("DT_SONAME")]
        assert elf.needed() == needed
        assert elf.soname() == (sonames[0] if sonames else None)
        assert [segment.p_vaddr for segment in elf.segments] == [
            segment.header.p_vaddr for segment in reference.iter_segments()
        ]


def test_a_program_names_its_dynamic_linker(sysroot: Sysroot) -> None:
    elf = Elf.parse((sysroot.root / "usr/bin/python3.13").read_bytes())
    assert elf.interpreter() == "/lib64/ld-linux-x86-64.so.2"


def test_a_file_without_libraries_needs_none() -> None:
    elf = Elf.parse(kernel())
    assert (elf.needed(), elf.soname(), elf.interpreter()) == ([], None, None)


def test_program_headers_are_packed_as_they_were() -> None:
    data = kernel()
    elf = Elf.parse(data)
    packed = b"".join(segment.pack() for segment in elf.segments)
    assert data[elf.segments_at :].startswith(packed)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not an ELF"),
        (b"#!/bin/sh", "not an ELF"),
        (b"\x7fELF\x02\x01", "inside the ELF header"),
        (kernel()[:100], "inside the program headers"),
        (b"\x7fELF\x01" + kernel()[5:], "not an ELF64"),
    ],
)
def test_what_is_no_elf_file_is_an_error(data: bytes, message: str) -> None:
    with pytest.raises(ElfError, match=message):
        Elf.parse(data)


def test_libraries_are_followed_to_the_end(sysroot: Sysroot, tmp_path: Path) -> None:
    index = LibraryIndex(sysroot.root / LIBRARIES)
    found, missing = index.closure([sysroot.root / LIBRARIES / "libssl.so.3"])
    names = {path.name for path in found}
    # libssl asks for libcrypto, and only that for libz and libzstd.
    assert {"libcrypto.so.3", "libz.so.1", "libzstd.so.1", "libc.so.6"} <= names
    assert missing == {}
    _, missing = LibraryIndex(tmp_path).closure([sysroot.root / LIBRARIES / "libssl.so.3"])
    assert set(missing) == {"libcrypto.so.3", "libc.so.6"}


def test_elf_files_are_told_by_their_first_bytes(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    binary = tmp_path / "binary"
    binary.write_bytes(kernel())
    assert is_elf(binary)
    assert not is_elf(script)
