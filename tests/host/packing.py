"""A small image for the tests of `ovum pack`: a kernel that is none, and an archive."""

import io
from collections.abc import Sequence
from pathlib import Path

from ovum.cpio import regular, write_archive
from ovum.image import compose, start_archive
from ovum.network import Network
from ovum.pack.payload import Payload
from tests.host.elffile import kernel

NOISE = bytes(range(256)) * 700


def image(folder: Path, name: str = "app.elf") -> Path:
    """An image that `ovum build` could have made."""
    elf = folder / "kernel.elf"
    elf.write_bytes(kernel(code=b"a kernel's code" * 100))
    archive = io.BytesIO()
    write_archive(archive, [regular("app/prog.py", b"print(1)\n"), regular("noise", NOISE)])
    start = start_archive(["/usr/bin/python3.13", "/app/prog.py"], {"A": "B"}, "/app")
    compose(elf, [archive.getvalue(), start], folder / name)
    elf.unlink()
    return folder / name


def payload(folder: Path, words: Sequence[str] = (), network: str = "user") -> Payload:
    """The same, to be packed."""
    return Payload.of(image(folder), words, 128, Network.parse(network))
