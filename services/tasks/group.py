"""Groups: tasks that begin and end together."""

from __future__ import annotations

from ovum.services.tasks.current import here
from ovum.services.tasks.errors import Cancelled
from ovum.services.tasks.parking import Parking
from ovum.services.tasks.scope import CancelScope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType
    from typing import Any, TypeVar

    from ovum.services.tasks.loop import Scheduler
    from ovum.services.tasks.task import Task

    T = TypeVar("T")


class Group:
    """`async with Group() as group:` does not end before all tasks started in it have.

    The first exception, of a task or of the block, cancels everything else in the group. What was
    raised leaves the block as one ExceptionGroup; KeyboardInterrupt and SystemExit leave it bare,
    with such a group of the others as their cause. Leaving is a checkpoint if tasks still run;
    cancelled meanwhile, it cancels the tasks, waits for them and then raises `Cancelled`.
    """

    __slots__ = ("_cancelled", "_errors", "_idle", "_open", "name", "scope")

    def __init__(self, name: str | None = None) -> None:
        self.name = name
        self.scope = CancelScope()
        """The scope around the block and the tasks."""
        self._open = False
        self._errors: dict[int, BaseException] = {}
        """By their ids: who waits for a task of the group raises the same exception again."""
        self._cancelled: Cancelled | None = None
        self._idle: Parking | None = None

    def __repr__(self) -> str:
        return f"<group {self.name!r}>" if self.name else f"<group {id(self):#x}>"

    @property
    def tasks(self) -> list[Task[Any]]:
        """The tasks that have not ended, oldest first."""
        return list(self.scope.tasks or ())

    def start(
        self, fn: Callable[..., Coroutine[Any, Any, T]], *args: Any, name: str | None = None
    ) -> Task[T]:
        """Starts `fn(*args)` as a task of the group; it runs after all that are ready now.

        `name` is the function's by default. Raises RuntimeError when the group has ended, and
        TypeError when `fn` is no `async def` function. No checkpoint.
        """
        if not self._open:
            raise RuntimeError(f"{self!r} is not open: no task can be started in it")
        scheduler: Scheduler = here.scheduler
        return scheduler.start(fn(*args), name, self.scope, self)

    def cancel(self) -> None:
        """Cancels the block and all tasks of the group."""
        self.scope.cancel()

    async def __aenter__(self) -> Group:
        self.scope.__enter__()
        self._open = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        scope = self.scope
        if kind is GeneratorExit:
            await self._thrown_away()
            return False
        if error is not None:
            self._failed(error)
        if scope.tasks:
            await self._wait_for_tasks()
        self._open = False
        scope.leave()
        if self._errors:
            raise self._outcome()
        cancelled = self._cancelled
        if cancelled is None or scope.absorb(cancelled) is None:
            return error is not None
        if cancelled is error:
            return False
        raise cancelled

    async def _thrown_away(self) -> None:
        """Closed is the coroutine that has the block, with its scheduler: then nothing can be
        awaited; or an asynchronous generator, by the task itself or by another one."""
        scheduler = here.scheduler
        host = self.scope.host
        self._open = False
        if host is None or scheduler is not host.scheduler or not scheduler.in_step:
            return
        self.scope.leave()
        self.scope.cancel()
        if self.scope.tasks:
            await self._wait_for_tasks()
        if self._errors:
            raise self._outcome()

    async def _wait_for_tasks(self) -> None:
        idle = self._idle = Parking("see all tasks end of", self)
        try:
            await idle.park()
        except GeneratorExit:
            raise
        except BaseException as error:
            self._failed(error)
        if self.scope.tasks:
            # They are cancelled now. Only Ctrl-C comes through the shield.
            with CancelScope(shield=True):
                while self.scope.tasks:
                    try:
                        await idle.park()
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        self._failed(error)

    def child_done(self, error: BaseException | None) -> None:
        """Called by a task at its end, with what it has raised."""
        if error is not None:
            self._failed(error)
        if self._idle is not None and not self.scope.tasks:
            self._idle.wake_one()

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, Cancelled):
            self._cancelled = error
        else:
            self._errors[id(error)] = error
        self.scope.cancel()

    def _outcome(self) -> BaseException:
        errors = list(self._errors.values())
        for error in errors:
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                others = [other for other in errors if other is not error]
                if others:
                    error.__cause__ = BaseExceptionGroup(f"errors in {self!r}", others)
                return error
        return BaseExceptionGroup(f"errors in {self!r}", errors)
