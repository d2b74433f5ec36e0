"""What the guest gets to know of the host's standard streams before it starts."""

import dataclasses
import os
import stat
from typing import Final

from ovum.qemu import EXIT_PORT
from ovum.terminal import window_size

INPUT_FILE_LIMIT: Final = 64 << 20


@dataclasses.dataclass(frozen=True, slots=True)
class Streams:
    """Which of the descriptors 0, 1 and 2 are a terminal."""

    terminals: tuple[int, ...]
    size: tuple[int, int] | None

    @classmethod
    def of_host(cls) -> "Streams":
        """As this process finds them. A closed one is opened as /dev/null, to keep its number."""
        for fd in (0, 1, 2):
            try:
                os.fstat(fd)
            except OSError:
                os.open(os.devnull, os.O_RDWR)
        terminals = tuple(fd for fd in (0, 1, 2) if os.isatty(fd))
        return cls(terminals, window_size(terminals[0]) if terminals else None)

    def words(self) -> list[str]:
        """The words of the kernel's command line that say so."""
        words = ["ovum.tty=" + "".join(map(str, self.terminals))]
        if self.size is not None:
            words.append(f"ovum.size={self.size[0]}x{self.size[1]}")
        return words


def kernel_words(streams: Streams, *, verbose: bool, tsc_khz: int | None) -> list[str]:
    """The kernel's command line for a machine on the link."""
    words = ["ovum.link=mux", *streams.words(), f"ovum.exit={EXIT_PORT:#x}"]
    if verbose:
        words.append("ovum.log=3")
    if tsc_khz is not None:
        words.append(f"tsc_khz={tsc_khz}")
    return words


def input_file(memory_mib: int) -> bytes | None:
    """The rest of a regular file that is standard input; None if it is something else.

    Such a file goes into the machine with the program: there it can be read at memory's speed, and
    sought in, as on Linux. Files that would take much of the machine's memory are None as well.
    The file's position moves to its end, since what the program leaves unread cannot be told.
    """
    status = os.fstat(0)
    if not stat.S_ISREG(status.st_mode):
        return None
    rest = max(status.st_size - os.lseek(0, 0, os.SEEK_CUR), 0)
    if rest > min(INPUT_FILE_LIMIT, (memory_mib << 20) // 4):
        return None
    with open(0, "rb", closefd=False) as file:
        return file.read()
