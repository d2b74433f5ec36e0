"""JavaScript: a runner and an embeddable context. The chapter for users is docs/javascript.md."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovum.services.js.context import Context as Context
    from ovum.services.js.errors import UNDEFINED as UNDEFINED
    from ovum.services.js.errors import BigInt as BigInt
    from ovum.services.js.errors import JSError as JSError
    from ovum.services.js.errors import JSThrow as JSThrow
    from ovum.services.js.errors import LimitError as LimitError
    from ovum.services.js.errors import MemoryLimit as MemoryLimit
    from ovum.services.js.errors import StackLimit as StackLimit
    from ovum.services.js.errors import TimeLimit as TimeLimit
    from ovum.services.js.objects import JSFunction as JSFunction
    from ovum.services.js.objects import JSObject as JSObject
    from ovum.services.js.objects import JSPromise as JSPromise
    from ovum.services.js.runner import run as run

_LATER = {
    "BigInt": "errors",
    "Context": "context",
    "JSError": "errors",
    "JSFunction": "objects",
    "JSObject": "objects",
    "JSPromise": "objects",
    "JSThrow": "errors",
    "LimitError": "errors",
    "MemoryLimit": "errors",
    "StackLimit": "errors",
    "TimeLimit": "errors",
    "UNDEFINED": "errors",
    "run": "runner",
}
"""Names by the modules that have them: errors can be caught where there is no engine."""


def __getattr__(name: str) -> Any:
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value
