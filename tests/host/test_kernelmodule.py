"""The builtin module _kernel, as far as Linux lets it be seen: its arguments and its errors."""

import json

import pytest

from .conftest import Run


def attempt(ours: Run, *calls: str) -> list[str]:
    """What each call does: the name of the exception with its text, or the value."""
    code = (
        "import _kernel, json\n"
        "from _kernel import *\n"
        "def attempt(call):\n"
        "    try:\n"
        "        return repr(eval(call))\n"
        "    except Exception as error:\n"
        "        return f'{type(error).__name__}: {error}'\n"
        f"print(json.dumps([attempt(call) for call in {calls!r}]))\n"
    )
    done = ours("-c", code)
    assert done.returncode == 0, done.stderr
    results: list[str] = json.loads(done.stdout)
    return results


def test_on_linux_it_knows_that_it_is_not_in_ring_0(ours: Run) -> None:
    assert attempt(ours, "IN_RING0") == ["False"]


def test_whatever_needs_the_machine_is_refused_outside_ring_0(ours: Run) -> None:
    calls = [
        "in8(0x60)",
        "in16(0x60)",
        "in32(0xcf8)",
        "out8(0x80, 0)",
        "out16(0x80, 0xffff)",
        "out32(0xcf8, 0xffffffff)",
        "Socket(2, 1, 0)",
        "sockets_changed()",
        "sockets_memory()",
        "rdmsr(0xc0000080)",
        "wrmsr(0xc0000080, 2**64 - 1)",
        "mmio(0xfee00000, 4096)",
        "poweroff()",
        "poweroff(255)",
        "reboot()",
        "panic('why')",
        "log(4, 'text')",
        "boot_info()",
    ]
    refusal = "PermissionError: [Errno 1] not in ring 0"
    assert attempt(ours, *calls) == [refusal] * len(calls)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("in8(-1)", "ValueError: port must be from 0 to 0xffff, not -1"),
        ("in8(0x10000)", "ValueError: port must be from 0 to 0xffff, not 65536"),
        ("in16(0xffff)", "ValueError: port must be from 0 to 0xfffe, not 65535"),
        ("in32(0xfffd)", "ValueError: port must be from 0 to 0xfffc, not 65533"),
        ("in8(2**70)", f"ValueError: port must be from 0 to 0xffff, not {2**70}"),
        ("in8('1')", "TypeError: 'str' object cannot be interpreted as an integer"),
        ("in8(1.0)", "TypeError: 'float' object cannot be interpreted as an integer"),
        ("out8(0x80)", "TypeError: out8() takes 2 arguments (1 given)"),
        ("out8(0x80, 256)", "ValueError: value must be from 0 to 255, not 256"),
        ("out16(0x80, -1)", "ValueError: value must be from 0 to 0xffff, not -1"),
        ("out32(0x80, 2**32)", f"ValueError: value must be from 0 to 0xffffffff, not {2**32}"),
        ("cpuid()", "TypeError: cpuid() takes 1 to 2 arguments (0 given)"),
        ("cpuid(2**32)", f"ValueError: leaf must be from 0 to 0xffffffff, not {2**32}"),
        ("cpuid(0, -1)", "ValueError: subleaf must be from 0 to 0xffffffff, not -1"),
        ("rdmsr(2**32)", f"ValueError: msr must be from 0 to 0xffffffff, not {2**32}"),
        ("wrmsr(1, 2**64)", f"ValueError: value must be from 0 to {2**64 - 1:#x}, not {2**64}"),
        ("mmio(0, 0)", f"ValueError: size must be from 1 to {2**52:#x}, not 0"),
        ("mmio(2**52, 1)", f"ValueError: phys must be from 0 to {2**52 - 1:#x}, not {2**52}"),
        ("mmio(2**52 - 1, 2)", "ValueError: size must be from 1 to 1, not 2"),
        ("poweroff(256)", "ValueError: status must be from 0 to 255, not 256"),
        ("poweroff(None)", "TypeError: 'NoneType' object cannot be interpreted as an integer"),
        ("reboot(1)", "TypeError: _kernel.reboot() takes no arguments (1 given)"),
        ("log(0, '')", "ValueError: level must be from 1 to 4, not 0"),
        ("log(5, '')", "ValueError: level must be from 1 to 4, not 5"),
        ("log(1, b'')", "TypeError: text must be str, not bytes"),
        ("panic(1)", "TypeError: text must be str, not int"),
        ("log(1, '\\ud800')", "UnicodeEncodeError"),
    ],
)
def test_a_wrong_argument_raises_before_anything_else(ours: Run, call: str, error: str) -> None:
    assert attempt(ours, call)[0].startswith(error)


def test_cpuid_works_in_every_ring(ours: Run) -> None:
    code = (
        "import _kernel\n"
        "highest, b, c, d = _kernel.cpuid(0)\n"
        "vendor = b''.join(r.to_bytes(4, 'little') for r in (b, d, c)).decode()\n"
        "line = next(l for l in open('/proc/cpuinfo') if l.startswith('vendor_id'))\n"
        "print(highest > 0, vendor == line.split(':')[1].strip())\n"
    )
    assert ours("-c", code).stdout == "True True\n"


def test_every_function_says_what_it_takes_and_what_it_raises(ours: Run) -> None:
    code = (
        "import _kernel, inspect\n"
        "for name, value in vars(_kernel).items():\n"
        "    if callable(value) and value.__module__ == '_kernel' and name != 'Request':\n"
        "        assert inspect.signature(value), name\n"
        "        assert 'Raises' in value.__doc__ or name in ('cpuid', 'fence'), name\n"
        "        print(name)\n"
    )
    done = ours("-c", code)
    assert done.stderr == ""
    assert len(done.stdout.split()) == 38


def test_it_can_be_imported_again_in_a_subinterpreter(ours: Run) -> None:
    code = (
        "import _kernel, _interpreters\n"
        "made = _interpreters.create()\n"
        "print(_interpreters.run_string(made, 'import _kernel; _kernel.cpuid(0)'))\n"
    )
    assert ours("-c", code).stdout == "None\n"
