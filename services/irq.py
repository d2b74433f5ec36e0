"""Interrupts as something to wait for: `await irq.wait()`."""

from __future__ import annotations

import _kernel

from ovum.services.tasks import Parking, WouldBlock, checkpoint
from ovum.services.tasks.choose import Branch
from ovum.services.tasks.current import here


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


class Irq(Branch):
    """One interrupt line, bound to the caller: below 16 ISA's, from there on the I/O APIC's own.

    To be waited for by itself, or as a branch of `tasks.select`.

    A line that is level-triggered (PCI's, and what ACPI says of ISA's) stays masked after an
    interrupt until `acknowledge()`: see to the device first. Raises OSError(EBUSY) for a line that
    has an owner, or that the machine does not have.
    """

    def __init__(self, line: int) -> None:
        from ovum.services.main import services

        self.line = line
        self.total = 0
        """Interrupts so far."""
        self._count = 0
        self._first = 0
        self._waiting = Parking("see", self)
        self._bound = services().events.interrupts
        _kernel.irq_bind(line)
        self._bound[line] = self._arrived

    def __repr__(self) -> str:
        return f"interrupt {self.line}"

    def _arrived(self, count: int, first: int) -> None:
        self.total += count
        if self._waiting.wake_one(Interrupts(count, first)):
            return
        if not self._count:
            self._first = first
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
        """The device has been seen to: the line may interrupt again."""
        _kernel.irq_acknowledge(self.line)

    def close(self) -> None:
        """Gives the line up."""
        _kernel.irq_unbind(self.line)
        del self._bound[self.line]
