"""A plug that sends back what comes: everything that an interface sends, it receives. For fuzzing:
a stack that must make sense of whatever it has sent itself."""

from __future__ import annotations

from ovum.drivers.frames import Received
from ovum.net.phy.segments import to_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.net.iface.interface import Interface
    from ovum.net.stack import Stack


def turn(
    now: int,
    stack: Stack,
    interface: Interface,
    change: Callable[[bytes], bytes] | None = None,
) -> int:
    """Sends back what waits in the outbox, changed if so asked. Returns how many frames."""
    frames = [whole for frame in interface.take_outbox(now) for whole in to_wire(frame)]
    if change is not None:
        frames = [change(frame) for frame in frames]
    stack.receive(now, interface, [Received(frame) for frame in frames])
    return len(frames)
