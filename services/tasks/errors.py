"""The exceptions of the task library. This file imports nothing."""

from __future__ import annotations


class Cancelled(BaseException):
    """A cancel scope around this code was cancelled.

    Raised by every checkpoint for as long as the cancellation lasts. Never swallow it: the scope
    that was cancelled catches it. It is no `Exception`, so that `except Exception` lets it pass.
    """


class WouldBlock(Exception):
    """An operation named `…_nowait` would have had to wait; nothing happened."""


class Closed(Exception):
    """This end was closed: by ourselves, or, for a sender, by anybody."""


class EndOfChannel(Exception):
    """The channel was closed and everything that was sent has been received.

    `channel` is the channel, so that one who selects over several knows which has ended.
    """

    def __init__(self, channel: object) -> None:
        super().__init__(f"{channel!r} has ended")
        self.channel = channel


class TaskCancelled(Exception):
    """The task that was waited for was cancelled and has no result."""


class NotInTask(RuntimeError):
    """The operation needs a running scheduler, or a running task, in this thread."""


class SchedulerEnded(Exception):
    """The scheduler that a thread has called has ended, and did not do what it was asked."""


class SchedulerCrash(Exception):
    """The scheduler itself failed: its own code or its backend raised.

    No task is told and none runs on. `__cause__` is what was raised; `dump` is a text about all
    tasks as they were.
    """

    def __init__(self, dump: str) -> None:
        super().__init__("the scheduler itself failed; its tasks were:\n" + dump)
        self.dump = dump


class Deadlock(SchedulerCrash):
    """Raised by the virtual clock's backend: no task is ready and nothing will ever wake one."""

    def __init__(self, dump: str) -> None:
        Exception.__init__(self, "nothing is ready and nothing is due; everybody waits:\n" + dump)
        self.dump = dump
