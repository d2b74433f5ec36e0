"""What goes wrong in native code is reported, with the Python that called it; nothing hangs."""

from pathlib import Path

import pytest

from . import machine
from .checks.registry import NATIVE_LIBRARY

CRASHES = {
    "a null pointer": ("ctypes.string_at(0)", 139, "Segmentation fault"),
    "a pointer into page zero": ("ctypes.string_at(8)", 139, "Segmentation fault"),
    "an unmapped address": ("ctypes.string_at(0x700000000000)", 139, "Segmentation fault"),
    "a jump to null": ("ctypes.CFUNCTYPE(None)(0x10)()", 139, "Segmentation fault"),
    "a jump to the map of all memory": (
        "ctypes.CFUNCTYPE(None)(0xffff800000101000)()",
        *(139, "Segmentation fault"),
    ),
    "data that is called": (
        "ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.create_string_buffer(b'\\xc3' * 64)))()",
        *(139, "Segmentation fault"),
    ),
    "read-only data that is written": (
        "ctypes.memset(ctypes.cast(ctypes.pythonapi.Py_GetVersion, ctypes.c_void_p), 0, 1)",
        *(139, "Segmentation fault"),
    ),
    "the kernel's text that is written": (
        "ctypes.memset(0xffffffff80101000, 0, 1)",
        *(139, "Segmentation fault"),
    ),
    "the kernel's text that is written through the map of all memory": (
        "ctypes.memset(0xffff800000101000, 0, 1)",
        *(139, "Segmentation fault"),
    ),
    "an address that cannot be": ("native.read_non_canonical()", 139, "Segmentation fault"),
    "a native stack that overflows": ("native.exhaust_stack(10**7)", 139, "Segmentation fault"),
    "a division by zero": ("native.divide_by_zero()", 136, "Floating-point exception"),
    "an invalid opcode": ("native.invalid_opcode()", 132, "Illegal instruction"),
}

PROGRAM = """\
import ctypes
import sys

native = ctypes.CDLL({library!r})
print("before", flush=True)


def crash():
    {statement}


crash()
print("after")
"""


@pytest.mark.parametrize("name", CRASHES)
def test_a_crash_shows_where_python_was(name: str, tmp_path: Path, native_library: Path) -> None:
    statement, status, words = CRASHES[name]
    program = tmp_path / "crash.py"
    program.write_text(PROGRAM.format(library=NATIVE_LIBRARY, statement=statement))
    result = machine.run("--add", f"{native_library}:{NATIVE_LIBRARY}", program).expect(status)
    assert result.out == "before\n"
    assert f"Fatal Python error: {words}" in result.err
    assert 'File "/app/crash.py", line 9 in crash' in result.err
    assert "ovum: the program was killed by signal" in result.err


@pytest.mark.parametrize("stack_kib", [64, 1024, 64 * 1024])
def test_a_stack_of_a_thread_has_a_guard(
    stack_kib: int, tmp_path: Path, native_library: Path
) -> None:
    """As on Linux no handler has room then: faulthandler has a stack of its own for one thread."""
    program = tmp_path / "overflow.py"
    program.write_text(
        "import ctypes, threading\n"
        f"native = ctypes.CDLL({NATIVE_LIBRARY!r})\n"
        f"threading.stack_size({stack_kib * 1024})\n"
        "print('before', flush=True)\n"
        "thread = threading.Thread(target=native.exhaust_stack, args=(10**7,))\n"
        "thread.start()\n"
        "thread.join()\n"
        "print('after')\n"
    )
    result = machine.run("--add", f"{native_library}:{NATIVE_LIBRARY}", program).expect(139)
    assert result.out == "before\n"
    assert "ovum: the program was killed by signal 11 (SIGSEGV" in result.err


def test_a_crash_in_a_thread_shows_all_threads(tmp_path: Path, native_library: Path) -> None:
    program = tmp_path / "crash.py"
    program.write_text(
        "import ctypes, threading\n"
        f"native = ctypes.CDLL({NATIVE_LIBRARY!r})\n"
        "def crash():\n"
        "    native.invalid_opcode()\n"
        "threading.Thread(target=crash).start()\n"
        "def wait():\n"
        "    threading.Event().wait()\n"
        "wait()\n"
    )
    result = machine.run("--add", f"{native_library}:{NATIVE_LIBRARY}", program).expect(132)
    assert "in crash" in result.err
    assert "in wait" in result.err


def test_without_faulthandler_the_kernel_shows_where_python_was() -> None:
    result = machine.code(
        "import ctypes, faulthandler\n"
        "faulthandler.disable()\n"
        "def crash():\n"
        "    ctypes.string_at(0)\n"
        "crash()"
    ).expect(139)
    assert "the program was killed by signal 11" in result.err
    assert "in crash" in result.err


def test_a_fault_can_be_handled_in_native_code(native_library: Path) -> None:
    """A handler of the C library's for SIGSEGV gets the address, as language runtimes need it."""
    result = machine.code(
        "import ctypes, faulthandler, os\n"
        "faulthandler.disable()\n"
        "libc = ctypes.CDLL(None)\n"
        "@ctypes.CFUNCTYPE(None, ctypes.c_int)\n"
        "def handler(number):\n"
        "    os.write(1, b'handled %d' % number)\n"
        "    os._exit(5)\n"
        "libc.signal(11, handler)\n"
        "ctypes.string_at(0)"
    )
    assert result.expect(5).out == "handled 11"


def test_a_kernel_panic_is_status_70_with_both_backtraces() -> None:
    """The kernel's own memset is made to write where nothing is."""
    source = machine.PANIC.format(memset=machine.kernel_symbol("memset"))
    result = machine.code(source).expect(70)
    assert result.out == "before\n"
    assert "ovum: kernel panic: page fault at ffffd07fffff0000 (write)" in result.err
    assert "memset+0x" in result.err
    assert "in provoke" in result.err
    assert "in wait_in_vain" in result.err
    for register in ("rip ", "rsp ", "rax ", "r15 "):
        assert register in result.err


def test_a_kernel_that_loses_its_interrupt_table_still_ends() -> None:
    """A triple fault: nothing can be said in the guest, so the host says that it is gone."""
    source = (
        "import ctypes, mmap\n"
        "memory = mmap.mmap(-1, 4096, prot=7)\n"
        "memory[:16] = bytes.fromhex('6a006a006a000f011c24cccccccccccc')\n"  # push 0; lidt; int3
        "byte = ctypes.c_char.from_buffer(memory)\n"
        "ctypes.CFUNCTYPE(None)(ctypes.addressof(byte))()\n"
    )
    result = machine.code(source).expect(70)
    assert "the machine stopped without a word" in result.err
