"""The kernel's log as a device: records, and what programs write."""

import errno
import os

import pytest

from ovum.services.kmsg import Kmsg
from ovum.services.tasks.testing import run
from ovum.services.vfs import Node


class Log:
    """Stands in for the kernel's."""

    def __init__(self, text: bytes = b"") -> None:
        self.text = text
        self.written: list[tuple[int, str]] = []

    def read_log(self, position: int = 0) -> tuple[bytes, int]:
        return self.text[position:], len(self.text)

    def log(self, level: int, text: str) -> None:
        self.written.append((level, text))


def opened(log: Log) -> Node:
    """The device, opened."""
    node: Node = run(lambda: Kmsg(log).open(os.O_NONBLOCK))
    return node


def test_a_record_is_a_line_whatever_is_in_it() -> None:
    file = opened(Log(b"<1>[    1.500000] one\rtwo\n<3>[   12.000007] x\x0c\x85y\n"))

    async def records() -> list[bytes]:
        found: list[bytes] = []
        try:
            while True:
                found.append(bytes(await file.read(len(found) + 1, 1000)))
        except BlockingIOError as error:
            assert error.errno == errno.EAGAIN
        return found

    assert run(records) == [
        b"3,0,1500000,-;one\rtwo\n",
        b"6,26,12000007,-;x\x0c\x85y\n",
    ]


@pytest.mark.parametrize(
    ("line", "level", "text"),
    [
        ("<0>worst\n", 1, "worst"),
        ("<12>of a facility\n", 2, "of a facility"),
        ("<7>detail", 4, "detail"),
        ("plain\n", 3, "plain"),
        ("<²>no digit\n", 3, "no digit"),
        ("<x>no number\n", 3, "no number"),
        ("<>empty\n", 3, "empty"),
        ("<12 no end\n", 3, "<12 no end"),
    ],
)
def test_priorities_of_what_is_written(line: str, level: int, text: str) -> None:
    log = Log()
    file = opened(log)
    data = memoryview(line.encode())
    assert run(lambda: file.write(0, data)) == len(data)
    assert log.written == [(level, text)]
