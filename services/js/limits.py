"""What ends JavaScript from outside: its time, Ctrl-C, and what Python has raised meanwhile."""

from __future__ import annotations

import _signal as signal
from threading import get_ident, main_thread
from time import thread_time

from ovum.services.js import library

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovum.services.js.engine import Engine


class Interrupts:
    """Asked by the engine every 10,000 calls and jumps back whether to go on.

    The question is Python: so handlers of signals run while JavaScript does, if this is the main
    thread, and what they raise ends it.
    """

    def __init__(self, engine: Engine) -> None:
        self.time_limit: float | None = None
        self.out_of_time = False
        self.pending: BaseException | None = None
        """What is to be raised once JavaScript has ended."""
        self._until: float | None = None
        self._replaced = False
        answers = self._answers()
        next(answers)
        # Kept: the engine has only its address.
        self._handler = library.INTERRUPT(answers.__next__)
        library.set_interrupt(engine.runtime, self._handler, None)

    def begin(self) -> None:
        """The outermost entry begins."""
        self.pending = None
        self.out_of_time = False
        self._until = None if self.time_limit is None else thread_time() + self.time_limit
        # Python's own handler would raise KeyboardInterrupt just anywhere, where the wheel calls
        # Python too, which must not raise.
        if (
            get_ident() == main_thread().ident
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            signal.signal(signal.SIGINT, self._signalled)
            self._replaced = True

    def end(self) -> None:
        """It has ended."""
        if self._replaced:
            self._replaced = False
            # Unless the program has put one of its own there meanwhile.
            if self.is_own(signal.getsignal(signal.SIGINT)):
                signal.signal(signal.SIGINT, signal.default_int_handler)

    def is_own(self, handler: object) -> bool:
        """Whether a handler of SIGINT is that of an entry, in the place of Python's own."""
        return handler == self._signalled

    def interrupt(self, error: BaseException) -> None:
        """Ends what runs, as soon as the engine asks, with this exception."""
        if self.pending is None:
            self.pending = error

    def _signalled(self, number: int, frame: object) -> None:
        self.interrupt(KeyboardInterrupt())

    def _answers(self) -> Iterator[int]:
        # A generator, because handlers of signals run where a function begins: here that is inside
        # the block that catches what they raise.
        answer = 0
        while True:
            try:
                yield answer
                if self._until is not None and thread_time() > self._until:
                    self.out_of_time = True
                answer = int(self.pending is not None or self.out_of_time)
            except GeneratorExit:
                return
            except BaseException as error:
                self.interrupt(error)
                answer = 1
