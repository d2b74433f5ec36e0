"""tcpdump: a line for each frame that passes an interface (tcpdump(8))."""

from __future__ import annotations

import socket
import time

from ovum.net.phy import pcap
from ovum.net.tools.filters import compile_filter
from ovum.net.tools.hosts import ToolError
from ovum.net.wire import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

ETH_P_ALL = 3
_OUTGOING = 4
_LOOPBACK = 772
_SOL_PACKET, _PACKET_STATISTICS = 263, 6


def line(time_ns: int, frame: bytes) -> str:
    """One frame: the time of the day, and what it is."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    clock = time.strftime("%H:%M:%S", time.localtime(seconds))
    return f"{clock}.{rest // 1000:06} {show.frame(frame)}"


def hex_lines(data: bytes) -> list[str]:
    """The bytes behind the Ethernet header, as `tcpdump -X` has them."""
    lines = []
    for at in range(14, len(data), 16):
        part = data[at : at + 16]
        digits = " ".join(part[k : k + 2].hex() for k in range(0, len(part), 2))
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"\t0x{at - 14:04x}:  {digits:<39}  {text}")
    return lines


def tcpdump(
    interface: str = "",
    count: int = 0,
    matching: str = "",
    *,
    hexadecimal: bool = False,
    write: str = "",
    read: str = "",
    seconds: float = 0,
) -> int:
    """Prints a line for each frame; Ctrl-C ends it. Returns how many they were.

    interface: of this one only. count: ends after so many frames; 0: goes on. matching: only these
    (help(ovum.net.tools.filters)). hexadecimal: and their bytes. write: a file that the frames go
    to, in place of lines. read: a file that they come from, in place of an interface. seconds:
    ends after this time; 0: goes on. Raises ToolError.
    """
    passes = compile_filter(matching)
    try:
        out = open(write, "wb") if write else None  # noqa: PTH123, SIM115
    except OSError as error:
        raise ToolError(f"{write}: {error.strerror}") from error
    try:
        if read:
            return _take(_recorded(read), passes, count, out, hexadecimal)
        return _listen(interface, passes, count, out, hexadecimal, seconds)
    finally:
        if out is not None:
            out.close()


def _recorded(path: str) -> Iterator[tuple[int, bytes]]:
    """The frames in a file, with their times since 1970. Raises ToolError."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            data = file.read()
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}") from error
    if data[20:22] not in (b"", pcap.ETHERNET.to_bytes(2, "little")):
        raise ToolError(f"{path}: the frames are not Ethernet's")
    try:
        yield from pcap.read(data)
    except ValueError as error:
        raise ToolError(f"{path}: {error}") from error


def _take(
    frames: Iterator[tuple[int, bytes]],
    passes: Callable[[bytes], bool],
    count: int,
    out: BinaryIO | None,
    hexadecimal: bool,
) -> int:
    taken = 0
    recorder = None if out is None else pcap.Recorder(out.write)
    for time_ns, frame in frames:
        if not passes(frame):
            continue
        taken += 1
        if recorder is not None:
            recorder.record(time_ns, frame)
        else:
            print(line(time_ns, frame), flush=True)
            if hexadecimal:
                print("\n".join(hex_lines(frame)), flush=True)
        if taken == count:
            break
    return taken


def _listen(
    interface: str,
    passes: Callable[[bytes], bool],
    count: int,
    out: BinaryIO | None,
    hexadecimal: bool,
    seconds: float,
) -> int:
    try:
        listening = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    except PermissionError as error:
        raise ToolError("this user may not look at frames") from error
    with listening:
        if interface:
            try:
                listening.bind((interface, ETH_P_ALL))
            except OSError as error:
                raise ToolError(f"{interface}: {error.strerror}") from error
        print(f"listening on {interface or 'any'}, link-type EN10MB (Ethernet)", flush=True)
        taken = 0
        frames = _Frames(listening, seconds)
        try:
            taken = _take(frames, passes, count, out, hexadecimal)
        except KeyboardInterrupt:
            print()  # as with tcpdump: the end, and the numbers
        received, dropped = frames.statistics()
        print(f"{taken} packets captured")
        print(f"{received} packets received by filter")
        print(f"{dropped} packets dropped by kernel")
    return taken


class _Frames:
    """The frames that a socket gets. What passes the loopback interface passes twice, out and in:
    once is enough."""

    def __init__(self, listening: socket.socket, seconds: float) -> None:
        self._socket = listening
        self._until = time.monotonic() + seconds if seconds else 0.0

    def __iter__(self) -> _Frames:
        return self

    def __next__(self) -> tuple[int, bytes]:
        while True:
            if self._until:
                left = self._until - time.monotonic()
                if left <= 0:
                    raise StopIteration
                self._socket.settimeout(left)
            try:
                frame, source = self._socket.recvfrom(pcap.SNAP_LENGTH)
            except TimeoutError:
                raise StopIteration from None
            except OSError as error:
                raise ToolError(f"the interface is gone: {error.strerror}") from error
            if source[2] == _OUTGOING and source[3] == _LOOPBACK:
                continue
            return time.time_ns(), frame

    def statistics(self) -> tuple[int, int]:
        """(received, dropped)."""
        data = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)
        return int.from_bytes(data[:4], "little"), int.from_bytes(data[4:8], "little")
