"""QuickJS's C interface, as it is in the wheel `quickjs-ng`.

The wheel's extension module, unmodified, has all functions of quickjs.h as symbols. Its own Python
interface runs source and calls functions both ways, but has no names of files, no module loader and
no interrupts; so the calls from JavaScript to Python are the module's, and the rest is called here.

Two of the module's structures are read, and looked at once, when this is imported:

    Context: head, JSRuntime *, JSContext *, int, clock_t, PyThreadState *
    Object:  head, Context *, JSValue
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_int, c_int64, c_size_t, c_void_p

import _quickjs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Of quickjs.h, for 64 bits.
TAG_BIG_INT = -9
TAG_SYMBOL = -8
TAG_STRING = -7
TAG_STRING_ROPE = -6
TAG_MODULE = -3
TAG_OBJECT = -1
TAG_INT = 0
TAG_BOOL = 1
TAG_NULL = 2
TAG_UNDEFINED = 3
TAG_EXCEPTION = 6
TAG_SHORT_BIG_INT = 7
TAG_FLOAT64 = 8

EVAL_GLOBAL = 0
EVAL_MODULE = 1
EVAL_STRICT = 8
EVAL_COMPILE_ONLY = 32
EVAL_ASYNC = 128

BYTECODE = 1
"""For `write_object` and `read_object`: functions, too."""

_HEAD = 16
"""Of every Python object: its count of references and its type."""
RUNTIME_AT = _HEAD
CONTEXT_AT = _HEAD + 8
THREAD_STATE_AT = _HEAD + 32
VALUE_AT = _HEAD + 8


class EngineMismatch(ImportError):
    """This is not the wheel that ovum was made for; the message says which is."""


class _Union(ctypes.Union):
    _fields_ = (
        ("int32", ctypes.c_int32),
        ("float64", ctypes.c_double),
        ("pointer", c_void_p),
        ("word", ctypes.c_uint64),
    )


class Value(ctypes.Structure):
    """A JSValue: 16 bytes, of which the second half says what the first is."""

    _anonymous_ = ("u",)
    _fields_ = (("u", _Union), ("tag", c_int64))


class EvalOptions(ctypes.Structure):
    """JSEvalOptions, version 1."""

    _fields_ = (
        ("version", c_int),
        ("flags", c_int),
        ("filename", c_char_p),
        ("line", c_int),
    )


CONTEXT = c_void_p
NORMALIZE = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_char_p, c_char_p, c_void_p)
LOADER = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_char_p, c_void_p, Value)
ATTRIBUTES = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, Value)
REJECTION = ctypes.CFUNCTYPE(None, c_void_p, Value, Value, ctypes.c_bool, c_void_p)
INTERRUPT = ctypes.CFUNCTYPE(c_int)
"""What it is told besides is not looked at."""

_holding = ctypes.PyDLL(_quickjs.__file__)
"""For calls that run no program: the GIL stays."""
_releasing = ctypes.CDLL(_quickjs.__file__)
"""For calls that may: everybody else's Python runs meanwhile."""


def _function(library: ctypes.CDLL, name: str, result: Any, *arguments: Any) -> Any:
    function = library[name]
    function.restype = result
    function.argtypes = arguments
    return function


# That run JavaScript.
call = _function(_releasing, "JS_Call", Value, CONTEXT, Value, Value, c_int, POINTER(Value))
run_function = _function(_releasing, "JS_EvalFunction", Value, CONTEXT, Value)
collect = _function(_releasing, "JS_RunGC", None, c_void_p)

# That do not.
compile_source = _function(
    *(_holding, "JS_Eval2", Value, CONTEXT, c_char_p, c_size_t, POINTER(EvalOptions))
)
write_object = _function(
    *(_holding, "JS_WriteObject", c_void_p, CONTEXT, POINTER(c_size_t), Value, c_int)
)
read_object = _function(_holding, "JS_ReadObject", Value, CONTEXT, c_char_p, c_size_t, c_int)
free_memory = _function(_holding, "js_free", None, CONTEXT, c_void_p)
free = _function(_holding, "JS_FreeValue", None, CONTEXT, Value)
duplicate = _function(_holding, "JS_DupValue", Value, CONTEXT, Value)
exception = _function(_holding, "JS_GetException", Value, CONTEXT)
throw = _function(_holding, "JS_Throw", Value, CONTEXT, Value)
set_uncatchable = _function(_holding, "JS_SetUncatchableError", None, CONTEXT, Value)
clear_uncatchable = _function(_holding, "JS_ClearUncatchableError", None, CONTEXT, Value)
new_string = _function(_holding, "JS_NewStringLen", Value, CONTEXT, c_char_p, c_size_t)
text_of = _function(
    *(_holding, "JS_ToCStringLen2", c_void_p, CONTEXT, POINTER(c_size_t), Value, ctypes.c_bool)
)
free_text = _function(_holding, "JS_FreeCString", None, CONTEXT, c_void_p)
parse_json = _function(_holding, "JS_ParseJSON", Value, CONTEXT, c_char_p, c_size_t, c_char_p)
new_array = _function(_holding, "JS_NewArray", Value, CONTEXT)
new_object = _function(_holding, "JS_NewObject", Value, CONTEXT)
set_item = _function(_holding, "JS_DefinePropertyValueUint32", c_int, CONTEXT, Value,
                     ctypes.c_uint32, Value, c_int)  # fmt: skip
set_name = _function(_holding, "JS_DefinePropertyValueStr", c_int, CONTEXT, Value, c_char_p, Value,
                     c_int)  # fmt: skip
new_bytes = _function(_holding, "JS_NewArrayBufferCopy", Value, CONTEXT, c_char_p, c_size_t)
bytes_of = _function(_holding, "JS_GetArrayBuffer", c_void_p, CONTEXT, POINTER(c_size_t), Value)
new_atom = _function(_holding, "JS_NewAtomLen", ctypes.c_uint32, CONTEXT, c_char_p, c_size_t)
free_atom = _function(_holding, "JS_FreeAtom", None, CONTEXT, ctypes.c_uint32)
global_object = _function(_holding, "JS_GetGlobalObject", Value, CONTEXT)
get_name = _function(_holding, "JS_GetPropertyStr", Value, CONTEXT, Value, c_char_p)
delete_property = _function(
    *(_holding, "JS_DeleteProperty", c_int, CONTEXT, Value, ctypes.c_uint32, c_int)
)
duplicate_text = _function(_holding, "js_strndup", c_void_p, CONTEXT, c_char_p, c_size_t)
is_error = _function(_holding, "JS_IsError", ctypes.c_bool, Value)
is_proxy = _function(_holding, "JS_IsProxy", ctypes.c_bool, Value)
_version = _function(_holding, "JS_GetVersion", c_char_p)
promise_state = _function(_holding, "JS_PromiseState", c_int, CONTEXT, Value)
update_stack_top = _function(_holding, "JS_UpdateStackTop", None, c_void_p)
set_interrupt = _function(_holding, "JS_SetInterruptHandler", None, c_void_p, INTERRUPT, c_void_p)
set_rejection = _function(
    *(_holding, "JS_SetHostPromiseRejectionTracker", None, c_void_p, REJECTION, c_void_p)
)
set_loader = _function(
    *(_holding, "JS_SetModuleLoaderFunc2", None, c_void_p),
    *(NORMALIZE, LOADER, ATTRIBUTES, c_void_p),
)
import_meta = _function(_holding, "JS_GetImportMeta", Value, CONTEXT, c_void_p)
detect_module = _function(_holding, "JS_DetectModule", ctypes.c_bool, c_char_p, c_size_t)
opaque_of_runtime = _function(_holding, "JS_GetRuntimeOpaque", c_void_p, c_void_p)
runtime_of = _function(_holding, "JS_GetRuntime", c_void_p, c_void_p)

thread_state = ctypes.pythonapi.PyThreadState_Get
thread_state.restype = c_void_p
thread_state.argtypes = ()


def version() -> str:
    """QuickJS's own."""
    text: bytes = _version()
    return text.decode()


def remove_global(context: int, name: bytes) -> None:
    """Removes a property of the global object."""
    atom = new_atom(context, name, len(name))
    whole = global_object(context)
    delete_property(context, whole, atom, 0)
    free(context, whole)
    free_atom(context, atom)


def word_at(address: int) -> int:
    """The machine word at an address."""
    return c_size_t.from_address(address).value


def _look() -> None:
    """Whether the wheel's structures are as said above. Raises EngineMismatch."""
    context = _quickjs.Context()
    at = id(context)
    runtime = word_at(at + RUNTIME_AT)
    number = context.eval("({valueOf: () => 3})")
    value = Value.from_address(id(number) + VALUE_AT)
    states: list[bool] = []
    mine = thread_state()

    def look() -> None:
        states.append(word_at(at + THREAD_STATE_AT) == 0)

    context.add_callable("look", look)
    context.eval("look()")
    if not (
        type(context).__basicsize__ >= THREAD_STATE_AT + 8
        and runtime
        and opaque_of_runtime(runtime) == at
        and runtime_of(word_at(at + CONTEXT_AT)) == runtime
        and value.tag == TAG_OBJECT
        and word_at(at + THREAD_STATE_AT) == 0
        and states == [True]
        and mine == thread_state()
    ):
        raise EngineMismatch("quickjs-ng differs from what ovum knows; see ovum/wheels.py")


_look()
