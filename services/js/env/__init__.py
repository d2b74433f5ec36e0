"""What programs find in JavaScript besides the language: console, process, fs, fetch, http, …

The parts are JavaScript with functions of Python's below it (`bindings`). A context that is given a
part gets getters: what is behind them is loaded when a program first looks.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.services.js.context import Context


def parts() -> tuple[str, ...]:
    """The names of all parts, for `Context(environment=…)`."""
    from ovum.services.js.env.catalogue import PARTS

    return tuple(PARTS)


def install(context: Context, part: str) -> None:
    """Gives a context one part: its globals and modules. Raises KeyError if there is no such."""
    from ovum.services.js.env.loader import install_part

    install_part(context, part)
