"""Runs one machine in QEMU and is its terminal, its standard streams and its exit status.

One loop over `poll` moves bytes; nothing here waits for anything else.
"""

import dataclasses
import os
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from types import FrameType
from typing import Final

from ovum.link import Channel, Decoder, Encoder, Frame, FromGuest, LinkError
from ovum.qemu import QemuConfig, qemu_argv
from ovum.streams import Streams
from ovum.terminal import ModeTracker, RawMode, in_foreground, window_size

STATUS_PANIC: Final = 70
STATUS_TIMEOUT: Final = 124
STATUS_BROKEN_PIPE: Final = 128 + signal.SIGPIPE

_STREAM_OF: Final = {FromGuest.STDOUT: 1, FromGuest.STDERR: 2}
_READ_SIZE: Final = 65536
_WRITE_SIZE: Final = select.PIPE_BUF
"""What a pipe that is ready for writing takes without blocking."""
_BACKLOG: Final = 256 * 1024
"""With more than this unwritten, the guest has to wait."""
_LAST_WORDS: Final = 16 * 1024
_GRACE_S: Final = 1.0
"""How long a machine that has said EXIT may take to be gone."""
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGWINCH)


def run_machine(
    config: QemuConfig,
    streams: Streams,
    *,
    pass_fds: tuple[int, ...] = (),
    timeout_s: float | None = None,
    verbose: bool = False,
) -> int:
    """Runs the machine to its end and returns the status for the shell.

    `config.link_fd` is ignored: the link is made here. `pass_fds` are open files that the
    configuration mentions by number.
    """
    ours, theirs = socket.socketpair()
    with ExitStack() as cleanup:
        cleanup.enter_context(ours)
        with theirs:
            argv = qemu_argv(dataclasses.replace(config, link_fd=theirs.fileno()))
            if verbose:
                print("ovum: " + shlex.join(argv), file=sys.stderr)
            process = subprocess.Popen(
                [*_dies_with_parent(), *argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(theirs.fileno(), *pass_fds),
                # Ctrl-C is for the program, not for QEMU.
                start_new_session=True,
            )
        cleanup.callback(_end, process)
        return _Session(process, ours, streams, timeout_s, verbose).run()


def _dies_with_parent() -> list[str]:
    """Words before a command that end it even when this process is killed outright.

    util-linux has the program on every Debian; elsewhere the machine would only outlive a kill -9.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.kill()
    process.wait()
    if process.stderr is not None:
        process.stderr.close()


class RunError(Exception):
    """The host side of the run failed, at one of its own standard streams."""


class _Session:
    """One run: what is still to be written where, and how it ended."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        link: socket.socket,
        streams: Streams,
        timeout_s: float | None,
        verbose: bool,
    ) -> None:
        self._process = process
        self._link = link
        self._streams = streams
        self._verbose = verbose
        self._started = time.monotonic()
        self._deadline = None if timeout_s is None else self._started + timeout_s
        self._kill_at: float | None = None
        """When a machine that has said EXIT is helped to be gone."""
        self._decoder = Decoder()
        self._encoder = Encoder()
        self._modes = ModeTracker()
        self._unsent = bytearray()
        self._unwritten = {1: bytearray(), 2: bytearray()}
        self._terminal_out = next((fd for fd in (1, 2, 0) if fd in streams.terminals), None)
        if self._terminal_out is not None:
            self._unwritten.setdefault(self._terminal_out, bytearray())
        self._input = Channel.TTY if 0 in streams.terminals else Channel.STDIN
        self._input_open = True
        self._raw = False
        self._last_words = b""
        self._link_open = True
        self._panicked = False
        self._terminated = False
        self._exit_status: int | None = None
        self._verdict: int | None = None
        """A status decided here, not by the guest: time is up, nobody reads, told to end."""

    def run(self) -> int:
        with ExitStack() as cleanup:
            signals = self._catch_signals(cleanup)
            if self._input is Channel.TTY:
                if in_foreground(0):
                    cleanup.enter_context(RawMode(0))
                    self._raw = True
                else:
                    # Reading from the terminal would stop a job in the background.
                    self._input_open = False
            self._link.setblocking(False)
            # Before raw mode ends, so that these bytes are not translated.
            cleanup.callback(self._undo_modes)
            while self._verdict is None and not self._is_over():
                self._turn(signals)
            if self._verdict is not None:
                self._write_what_goes()
        return self._conclude()

    def _catch_signals(self, cleanup: ExitStack) -> int:
        """Signals arrive as bytes on the descriptor that this returns."""
        receiving, sending = socket.socketpair()
        cleanup.enter_context(receiving)
        cleanup.enter_context(sending)
        sending.setblocking(False)
        receiving.setblocking(False)
        previous_fd = signal.set_wakeup_fd(sending.fileno())
        cleanup.callback(signal.set_wakeup_fd, previous_fd)
        for number in _SIGNALS:
            cleanup.callback(signal.signal, number, signal.signal(number, _ignore))
        # A broken pipe is an error of the write that meets it.
        cleanup.callback(signal.signal, signal.SIGPIPE, signal.signal(signal.SIGPIPE, _ignore))
        return receiving.fileno()

    def _is_over(self) -> bool:
        return not self._link_open and not any(self._unwritten.values())

    def _turn(self, signals: int) -> None:
        """Waits until something can be moved, and moves it."""
        poll = select.poll()
        poll.register(signals, select.POLLIN)
        assert self._process.stderr is not None
        qemu_words = self._process.stderr.fileno()
        if self._link_open:
            events = select.POLLOUT if self._unsent else 0
            if max(map(len, self._unwritten.values())) < _BACKLOG:
                events |= select.POLLIN
            poll.register(self._link, events)
            poll.register(qemu_words, select.POLLIN)
        if self._wants_input():
            poll.register(0, select.POLLIN)
        for fd, data in self._unwritten.items():
            if data:
                # Standard input may be the terminal's only descriptor, and be waited for already.
                both = select.POLLIN if fd == 0 and self._wants_input() else 0
                poll.register(fd, select.POLLOUT | both)
        ready = dict(poll.poll(self._wait_ms()))
        if self._time_is_up():
            return
        if signals in ready:
            self._take_signals(os.read(signals, 64))
        if qemu_words in ready:
            self._last_words = (self._last_words + os.read(qemu_words, 4096))[-_LAST_WORDS:]
        if ready.get(self._link.fileno(), 0) & select.POLLOUT:
            self._send()
        if ready.get(0, 0) & ~select.POLLOUT and self._wants_input():
            self._read_input()
        for fd in [fd for fd, data in self._unwritten.items() if data and fd in ready]:
            self._write(fd)
        if ready.get(self._link.fileno(), 0) & ~select.POLLOUT:
            self._receive()

    def _wait_ms(self) -> float | None:
        times = [at for at in (self._deadline, self._kill_at) if at is not None]
        if not times:
            return None
        # One more, because poll's resolution is a millisecond and early is too early.
        return max(0.0, (min(times) - time.monotonic()) * 1000) + 1

    def _time_is_up(self) -> bool:
        now = time.monotonic()
        if self._kill_at is not None and now >= self._kill_at:
            self._kill_at = None
            self._process.kill()
        if self._deadline is not None and now >= self._deadline:
            self._verdict = STATUS_TIMEOUT
            return True
        return False

    def _wants_input(self) -> bool:
        return (
            self._input_open
            and self._link_open
            and self._encoder.credit(self._input) > 0
            and len(self._unsent) < _BACKLOG
        )

    def _read_input(self) -> None:
        try:
            data = os.read(0, min(self._encoder.credit(self._input), _READ_SIZE))
        except BlockingIOError:
            # Another process shares the descriptor, was faster, or made it non-blocking.
            return
        except OSError as error:
            raise RunError(f"cannot read standard input: {error.strerror}") from error
        if data:
            self._unsent += self._encoder.data(self._input, data)
            return
        self._input_open = False
        if self._input is Channel.STDIN:
            self._unsent += self._encoder.end_of_input()

    def _send(self) -> None:
        try:
            sent = self._link.send(self._unsent)
        except (BrokenPipeError, ConnectionResetError):
            # QEMU is gone; what it said last is still to be read.
            self._unsent.clear()
            return
        del self._unsent[:sent]

    def _receive(self) -> None:
        try:
            data = self._link.recv(_READ_SIZE)
        except ConnectionResetError:
            data = b""
        try:
            frames = self._decoder.feed(data)
            if not data:
                self._link_open = False
                self._decoder.finish()
        except LinkError as error:
            self._tell(f"ovum: the guest broke the link's protocol: {error}\n".encode())
            self._verdict = STATUS_PANIC
            return
        for frame in frames:
            self._take(frame)

    def _take(self, frame: Frame) -> None:
        if frame.type in _STREAM_OF:
            self._unwritten[_STREAM_OF[frame.type]] += frame.payload
        elif frame.type is FromGuest.TTY:
            if self._terminal_out is not None:
                self._unwritten[self._terminal_out] += frame.payload
                self._modes.feed(frame.payload)
        elif frame.type is FromGuest.LOG:
            if self._verbose:
                passed = time.monotonic() - self._started
                self._tell(b"[%9.6f] %s\n" % (passed, frame.payload))
        elif frame.type is FromGuest.PANIC:
            self._panicked = True
            self._tell(frame.payload)
        elif frame.type is FromGuest.EXIT:
            self._exit_status = frame.status()
            self._kill_at = time.monotonic() + _GRACE_S
        else:
            self._encoder.grant(*frame.credit())

    def _tell(self, text: bytes) -> None:
        """Words that are not the program's, on standard error."""
        if self._raw and 2 in self._streams.terminals:
            text = text.replace(b"\n", b"\r\n")
        self._unwritten[2] += text

    def _write(self, fd: int) -> None:
        data = self._unwritten[fd]
        try:
            written = os.write(fd, data[:_WRITE_SIZE])
        except BlockingIOError:
            return
        except BrokenPipeError:
            data.clear()
            if fd == 1:
                self._verdict = STATUS_BROKEN_PIPE
            return
        except OSError as error:
            data.clear()
            name = "standard error" if fd == 2 else "standard output"
            raise RunError(f"cannot write {name}: {error.strerror}") from error
        del data[:written]

    def _write_what_goes(self) -> None:
        """At an early end: what has arrived, as far as somebody is there to take it."""
        for fd, data in self._unwritten.items():
            poll = select.poll()
            poll.register(fd, select.POLLOUT)
            while data and poll.poll(0):
                self._write(fd)

    def _take_signals(self, numbers: bytes) -> None:
        for number in numbers:
            if number == signal.SIGWINCH:
                if self._streams.terminals and self._decoder.greeted:
                    size = window_size(self._streams.terminals[0])
                    self._unsent += self._encoder.window_size(*size)
            elif number == signal.SIGHUP or not self._decoder.greeted or self._terminated:
                # The terminal is gone, or nobody is there to be told, or was told before.
                self._verdict = 128 + number
            else:
                self._terminated = number == signal.SIGTERM
                self._unsent += self._encoder.signal(number)

    def _undo_modes(self) -> None:
        resets = self._modes.resets()
        if resets and self._terminal_out is not None:
            os.write(self._terminal_out, resets)

    def _conclude(self) -> int:
        """The status; says on standard error what the user would otherwise wonder about."""
        if self._exit_status is not None:
            return STATUS_PANIC if self._panicked else self._exit_status
        if self._verdict is not None:
            if self._verdict == STATUS_TIMEOUT:
                print("ovum: stopped, the time is up", file=sys.stderr)
            return self._verdict
        self._process.wait()
        print(self._obituary(), file=sys.stderr)
        return STATUS_PANIC

    def _obituary(self) -> str:
        """Why a machine may have gone without a word."""
        assert self._process.stderr is not None
        rest = self._process.stderr.read()
        words = (self._last_words + rest).decode(errors="replace").strip()
        code = self._process.returncode
        how = f"killed by signal {-code}" if code < 0 else f"exit status {code}"
        lines = [f"ovum: the machine stopped without a word (QEMU: {how})"]
        if words:
            lines.append(words)
        noise = self._decoder.noise.decode(errors="replace").strip()
        if not self._decoder.greeted and noise:
            lines += ["What came over the serial port before the kernel spoke:", noise]
        return "\n".join(lines)


def _ignore(number: int, frame: FrameType | None) -> None:
    """A handler, so that the signal is noted on the wake-up descriptor and does nothing else."""
