"""ovum.image: what a composed image looks like to whoever loads it."""

import io
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from ovum.cpio import PAGE, read_archive, regular, write_archive
from ovum.image import (
    HIGHER_HALF,
    ImageError,
    compose,
    is_image,
    read_start,
    start_archive,
)
from tests.host.elffile import LOAD_ADDRESS, elf, kernel


def archive(**files: bytes) -> bytes:
    out = io.BytesIO()
    write_archive(out, [regular(name, content) for name, content in files.items()])
    return out.getvalue()


@pytest.fixture
def kernel_file(tmp_path: Path) -> Path:
    path = tmp_path / "kernel.elf"
    path.write_bytes(kernel(tail=b"symbols and debug information"))
    return path


def test_the_archives_are_the_last_segment(kernel_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "app.elf"
    size = compose(kernel_file, [archive(a=b"1"), archive(b=b"2")], out)
    data = out.read_bytes()
    assert len(data) == size
    segments = list(ELFFile(io.BytesIO(data)).iter_segments())
    code, last = segments[0].header, segments[-1].header
    assert last.p_offset % PAGE == 0 and last.p_flags == 4
    assert last.p_paddr == (LOAD_ADDRESS + code.p_memsz + PAGE - 1) // PAGE * PAGE
    assert last.p_vaddr == HIGHER_HALF + last.p_paddr
    assert last.p_filesz == last.p_memsz == size - last.p_offset
    content = segments[-1].data()
    assert [entry.content for entry, _ in read_archive(content)] == [b"1", b"2"]


def test_the_kernels_own_part_is_unchanged(kernel_file: Path, tmp_path: Path) -> None:
    compose(kernel_file, [archive(a=b"1")], tmp_path / "app.elf")
    data = (tmp_path / "app.elf").read_bytes()
    assert b"the kernel's code" in data
    assert b"symbols and debug information" not in data
    assert ELFFile(io.BytesIO(data)).num_sections() == 0


def test_the_same_parts_give_the_same_image(kernel_file: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    compose(kernel_file, [archive(a=b"1")], one)
    compose(kernel_file, [archive(a=b"1")], two)
    assert one.read_bytes() == two.read_bytes()


def test_an_image_that_fails_leaves_nothing_behind(kernel_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "app.elf"
    out.parent.mkdir()
    out.write_bytes(b"the old one")
    with pytest.raises(ImageError, match="whole pages"):
        compose(kernel_file, [b"123"], out)
    with pytest.raises(FileNotFoundError):
        compose(kernel_file, [tmp_path / "missing"], out)
    assert [path.name for path in out.parent.iterdir()] == ["app.elf"]
    assert out.read_bytes() == b"the old one"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"#!/bin/sh\n", "not an ELF file"),
        (elf([]), "no program headers"),
        (elf([(1, 5, 0, LOAD_ADDRESS, 64, 64)]), "no placeholder"),
    ],
)
def test_a_kernel_without_a_placeholder_is_refused(
    content: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "kernel.elf"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=message):
        compose(path, [archive(a=b"1")], tmp_path / "app.elf")


def test_an_image_is_told_from_other_files(kernel_file: Path, tmp_path: Path) -> None:
    image = tmp_path / "app.elf"
    compose(kernel_file, [archive(a=b"1")], image)
    script = tmp_path / "prog.py"
    script.write_text("print('hello')")
    assert is_image(image)
    assert not is_image(kernel_file)
    assert not is_image(script)
    assert not is_image(tmp_path)
    assert not is_image(tmp_path / "missing")


def test_what_an_image_starts_with_can_be_read_back(kernel_file: Path, tmp_path: Path) -> None:
    argv = ["/usr/bin/python3.13", "/app/prog.py", "two words", ""]
    environ = {"HOME": "/root", "EQUALS": "a=b", "EMPTY": ""}
    image = tmp_path / "app.elf"
    compose(kernel_file, [archive(a=b"1"), start_archive(argv, environ, "/app")], image)
    assert read_start(image) == (argv, environ, "/app")


def test_arguments_end_with_nul_each() -> None:
    found = {
        entry.name: entry.content for entry, _ in read_archive(start_archive(["a", "ü"], {}, "/"))
    }
    assert found["ovum/argv"] == b"a\0\xc3\xbc\0"
    assert found["ovum/environ"] == b""
    assert found["ovum/cwd"] == b"/"


def test_an_argument_with_nul_is_refused() -> None:
    with pytest.raises(ImageError, match="NUL"):
        start_archive(["a\0b"], {}, "/")
