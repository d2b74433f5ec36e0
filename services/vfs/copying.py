"""Copying into a caller's buffer."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Buffer

    def copy_into(to: Buffer, data: Buffer, /) -> int:
        """Copies data into a buffer from its start on, as much as fits; how much it was."""

else:
    try:
        from _kernel import copy as copy_into
    except ModuleNotFoundError:  # on the host

        def copy_into(to, data, /):  # noqa: ANN001, ANN201
            """Copies data into a buffer from its start on, as much as fits; how much it was."""
            source, target = memoryview(data), memoryview(to)
            size = min(len(source), len(target))
            target[:size] = source[:size]
            return size
