"""What carries messages to a server of 9P and answers back."""

from __future__ import annotations

import errno

from ovum.services.tasks import Event, now
from ovum.services.vfs.node import refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Protocol

    class Channel(Protocol):
        """A connection to one server. Everything happens in one scheduler's thread.

        A request is in flight from `submit` until the channel calls its `finish`, which it does in
        any case: when the answer is there, and with an error when the channel has failed or ended.
        """

        name: str
        """For messages."""
        depth: int
        """Requests in flight at a time, and as many flushes of them: tags below 2 * depth."""
        largest: int
        """Bytes that a message may have at most, with its data."""
        session: Any
        """The `Client` of this channel, once there is one."""

        def fit(self, request: Request, data: memoryview, writes: bool) -> int:
            """Makes data, or as much of its beginning as one message can carry, part of a request:
            to be sent, or for what is received. How many bytes that is."""

        def submit(self, request: Request) -> None:
            """Sends a request. Raises OSError when the channel has failed or ended; then `finish`
            is not called."""


class Request:
    """One message on its way, and its answer."""

    __slots__ = (
        *("_done", "answer", "bounce", "error", "message", "segments", "since", "size", "tag"),
        "writes",
    )

    def __init__(self, tag: int) -> None:
        self.tag = tag
        self.message = b""
        """All but the data."""
        self.segments: Sequence[tuple[int, int]] = ()
        """Where its data is, for the channel."""
        self.bounce: memoryview | None = None
        """What stands in for the data where the server cannot reach it."""
        self.writes = False
        """Whether its data goes to the server."""
        self.answer = b""
        """All but the data; empty when it was flushed."""
        self.size = 0
        """Bytes of the answer with its data."""
        self.error: OSError | None = None
        self.since = now()
        """When it was sent, in nanoseconds of the scheduler's clock."""
        self._done = Event()

    def __repr__(self) -> str:
        return f"request with tag {self.tag}"

    @property
    def done(self) -> bool:
        """Whether it is not in flight any more: nothing is written to its memory."""
        return self._done.is_set()

    async def wait(self) -> None:
        """Waits until it is. Checkpoint: yes. Cancelled, it is in flight still."""
        await self._done.wait()

    def finish(self, answer: bytes, size: int) -> None:
        """The answer is there: `size` bytes, with the data. No bytes: it was flushed."""
        self.answer = answer
        self.size = size
        self._done.set()

    def fail(self, error: OSError | None = None) -> None:
        """There will be none."""
        self.error = error or refuse(errno.EIO)
        self._done.set()
