"""The services thread: what pyhost starts when the first thing happens that needs a service."""

from __future__ import annotations

import gc
import io
import os
import sys
import time

# The C modules behind `signal` and `threading`, whose import would take longer than all of this.
from _signal import SIGTERM, getsignal
from _thread import LockType, allocate_lock, start_new_thread
from errno import EAFNOSUPPORT

import _kernel

from ovum.services.devices import KMSG, Devices
from ovum.services.events import KernelEvents
from ovum.services.imports import UnservedPathFinder
from ovum.services.kmsg import Kmsg
from ovum.services.lifecycle import Services
from ovum.services.log import ERROR, INFO, WARNING, log, log_error, place, stack_lines
from ovum.services.proc.nodes import SlowText, Text
from ovum.services.proc.system import ProcFileSystem
from ovum.services.tasks import Scheduler, Task, checkpoint, current_task, sleep, sleep_forever
from ovum.services.tasks.current import here
from ovum.services.tasks.entry import ThreadCall, from_thread
from ovum.services.tasks.sync import Lock
from ovum.services.vfs.node import refuse
from ovum.services.vfs.operations import MOUNT_PROC
from ovum.services.vfs.server import Server
from ovum.services.vfs.vfs import Vfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from ovum.services.events import Request
    from ovum.services.tasks.watchdog import SlowStep
    from ovum.services.vfs.node import Node

_NETWORK = ("ovum.net", "ovum.net.service")
"""Missing in an image that was stripped for a program without sockets."""

SETTLE_S = 0.02
"""How long a program has to get into the system call that it is about to make."""

GRACE_S = 10.0
"""How long a program may take to end when the power button was pressed."""

END_S = 5.0
"""How long what is to be done at the end of the machine may take."""


class Machine:
    """Everything that runs in the services thread."""

    def __init__(self) -> None:
        begun = time.monotonic_ns()
        self.vfs = Vfs(_kernel.mount)
        UnservedPathFinder(self.vfs.serves).install()
        self.server = Server(self.vfs)
        self.server.network = self._first_network_request
        self._network_lock = Lock()
        self.events = KernelEvents(_kernel, self.server.serve)
        self.events.direct = self.vfs.direct
        self.scheduler = Scheduler(self.events, name="services", on_crash=_crashed, on_slow=_slow)
        self.events.scheduler = self.scheduler
        self.services = Services(self.scheduler)
        self.services.at_end("file systems", self.vfs.end)
        self.events.power_button = self._power_button
        proc = ProcFileSystem(self.vfs, _kernel.inspect, _kernel.cpuid, self._own_files())
        self.vfs.adopt("/proc", proc, proc.top, MOUNT_PROC)
        self.devices = Devices(self.vfs)
        kmsg = Kmsg(_kernel)
        self.vfs.devices[KMSG] = kmsg
        self.events.log_grown = kmsg.grown
        _kernel.on_deadlock(_deadlock)
        log(INFO, f"services: up in {(time.monotonic_ns() - begun) / 1e6:.1f} ms")

    def _own_files(self) -> dict[str, Node]:
        """What /proc/ovum has."""
        return {
            "tasks": Text(self.scheduler.dump),
            "services": Text(self.services.text),
            "resolv.conf": SlowText(self._resolv_conf),
        }

    async def _resolv_conf(self) -> str:
        """What /etc/resolv.conf leads to at first: the network is started, and waited for.

        So a program's first words may be a name's: nobody has to know that DHCP takes its time.
        """
        try:
            service = __import__("ovum.net.service", fromlist=["start"])
        except ModuleNotFoundError as error:
            if error.name in _NETWORK:
                return ""  # this image has no network
            raise
        network = await service.start(self)
        clients = __import__("ovum.net.clients.configure", fromlist=["resolv_conf_text"])
        text: str = await clients.resolv_conf_text(network)
        return text

    def run(self) -> None:
        """The scheduler, for good."""
        self.scheduler.run(sleep_forever)

    async def _first_network_request(self, request: Request) -> None:
        """Starts the network, which answers from then on: a program without sockets has none.

        `ovum.net.service.start(machine)` sets `server.network` and `events.sockets_changed`.
        """
        async with self._network_lock:
            if self.server.network == self._first_network_request:
                try:
                    from ovum.net.service import start
                except ModuleNotFoundError as error:
                    if error.name in _NETWORK:
                        raise refuse(EAFNOSUPPORT) from None
                    raise
                await start(self)
        await self.server.network(request)

    def _power_button(self) -> None:
        """Ends the program as its own end would; after a while, without it."""
        if "power off" not in self.services.running:
            self.services.start("power off", self._power_off)

    async def _power_off(self) -> None:
        # This thread often has the interpreter because the program has just given it up to sleep:
        # CPython has looked for signals by then, and a handler that came now would wait for the end
        # of that sleep. A moment later the sleep itself is interrupted.
        await sleep(SETTLE_S)
        log(INFO, "power button: the program is asked to end")
        handled = callable(getsignal(SIGTERM))
        os.kill(os.getpid(), SIGTERM if handled else _kernel.EXIT_SIGNAL)
        await sleep(GRACE_S)
        log(ERROR, f"power button: the program has not ended after {GRACE_S:g} s")
        await self.services.end(END_S, keep=current_task())
        _kernel.poweroff(0)


_machine: Machine | None = None
_down = allocate_lock()
"""Held until the machine is up."""
_down.acquire()


def main() -> None:
    """The services thread's; pyhost calls it."""
    global _machine
    _machine = Machine()
    if has_console(_kernel.boot_info()):
        _machine.services.start("console", _console, _machine)
    _down.release()
    try:
        _machine.run()
    except BaseException as error:
        # Whoever asks for a service from here on gets EIO.
        log_error("services: they have ended", error)


def has_console(info: dict[str, str]) -> bool:
    """Does the machine show what is printed, and take keys? As in pyhost/services.c.

    By boot_info(): a frame buffer that the boot loader has set up, or the word `ovum.devices`.
    """
    words = f" {info['command_line']} ".partition(" -- ")[0].split()
    return "framebuffer" in info or any(w.partition("=")[0] == "ovum.devices" for w in words)


_CONSOLE_PARTS = (
    "ovum.drivers.manager", "ovum.drivers.machine", "ovum.drivers.pci.scan",
    "ovum.drivers.ps2.controller", "ovum.drivers.ps2.keyboard", "ovum.drivers.ps2.mouse",
    "ovum.drivers.input.terminal", "ovum.drivers.input.layouts.us", "ovum.drivers.display.font",
    "ovum.drivers.display.parser", "ovum.drivers.display.textconsole",
)  # fmt: skip
"""What the console imports, in pieces: others must not wait until all of it is there."""


async def _console(machine: Machine) -> None:
    for name in _CONSOLE_PARTS:
        __import__(name)
        await checkpoint()
    from ovum.drivers.console import run

    await run(machine)


def services() -> Machine:
    """What runs in the services thread, which is started if it was not. From any thread.

    Raises OSError(EPERM) outside a machine of ovum's.
    """
    if _machine is None:
        _kernel.wake()
        with _down:
            pass
    assert _machine is not None
    return _machine


def call(
    function: Callable[..., Coroutine[Any, Any, Any]], *args: Any, timeout: float | None = None
) -> Any:
    """Runs function(*args) as a task of the services thread; returns what it returns, or raises.

    See `tasks.from_thread`. timeout is in seconds, None for none.
    """
    return from_thread(services().scheduler, function, *args, timeout=timeout)


def here_or_call(function: Callable[[Machine], Any]) -> Any:
    """Calls function(machine) in the services thread: at once if this is it."""
    machine = services()
    if here.scheduler is machine.scheduler:
        return function(machine)

    async def run() -> Any:
        return function(machine)

    return call(run)


def end() -> None:
    """What pyhost calls when the program is through: nothing that it wrote is lost."""
    if _machine is None:
        return
    # By itself: a file whose lock another thread has for ever cannot be flushed.
    flushed = allocate_lock()
    flushed.acquire()
    start_new_thread(_flush_files, (flushed,))
    if not flushed.acquire(timeout=END_S):
        log(ERROR, f"end of the machine: files are not flushed after {END_S:g} s")
    try:
        # Not a timeout of the services thread's: it may be what has stopped.
        call = ThreadCall(_machine.scheduler, _machine.services.end, (END_S,))
        call.begin()
        call.wait(END_S + 1)
    except Exception as error:
        log_error("end of the machine", error)


def _flush_files(done: LockType) -> None:
    """Flushes what a program leaves open: else it would happen when services have ended."""
    try:
        for thing in gc.get_objects():
            if issubclass(type(thing), io.IOBase):
                _flush(thing)
    except MemoryError as error:
        log_error("end of the machine: no memory to look for open files", error)
    finally:
        done.release()


def _flush(file: io.IOBase) -> None:
    try:
        if not file.closed and file.writable():
            file.flush()
    except Exception as error:
        # A wrapper whose file was detached has nothing to lose.
        if "detached" not in str(error):
            log_error(f"end of the machine: {file!r} cannot be flushed", error)


def _crashed(task: Task[Any], error: BaseException) -> None:
    log_error(f"services: task {task.name!r} failed", error)


def _slow(step: SlowStep) -> None:
    verb, where = ("holds", "here") if step.running else ("held", "before")
    text = f"services: task {step.name!r} {verb} up all others for {step.spent_ns / 1e6:.0f} ms"
    places = [place(frame, line) for frame, line in step.stack]
    log(WARNING, "\n".join([f"{text}, {where}", *places]))


def _deadlock() -> None:
    lines = stack_lines(sys._getframe(1))
    log(ERROR, "\n".join(["services: a call that this thread itself would have to serve", *lines]))
