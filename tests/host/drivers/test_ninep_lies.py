"""Servers of 9P that do not keep to it: whoever asked gets an error, and nothing else happens."""

import errno
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from ovum.services.vfs.ninep import NinePFileSystem
from ovum.services.vfs.ninep import protocol as p
from ovum.services.vfs.node import Node

from .conftest import Run
from .machine import Machine
from .ninep_model import NinePModel
from .ninep_server import FolderServer
from .test_ninep import Use, ask, with_share


class Liar(FolderServer):
    """Answers some requests with what it is told to."""

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self.lies: dict[str, Callable[[bytes, bytes], bytes]] = {}

    def answer(self, message: bytes) -> bytes:
        right = super().answer(message)
        lie = self.lies.get(self.asked[-1])
        return lie(message, right) if lie is not None else right


@pytest.fixture
def liar(machine: Machine, tmp_path: Path) -> NinePModel:
    (tmp_path / "file").write_bytes(b"hello, world\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("file")
    return NinePModel(machine, Liar(str(tmp_path)))


def _number(number: int) -> Callable[[bytes, bytes], bytes]:
    return lambda asked, right: right[:4] + bytes([number]) + right[5:]


def _error(code: int) -> Callable[[bytes, bytes], bytes]:
    return lambda asked, right: struct.pack("<IBHI", 11, 7, p.unpack_header(right)[2], code)


def _tag(asked: bytes, right: bytes) -> bytes:
    return right[:5] + b"\x55\x00" + right[7:]


def _size(by: int) -> Callable[[bytes, bytes], bytes]:
    return lambda asked, right: struct.pack("<I", len(right) + by) + right[4:]


def _body(body: bytes) -> Callable[[bytes, bytes], bytes]:
    return lambda asked, right: struct.pack("<I", 7 + len(body)) + right[4:7] + body


@pytest.mark.parametrize(
    "lie",
    [
        _tag, _size(1), _size(-1), _number(7), _number(0), _number(24), _body(b""),
        _error(0), _error(5000), _error(1 << 31), _body(b"x" * 1000),
        lambda asked, right: b"", lambda asked, right: b"\x03\0\0",
        lambda asked, right: right[:-1], lambda asked, right: right + b"more",
    ],
)  # fmt: skip
def test_answers_that_cannot_be_are_errors_of_that_request_alone(
    liar: NinePModel, run: Run, lie: Callable[[bytes, bytes], bytes]
) -> None:
    async def use(system: NinePFileSystem, root: Node) -> None:
        assert isinstance(liar.server, Liar)
        liar.server.lies = {"getattr": lie}
        with pytest.raises(OSError) as caught:
            await root.attributes()
        assert caught.value.errno == errno.EIO
        liar.server.lies = {}
        await root.attributes()

    ask(liar, run, use)


@pytest.mark.parametrize("code", [errno.EACCES, errno.ENOSPC, errno.EDQUOT, errno.ESTALE])
def test_errors_of_the_server_are_the_callers(liar: NinePModel, run: Run, code: int) -> None:
    async def use(system: NinePFileSystem, root: Node) -> None:
        assert isinstance(liar.server, Liar)
        liar.server.lies = {"mkdir": _error(code)}
        with pytest.raises(OSError) as caught:
            await root.make_directory("x", 0o755)
        assert caught.value.errno == code

    ask(liar, run, use)


@pytest.mark.parametrize("count", [0, 4, 12, 14, 1 << 31, (1 << 32) - 1])
def test_a_read_whose_count_is_wrong_is_an_error(liar: NinePModel, run: Run, count: int) -> None:
    async def use(system: NinePFileSystem, root: Node) -> None:
        assert isinstance(liar.server, Liar)
        file = await (await root.lookup("file")).open(os.O_RDONLY)
        liar.server.lies = {
            "read": lambda asked, right: right[:7] + struct.pack("<I", count) + right[11:]
        }
        buffer = bytearray(b"?" * 20)
        with pytest.raises(OSError, match="was answered with"):
            await file.read_into(0, memoryview(buffer))
        assert buffer == b"?" * 20
        await file.close()

    ask(liar, run, use)


def test_short_reads_are_asked_again(liar: NinePModel, run: Run) -> None:
    async def use(system: NinePFileSystem, root: Node) -> None:
        assert isinstance(liar.server, Liar)
        file = await (await root.lookup("file")).open(os.O_RDONLY)

        def short(asked: bytes, right: bytes) -> bytes:
            data = right[11:14]
            return (
                struct.pack("<I", 11 + len(data)) + right[4:7] + struct.pack("<I", len(data)) + data
            )

        liar.server.lies = {"read": short}
        buffer = bytearray(20)
        assert await file.read_into(0, memoryview(buffer)) == 13
        assert buffer[:13] == b"hello, world\n"
        await file.close()

    ask(liar, run, use)


@pytest.mark.parametrize("count", [0, 6, 1 << 31])
def test_a_write_whose_count_is_wrong_is_an_error(liar: NinePModel, run: Run, count: int) -> None:
    async def use(system: NinePFileSystem, root: Node) -> None:
        assert isinstance(liar.server, Liar)
        file = await (await root.lookup("file")).open(os.O_WRONLY)
        liar.server.lies = {"write": _body(struct.pack("<I", count))}
        with pytest.raises(OSError, match="bytes were written of 5"):
            await file.write(0, memoryview(b"12345"))
        await file.close()

    ask(liar, run, use)


def _listing(data: bytes) -> Callable[[bytes, bytes], bytes]:
    return _body(struct.pack("<I", len(data)) + data)


GOOD = p.pack_entry((0, 0, 5), 1, 8, b"good")


@pytest.mark.parametrize(
    "data",
    [
        GOOD[:-1], GOOD + b"\0", GOOD + p.pack_entry((0, 0, 5), 2, 8, b"../etc"),
        p.pack_entry((0, 0, 5), 1, 8, b""), p.pack_entry((0, 0, 5), 1, 8, b"a\0b"), b"x" * 23,
    ],
)  # fmt: skip
def test_listings_that_are_none_are_errors(liar: NinePModel, run: Run, data: bytes) -> None:
    async def use(system: NinePFileSystem, root: Node) -> None:
        assert isinstance(liar.server, Liar)
        liar.server.lies = {"readdir": _listing(data)}
        with pytest.raises(OSError, match="a listing"):
            await root.entries()

    ask(liar, run, use)


def test_a_listing_without_an_end_ends(
    liar: NinePModel, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ovum.services.vfs.ninep.client.LISTED", 1000)

    async def use(system: NinePFileSystem, root: Node) -> None:
        assert isinstance(liar.server, Liar)
        liar.server.lies = {"readdir": _listing(GOOD * 100)}
        with pytest.raises(OSError) as caught:
            await root.entries()
        assert caught.value.errno == errno.EOVERFLOW

    ask(liar, run, use)


@pytest.mark.parametrize("target", [b"a\0b", b"x" * 5000])
def test_links_that_lead_nowhere_in_particular_are_errors(
    liar: NinePModel, run: Run, target: bytes
) -> None:
    async def use(system: NinePFileSystem, root: Node) -> None:
        assert isinstance(liar.server, Liar)
        link = await root.lookup("link")
        liar.server.lies = {"readlink": _body(struct.pack("<H", len(target)) + target)}
        with pytest.raises(OSError, match="a link leads to"):
            await link.read_link()

    ask(liar, run, use)


@pytest.mark.parametrize(
    "body",
    [
        struct.pack("<H", 0), struct.pack("<HBIQBIQ", 2, 0, 0, 1, 0, 0, 2),
        struct.pack("<H", 500), b"",
    ],
)  # fmt: skip
def test_walks_to_nowhere_are_errors(liar: NinePModel, run: Run, body: bytes) -> None:
    async def use(system: NinePFileSystem, root: Node) -> None:
        assert isinstance(liar.server, Liar)
        liar.server.lies = {"walk": _body(body)}
        with pytest.raises(OSError):
            await root.lookup("file")
        liar.server.lies = {}
        await root.lookup("file")

    ask(liar, run, use)


@pytest.mark.parametrize("version", [b"unknown", b"9P2000", b"", b"9P2000.L.x"])
def test_another_protocol_is_refused(liar: NinePModel, run: Run, version: bytes) -> None:
    liar.server.version = version

    async def use(system: NinePFileSystem, root: Node) -> None:
        with pytest.raises(OSError) as caught:
            await system.root()
        assert caught.value.errno == errno.EPROTONOSUPPORT

    assert run(with_share_unmounted, liar, use) == []


@pytest.mark.parametrize("msize", [0, 100, 4096, 1 << 30])
def test_sizes_of_messages_that_cannot_be_are_refused(
    liar: NinePModel, run: Run, msize: int
) -> None:
    assert isinstance(liar.server, Liar)
    version = struct.pack("<IH", msize, len(p.VERSION)) + p.VERSION
    liar.server.lies = {"version": _body(version)}

    async def use(system: NinePFileSystem, root: Node) -> None:
        with pytest.raises(OSError, match="were agreed on"):
            await system.root()

    assert run(with_share_unmounted, liar, use) == []


async def with_share_unmounted(model: NinePModel, use: Use) -> object:
    return await with_share(model, use, mount=False)
