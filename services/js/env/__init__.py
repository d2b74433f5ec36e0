"""What programs find around them besides the language: parts that are installed in a context.

A part is a module of this package with `install(context)`; it may have JavaScript in a file of the
same name beside it, run with `Context.part`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.services.js.context import Context

PARTS: tuple[str, ...] = ()
"""The parts of a program's environment, in the order in which they are installed."""


def parts() -> tuple[str, ...]:
    """The parts that a program gets."""
    return PARTS


def install(context: Context, name: str) -> None:
    """Installs one part. Raises ModuleNotFoundError when there is none of this name."""
    from importlib import import_module

    import_module(f"{__name__}.{name}").install(context)
