"""Interrupts as something to wait for: `await irq.wait()`."""

from __future__ import annotations

from errno import EBUSY

from ovum.services.tasks import Parking, WouldBlock, checkpoint
from ovum.services.tasks.choose import Branch
from ovum.services.tasks.current import here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Interrupts:
    """What has come since the last wait."""

    __slots__ = ("count", "first_ns")

    def __init__(self, count: int, first_ns: int) -> None:
        self.count = count
        """How many interrupts."""
        self.first_ns = first_ns
        """When the first of them came, ns of time.monotonic_ns()."""

    def __repr__(self) -> str:
        return f"{self.count} interrupts, the first at {self.first_ns / 1e9:.6f} s"


class Interrupt(Branch):
    """Something that interrupts, to be waited for by itself or as a branch of `tasks.select`.

    `name`: what it is called in messages. This much is the same in the machine and over a model of
    a device, which calls `arrived`.
    """

    address = 0
    """Of a message-signalled interrupt: where the device is to write…"""
    data = 0
    """…and what (PCI 3.0, 6.8)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.total = 0
        """Interrupts so far."""
        self.handler: Callable[[], None] | None = None
        """What to call at each interrupt, at once and between two tasks, instead of waking who
        waits: for drivers that are asked for little, and often. It must not raise."""
        self._count = 0
        self._first = 0
        self._waiting = Parking("see", self)

    def __repr__(self) -> str:
        return self.name

    def arrived(self, count: int, first_ns: int) -> None:
        """There were `count` interrupts, the first at `first_ns`. Scheduler's thread only."""
        self.total += count
        if self.handler is not None:
            self.handler()
            return
        if self._waiting.wake_one(Interrupts(count, first_ns)):
            return
        if not self._count:
            self._first = first_ns
        self._count += count

    async def wait(self) -> Interrupts:
        """Waits for the next interrupt, or returns at once what has come since the last wait.

        Checkpoint: yes; it lets others run only if it waits, or every so often. Cancelled, it has
        taken nothing. Of several tasks that wait, the first gets the interrupt.
        """
        scheduler = here.scheduler
        if scheduler.credit > 0:
            scheduler.credit -= 1
        else:
            await checkpoint()
        if self._count:
            return self.attempt()
        arrived: Interrupts = await self._waiting.park()
        return arrived

    # As a branch of a select

    def attempt(self) -> Interrupts:
        """What has come since the last wait. Raises `WouldBlock` if nothing has."""
        if not self._count:
            raise WouldBlock(f"{self!r} has not come")
        result = Interrupts(self._count, self._first)
        self._count = 0
        return result

    def queue(self) -> Parking:
        """Where to wait for it."""
        return self._waiting

    def acknowledge(self) -> None:
        """The device has been seen to: it may interrupt again. Needed by level-triggered lines."""

    def close(self) -> None:
        """Gives it up; whoever waits goes on waiting."""


class Irq(Interrupt):
    """One interrupt line, bound to the caller: below 16 ISA's, from there on the I/O APIC's own.

    A line that is level-triggered (PCI's, and what ACPI says of ISA's) stays masked after an
    interrupt until `acknowledge()`: see to the device first. Raises OSError(EBUSY) for a line that
    has an owner, or that the machine does not have.
    """

    def __init__(self, line: int) -> None:
        import _kernel

        from ovum.services.main import services

        super().__init__(f"interrupt {line}")
        self.line = line
        self._kernel = _kernel
        self._bound = services().events.interrupts
        if line in self._bound:
            raise OSError(EBUSY, f"interrupt {line} has an owner")
        # First: it may come before this thread is through.
        self._bound[line] = self.arrived
        try:
            _kernel.irq_bind(line)
        except BaseException:
            del self._bound[line]
            raise

    def acknowledge(self) -> None:
        """The device has been seen to: the line may interrupt again."""
        self._kernel.irq_acknowledge(self.line)

    def close(self) -> None:
        """Gives the line up."""
        self._kernel.irq_unbind(self.line)
        del self._bound[self.line]


class Message(Interrupt):
    """A message-signalled interrupt (MSI, MSI-X) with a vector of its own.

    The device is to be told `address` and `data`. Nothing is ever masked, so there is nothing to
    acknowledge. Raises OSError(ENOSPC) when all vectors are in use.
    """

    def __init__(self) -> None:
        import _kernel

        from ovum.services.main import services

        self._bound = services().events.interrupts
        self.line, self.address, self.data = _kernel.irq_bind_message()
        super().__init__(f"message-signalled interrupt {self.line}")
        self._kernel = _kernel
        # It comes only when a device has been told of it.
        self._bound[self.line] = self.arrived

    def close(self) -> None:
        """Gives the vector up: the device must have been told before."""
        self._kernel.irq_unbind(self.line)
        del self._bound[self.line]
