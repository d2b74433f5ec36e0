"""What the engine knows of promises and proxies, which no JavaScript can find out."""

from __future__ import annotations

from ctypes import PyDLL, c_bool, c_int

import _quickjs

from ovum.services.js import library
from ovum.services.js.engine import Ref
from ovum.services.js.library import VALUE_AT, Value
from ovum.services.js.objects import JSFunction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovum.services.js.context import Context

PROXY = 1
REVOKED = 2
PENDING = 3
"""And the two other states of promises behind it, as JSPromiseStateEnum has them."""

_WRITABLE = 7


def bind(context: Context) -> dict[str, Any]:
    """`look(value, found)`: the kind of a value, and what it consists of, put into `found`."""
    engine = context.engine
    holding = PyDLL(_quickjs.__file__)
    is_proxy, state_of = holding["JS_IsProxy"], holding["JS_PromiseState"]
    for function, result in ((is_proxy, c_bool), (state_of, c_int)):
        function.restype = result
    is_proxy.argtypes = (Value,)
    state_of.argtypes = (library.CONTEXT, Value)
    result_of = holding["JS_PromiseResult"]
    target_of, handler_of = holding["JS_GetProxyTarget"], holding["JS_GetProxyHandler"]
    result_of.restype = target_of.restype = handler_of.restype = Value
    result_of.argtypes = target_of.argtypes = handler_of.argtypes = (library.CONTEXT, Value)

    # The wheel passes objects as they are; `found` is an array.
    def look(wrapped: Any, wrapped_found: Any) -> int:
        value = Value.from_address(id(wrapped) + VALUE_AT)
        found = Value.from_address(id(wrapped_found) + VALUE_AT)

        def put(index: int, item: Value) -> None:
            library.set_item(engine.context, found, index, item, _WRITABLE)

        if is_proxy(value):
            target = target_of(engine.context, value)
            if target.tag == library.TAG_EXCEPTION:
                library.free(engine.context, library.exception(engine.context))
                return REVOKED
            put(0, target)
            put(1, handler_of(engine.context, value))
            return PROXY
        state: int = state_of(engine.context, value)
        if state < 0:
            return 0
        if state > 0:
            put(0, result_of(engine.context, value))
        return PENDING + state

    return {"look": JSFunction(context, Ref(engine, engine.function("look", look)))}
