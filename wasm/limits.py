"""What a module may use."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

STACK: "Final" = 512 << 10


class Limits:
    """Limits of one store: all that its instances may use together, unless it says otherwise.

    fuel: about one for each instruction; the end of it is a Trap of kind "out of fuel".
    memory: bytes that each memory may have; `memory.grow` gives -1 at the limit.
    table: elements that each table may have.
    timeout: seconds for each call from outside; a Trap of kind "timeout".
    stack: bytes of stack for the module's own code.
    interrupt: whether Ctrl-C, `Store.interrupt()` and timeouts can end the code. It costs a look
        at a counter at every turn of a loop; without it an endless loop is one.
    """

    __slots__ = ("fuel", "interrupt", "memory", "stack", "table", "timeout")

    def __init__(
        self,
        *,
        fuel: int | None = None,
        memory: int | None = None,
        table: int | None = None,
        timeout: float | None = None,
        stack: int = STACK,
        interrupt: bool = True,
    ) -> None:
        if timeout is not None and not interrupt:
            raise ValueError("a timeout needs interrupt=True")
        self.fuel = fuel
        self.memory = memory
        self.table = table
        self.timeout = timeout
        self.stack = stack
        self.interrupt = interrupt


DEFAULT: "Final" = Limits()
