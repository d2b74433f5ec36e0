"""What ends JavaScript from outside: its time, Ctrl-C, and what Python has raised meanwhile."""

from __future__ import annotations

from time import thread_time

from ovum.services.js import library

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.services.js.engine import Engine


class Interrupts:
    """Asked by the engine every 10,000 calls and jumps back whether to go on.

    The question is Python: so handlers of signals run while JavaScript does, if this is the main
    thread, and what they raise ends it.
    """

    def __init__(self, engine: Engine, time_limit: float | None) -> None:
        self.time_limit = time_limit
        self.out_of_time = False
        self.pending: BaseException | None = None
        """What is to be raised once JavaScript has ended."""
        self._until: float | None = None
        # Kept: the engine has only its address.
        self._handler = library.INTERRUPT(self._asked)
        self._engine = engine
        library.set_interrupt(engine.runtime, self._handler, None)

    def begin(self) -> None:
        """The outermost entry begins."""
        self.pending = None
        self.out_of_time = False
        self._until = None if self.time_limit is None else thread_time() + self.time_limit

    def interrupt(self, error: BaseException) -> None:
        """Ends what runs, as soon as the engine asks, with this exception."""
        if self.pending is None:
            self.pending = error

    def _asked(self, runtime: int, opaque: int) -> int:
        try:
            if self._until is not None and thread_time() > self._until:
                self.out_of_time = True
        except BaseException as error:
            # A handler of a signal's has raised it.
            self.interrupt(error)
        return self.pending is not None or self.out_of_time
