"""What the guest is told about the host's standard streams, on the kernel's command line."""

import dataclasses
import os

from ovum.qemu import EXIT_PORT
from ovum.terminal import window_size


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
