"""Cooperative tasks: structured groups, cancel scopes, channels, select.

The chapter for users is docs/tasks.md.
"""

from __future__ import annotations

from ovum.services.tasks.channel import Channel as Channel
from ovum.services.tasks.channel import ChannelStatistics as ChannelStatistics
from ovum.services.tasks.current import current_scheduler as current_scheduler
from ovum.services.tasks.current import current_task as current_task
from ovum.services.tasks.errors import Cancelled as Cancelled
from ovum.services.tasks.errors import Closed as Closed
from ovum.services.tasks.errors import Deadlock as Deadlock
from ovum.services.tasks.errors import EndOfChannel as EndOfChannel
from ovum.services.tasks.errors import NotInTask as NotInTask
from ovum.services.tasks.errors import SchedulerCrash as SchedulerCrash
from ovum.services.tasks.errors import SchedulerEnded as SchedulerEnded
from ovum.services.tasks.errors import TaskCancelled as TaskCancelled
from ovum.services.tasks.errors import WouldBlock as WouldBlock
from ovum.services.tasks.group import Group as Group
from ovum.services.tasks.loop import Scheduler as Scheduler
from ovum.services.tasks.parking import Parking as Parking
from ovum.services.tasks.parking import Waiter as Waiter
from ovum.services.tasks.scope import CancelScope as CancelScope
from ovum.services.tasks.scope import move_on_after as move_on_after
from ovum.services.tasks.scope import timeout as timeout
from ovum.services.tasks.sleep import now as now
from ovum.services.tasks.sleep import sleep as sleep
from ovum.services.tasks.sleep import sleep_forever as sleep_forever
from ovum.services.tasks.sleep import sleep_until as sleep_until
from ovum.services.tasks.sync import Condition as Condition
from ovum.services.tasks.sync import Event as Event
from ovum.services.tasks.sync import Lock as Lock
from ovum.services.tasks.sync import Semaphore as Semaphore
from ovum.services.tasks.task import Task as Task
from ovum.services.tasks.traps import checkpoint as checkpoint
from ovum.services.tasks.traps import park as park

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovum.services.tasks.choose import Acquire as Acquire
    from ovum.services.tasks.choose import After as After
    from ovum.services.tasks.choose import Branch as Branch
    from ovum.services.tasks.choose import Ended as Ended
    from ovum.services.tasks.choose import Receive as Receive
    from ovum.services.tasks.choose import Send as Send
    from ovum.services.tasks.choose import Until as Until
    from ovum.services.tasks.choose import Wait as Wait
    from ovum.services.tasks.choose import select as select
    from ovum.services.tasks.entry import from_thread as from_thread
    from ovum.services.tasks.epoll import notify_closing as notify_closing
    from ovum.services.tasks.epoll import wait_readable as wait_readable
    from ovum.services.tasks.epoll import wait_writable as wait_writable
    from ovum.services.tasks.running import run as run
    from ovum.services.tasks.threadchannel import ThreadChannel as ThreadChannel
    from ovum.services.tasks.workers import to_thread as to_thread

_LATER = {
    "Acquire": "choose",
    "After": "choose",
    "Branch": "choose",
    "Ended": "choose",
    "Receive": "choose",
    "Send": "choose",
    "ThreadChannel": "threadchannel",
    "Until": "choose",
    "Wait": "choose",
    "from_thread": "entry",
    "notify_closing": "epoll",
    "run": "running",
    "select": "choose",
    "to_thread": "workers",
    "wait_readable": "epoll",
    "wait_writable": "epoll",
}
"""Names whose modules are imported when they are used first: the services thread needs none."""


def __getattr__(name: str) -> Any:
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value
