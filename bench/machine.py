"""Boots programs with ovum's own machinery and notes when each of their words arrives.

What is measured begins with QEMU's start: the image is composed before.
"""

import dataclasses
import select
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ovum.application import find_program
from ovum.assemble import Parts, assemble, in_memory
from ovum.link import Decoder, Frame, FromGuest
from ovum.options import parse_run
from ovum.progress import Progress
from ovum.qemu import QemuConfig, find_qemu, host_tsc_khz, qemu_argv
from ovum.streams import Streams, kernel_words

TERM: Final = "xterm-256color"
_READ_SIZE: Final = 65536


class MachineTimeoutError(Exception):
    """The machine was not done in time."""


@dataclasses.dataclass(frozen=True, slots=True)
class Stamp:
    """When something arrived at the host."""

    wall: float
    """Seconds since the start of the process."""
    cpu: float
    """Seconds of processor time that the process had used: less where the host was busy."""


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """The machine to boot on."""

    machine: str = "pc"
    memory_mib: int = 256
    verbose: bool = False
    """Whether the kernel sends its log."""
    network: bool = False
    forwards: tuple[str, ...] = ()
    """Forwarded ports, in the words of QEMU's `hostfwd`."""
    more: tuple[str, ...] = ()
    """Further words for QEMU: devices."""


def program_parts(*words: str) -> Parts:
    """The parts of an image; the words are those of `ovum run`."""
    options = parse_run(words)
    program = find_program(
        options.target, options.arguments, module=options.module, code=options.code
    )
    return assemble(options, program, TERM, Progress())


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and all its threads so far, by the host's scheduler."""
    total = 0
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        # It has ended, or this host keeps no such record.
        pass
    return total / 1e9


def network_argv(setting: Setting) -> list[str]:
    """QEMU's words for a network card on its user network."""
    if not setting.network:
        return []
    forwards = "".join(f",hostfwd={forward}" for forward in setting.forwards)
    card = "virtio-net-device" if setting.machine == "microvm" else "virtio-net-pci,romfile="
    return ["-netdev", f"user,id=n0{forwards}", "-device", f"{card},netdev=n0"]


class Machine:
    """A machine that has been started."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", link: socket.socket, begun: float
    ) -> None:
        self._process = process
        self._link = link
        self._begun = begun

    def now(self) -> Stamp:
        """The time on this machine's clocks."""
        return Stamp(time.monotonic() - self._begun, cpu_seconds(self._process.pid))

    def frames(self, timeout_s: float) -> Iterator[tuple[Stamp, Frame]]:
        """What the guest says until its machine is gone. Raises MachineTimeoutError."""
        decoder = Decoder()
        while True:
            left = self._begun + timeout_s - time.monotonic()
            if not select.select([self._link], [], [], max(0.0, left))[0]:
                raise MachineTimeoutError(f"not done after {timeout_s:g} s")
            try:
                data = self._link.recv(_READ_SIZE)
            except ConnectionResetError:
                data = b""
            at = self.now()
            if not data:
                return
            for frame in decoder.feed(data):
                yield at, frame

    def wait(self) -> float:
        """Waits until QEMU is gone; seconds since its start."""
        self._process.wait(timeout=10)
        return time.monotonic() - self._begun


@contextmanager
def started(parts: Parts, setting: Setting) -> Iterator[Machine]:
    """Boots a machine with these parts; it is gone at the end of the block."""
    image, rest = parts.image()
    ours, theirs = socket.socketpair()
    with ours, in_memory(*rest, parts.start()) as (initrd_fd, initrd):
        words = kernel_words(Streams((), None), verbose=setting.verbose, tsc_khz=host_tsc_khz())
        with theirs:
            config = QemuConfig(
                image=str(image),
                link_fd=theirs.fileno(),
                append=" ".join(words),
                initrd=initrd,
                memory_mib=setting.memory_mib,
                machine=setting.machine,
                program=find_qemu(),
            )
            command = [*qemu_argv(config), *network_argv(setting), *setting.more]
            at = time.monotonic()
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), initrd_fd),
            )
        try:
            yield Machine(process, ours, at)
        finally:
            process.kill()
            process.wait()


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """How a machine ended."""

    status: int | None
    """None if it went without a word."""
    output: bytes


def run_to_end(parts: Parts, setting: Setting, timeout_s: float) -> Outcome:
    """Boots, waits for the end, and tells what came of it. Raises MachineTimeoutError."""
    status = None
    output = bytearray()
    with started(parts, setting) as machine:
        for _, frame in machine.frames(timeout_s):
            if frame.type is FromGuest.STDOUT:
                output += frame.payload
            elif frame.type is FromGuest.EXIT:
                status = frame.status()
    return Outcome(status, bytes(output))
