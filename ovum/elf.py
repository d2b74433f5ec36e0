"""As much of ELF64 as building an image takes: program headers, and what a library asks for.

The tests check images and these readings with pyelftools, which takes too long to import for a
command that is to start a machine in a fraction of a second.
"""

import dataclasses
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PT_LOAD: Final = 1
PT_DYNAMIC: Final = 2
PT_INTERP: Final = 3
PF_R: Final = 4

DT_NEEDED: Final = 1
DT_STRTAB: Final = 5
DT_SONAME: Final = 14

EM_X86_64: Final = 62

_HEADER = struct.Struct("<4sBBBB8sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_DYNAMIC = struct.Struct("<qQ")


class ElfError(ValueError):
    """The bytes are not an ELF64 file for x86-64, or are cut off."""


@dataclasses.dataclass(frozen=True, slots=True)
class Segment:
    """One program header; the names are those of the ELF specification."""

    p_type: int
    p_flags: int
    p_offset: int
    p_vaddr: int
    p_paddr: int
    p_filesz: int
    p_memsz: int
    p_align: int

    def pack(self) -> bytes:
        """The program header as it is in the file."""
        return _SEGMENT.pack(*dataclasses.astuple(self))


@dataclasses.dataclass(frozen=True, slots=True)
class Elf:
    """An ELF file's bytes and its program headers."""

    data: bytes
    segments_at: int
    """File offset of the first program header; they follow one another."""
    segments: tuple[Segment, ...]

    @classmethod
    def parse(cls, data: bytes) -> "Elf":
        """Reads the headers. Raises ElfError."""
        if data[:4] != b"\x7fELF":
            raise ElfError("not an ELF file")
        if len(data) < _HEADER.size:
            raise ElfError("the file is cut off inside the ELF header")
        header = _HEADER.unpack_from(data)
        elf_class, byte_order, machine = header[1], header[2], header[7]
        if (elf_class, byte_order, machine) != (2, 1, EM_X86_64):
            raise ElfError("not an ELF64 file for x86-64")
        offset, entry_size, count = header[10], header[14], header[15]
        if count and entry_size != _SEGMENT.size:
            raise ElfError(f"program headers of {entry_size} bytes")
        if offset + count * _SEGMENT.size > len(data):
            raise ElfError("the file is cut off inside the program headers")
        segments = tuple(
            Segment(*_SEGMENT.unpack_from(data, offset + index * _SEGMENT.size))
            for index in range(count)
        )
        return cls(data, offset, segments)

    def interpreter(self) -> str | None:
        """The path of the dynamic linker, as PT_INTERP names it."""
        for segment in self.segments:
            if segment.p_type == PT_INTERP:
                raw = self.data[segment.p_offset : segment.p_offset + segment.p_filesz]
                return raw.rstrip(b"\0").decode()
        return None

    def needed(self) -> list[str]:
        """The libraries that the file asks for by DT_NEEDED, in order."""
        return [self._string(value) for tag, value in self._dynamic() if tag == DT_NEEDED]

    def soname(self) -> str | None:
        """The name by which others ask for this library."""
        for tag, value in self._dynamic():
            if tag == DT_SONAME:
                return self._string(value)
        return None

    def _dynamic(self) -> Iterator[tuple[int, int]]:
        for segment in self.segments:
            if segment.p_type == PT_DYNAMIC:
                raw = self.data[segment.p_offset : segment.p_offset + segment.p_filesz]
                whole = len(raw) - len(raw) % _DYNAMIC.size
                for tag, value in _DYNAMIC.iter_unpack(raw[:whole]):
                    if tag == 0:
                        return
                    yield tag, value

    def _string(self, offset: int) -> str:
        table = next((value for tag, value in self._dynamic() if tag == DT_STRTAB), None)
        if table is None:
            raise ElfError("a dynamic section without a string table")
        start = self._file_offset(table) + offset
        end = self.data.find(b"\0", start)
        if end < 0:
            raise ElfError("a string of the dynamic section does not end")
        return self.data[start:end].decode()

    def _file_offset(self, vaddr: int) -> int:
        for segment in self.segments:
            if segment.p_type == PT_LOAD and 0 <= vaddr - segment.p_vaddr < segment.p_filesz:
                return segment.p_offset + vaddr - segment.p_vaddr
        raise ElfError(f"address {vaddr:#x} is in no segment of the file")


def is_elf(path: Path) -> bool:
    """Whether the file begins like an ELF file."""
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


class LibraryIndex:
    """Finds shared libraries by the names that DT_NEEDED uses, in the given folders."""

    def __init__(self, *folders: Path) -> None:
        self._folders = folders

    def find(self, name: str) -> Path | None:
        """The file or symbolic link of this name, first folder first."""
        for folder in self._folders:
            path = folder / name
            if path.exists():
                return path
        return None

    def closure(self, files: list[Path]) -> tuple[list[Path], dict[str, Path]]:
        """The libraries that the files need, directly and indirectly, and the names not found.

        The second is each missing name with the first file that asks for it: wheels bring many of
        theirs along, and find them by an RPATH.
        """
        found: dict[str, Path] = {}
        missing: dict[str, Path] = {}
        todo = list(files)
        while todo:
            file = todo.pop()
            for name in Elf.parse(file.read_bytes()).needed():
                if name in found or name in missing:
                    continue
                path = self.find(name)
                if path is None:
                    missing[name] = file
                else:
                    found[name] = path
                    todo.append(path)
        return [found[name] for name in sorted(found)], missing
