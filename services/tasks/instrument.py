"""Looking at tasks, from any thread: lists, stacks, dumps, and what is logged by default."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from traceback import StackSummary
    from types import FrameType
    from typing import Any

    from ovum.services.tasks.loop import Scheduler
    from ovum.services.tasks.scope import CancelScope
    from ovum.services.tasks.task import Task
    from ovum.services.tasks.watchdog import SlowStep


def all_tasks(scheduler: Scheduler) -> list[Task[Any]]:
    """All tasks that have not ended, each behind the task whose group it is in."""
    found: dict[Task[Any], None] = {}
    pending = _tasks_of(scheduler.root)[::-1]
    while pending:
        task = pending.pop()
        if task in found:
            continue
        found[task] = None
        scope: CancelScope | None = task.scope
        below: list[Task[Any]] = []
        while scope is not None and scope.host is task:
            below[:0] = _tasks_of(scope)
            scope = scope.parent
        pending.extend(reversed(below))
    return list(found)


def _tasks_of(scope: CancelScope) -> list[Task[Any]]:
    # Making a list of a dict is one step for the interpreter: no other thread comes between.
    return list(scope.tasks or ())


def frames(coro: Any) -> Iterator[tuple[FrameType, int]]:
    """The frames of what a coroutine awaits, the outermost first, with the lines where they are."""
    awaited = coro
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is None:
            # An asynchronous generator's step shows nothing of what is in it.
            return
        yield frame, frame.f_lineno
        inner = "cr_await" if hasattr(awaited, "cr_await") else "gi_yieldfrom"
        awaited = getattr(awaited, inner)


def stack(task: Task[Any]) -> StackSummary:
    """Where the task is, the innermost call last, as `traceback.extract_stack` gives it.

    The frame of the trap in which all tasks stop is left out.
    """
    from traceback import StackSummary

    found = [
        (frame, line)
        for frame, line in frames(task.coro)
        if frame.f_globals.get("__name__") != "ovum.services.tasks.traps"
    ]
    return StackSummary.extract(iter(found))


def format_task(task: Task[Any]) -> str:
    """A task's line and its stack below it."""
    purpose = task.waits_for
    state = f"waits to {purpose}" if purpose is not None else task.state
    head = f"task {task.name!r}: {state}; ran {task.cpu_ns / 1e6:.3f} ms\n"
    return head + "".join(stack(task).format())


def dump(scheduler: Scheduler) -> str:
    """All tasks of a scheduler, each with its state, what it waits for, and its stack."""
    return "".join(format_task(task) for task in all_tasks(scheduler)) or "no tasks\n"


def log_slow(step: SlowStep) -> None:
    """Reports a task that keeps all others waiting, or did."""
    from logging import getLogger
    from traceback import StackSummary

    getLogger("ovum.services.tasks").warning(
        "task %r %s for %d ms without a checkpoint, %s here:\n%s",
        step.name,
        "has run" if step.running else "ran",
        step.spent_ns // 1_000_000,
        "and is" if step.running else "up to",
        "".join(StackSummary.extract(iter(step.stack)).format()) or "  its end\n",
    )


def log_failed(what: str, error: BaseException) -> None:
    """Reports an exception that belongs to no task."""
    from logging import getLogger

    getLogger("ovum.services.tasks").error("%s failed", what, exc_info=error)


def log_crash(task: Task[Any], error: BaseException) -> None:
    """Reports the exception of a system task, which nobody else sees."""
    from logging import getLogger

    getLogger("ovum.services.tasks").error("system task %r failed", task.name, exc_info=error)
