"""The interpreter under pyhost, on Linux: it is Debian's python3, but for stated things."""

import re
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from ovum.sysroot import Sysroot

from .conftest import Run

REPORT = """
import sys
first = "library" if "/lib/python" in sys.path[0] else sys.path[0]
print(sys.argv, first, sys.flags.optimize, sys.warnoptions, sys._xoptions, __name__)
"""

BUILTINS = "import sys; print(*sys.builtin_module_names)"


def test_it_has_debians_builtin_modules_and_kernel(ours: Run, debians: Run) -> None:
    assert set(ours("-c", BUILTINS).stdout.split()) == {
        *debians("-c", BUILTINS).stdout.split(),
        "_kernel",
        "_contextvars",
    }


def test_it_asks_only_for_what_the_interpreter_and_the_c_library_have(
    sysroot: Sysroot, pyhost: Path
) -> None:
    def symbols(path: Path, *, defined: bool) -> set[str]:
        with path.open("rb") as stream:
            table = ELFFile(stream).get_section_by_name(".dynsym")
            assert isinstance(table, SymbolTableSection)
            return {
                symbol.name
                for symbol in table.iter_symbols()
                if symbol.name and (symbol["st_shndx"] != "SHN_UNDEF") == defined
            }

    libc = sysroot.root / "usr/lib/x86_64-linux-gnu/libc.so.6"
    there = symbols(sysroot.interpreter, defined=True) | symbols(libc, defined=True)
    assert symbols(pyhost, defined=False) <= there
    assert symbols(pyhost, defined=True) == {"__libc_start_main"}


def test_it_is_stripped_and_has_no_writable_code(pyhost: Path) -> None:
    with pyhost.open("rb") as stream:
        elf = ELFFile(stream)
        assert elf["e_type"] == "ET_DYN"
        assert elf.get_section_by_name(".symtab") is None
        assert not [s for s in elf.iter_segments() if s["p_flags"] & 3 == 3]
    with pyhost.with_name("pyhost.debug.so").open("rb") as stream:
        assert ELFFile(stream).get_section_by_name(".symtab") is not None


@pytest.mark.parametrize(
    "args",
    [
        ["-c", REPORT, "a", "b c", ""],
        ["script.py", "-x", "--y=z"],
        ["-O", "-W", "error", "-X", "dev", "script.py"],
        ["-m", "package", "1"],
        ["folder", "2"],
        ["-P", "script.py"],
        ["-", "from", "stdin"],
        ["--version"],
        ["-c", "raise SystemExit(7)"],
        ["-c", "raise SystemExit('message')"],
        ["-c", "1 / 0"],
        ["missing.py"],
        ["--no-such-option"],
        ["-i", "-c", "x = 1"],
    ],
    ids=lambda args: " ".join(args)[:20].replace("\n", " "),
)
def test_its_command_line_means_what_it_means_to_python3(
    ours: Run, debians: Run, tmp_path: Path, args: list[str]
) -> None:
    (tmp_path / "script.py").write_text(REPORT)
    for folder in ("package", "folder"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__main__.py").write_text(REPORT)

    def outcome(run: Run) -> tuple[int, str, str]:
        done = run(*args, stdin=REPORT, cwd=tmp_path)
        # The usage message names the program by its whole path.
        return done.returncode, done.stdout, re.sub(r"\S*/python3\.13", "python", done.stderr)

    assert outcome(ours) == outcome(debians)


def test_environment_variables_are_honoured(ours: Run) -> None:
    code = "import sys; print(sys.path[1:3], sys.flags.optimize)"
    done = ours("-c", code, PYTHONPATH="/one:/two", PYTHONOPTIMIZE="2")
    assert done.stdout == "['/one', '/two'] 2\n"


def test_what_differs_from_python3_is_switched_on(ours: Run) -> None:
    code = (
        "import faulthandler, sys, signal\n"
        "print(faulthandler.is_enabled(), sys.dont_write_bytecode, sys.flags.no_user_site)\n"
        "print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)\n"
    )
    assert ours("-c", code).stdout == "True True 1\nTrue\n"


def test_text_is_utf8_without_a_locale(ours: Run) -> None:
    code = (
        "import locale, sys\n"
        "print(sys.stdout.encoding, sys.getfilesystemencoding(), locale.getpreferredencoding())\n"
        "print(sys.argv[1], sys.flags.utf8_mode)\n"
    )
    nothing = dict.fromkeys(("LC_ALL", "LC_CTYPE", "LANG", "PYTHONUTF8"), "")
    assert ours("-c", code, "ü", **nothing).stdout == "utf-8 utf-8 utf-8\nü 1\n"


def test_the_standard_library_with_its_extension_modules_works(ours: Run) -> None:
    code = (
        "import bz2, ctypes, curses, decimal, hashlib, json, lzma, random, readline, sqlite3, ssl\n"
        "import asyncio, multiprocessing, uuid, xml.etree.ElementTree, zlib, zoneinfo\n"
        "print(hashlib.sha256(b'abc').hexdigest()[:8], ssl.OPENSSL_VERSION_INFO[0])\n"
        "print(sqlite3.connect(':memory:').execute('select 6 * 7').fetchone())\n"
        "number = ctypes.pythonapi.PyLong_FromLong\n"
        "number.restype = ctypes.py_object\n"
        "print(number(5), random.Random(1).random() > 0)\n"
    )
    done = ours("-c", code)
    assert (done.stdout, done.stderr) == ("ba7816bf 3\n(42,)\n5 True\n", "")


@pytest.mark.parametrize("bits", ["224", "256", "384", "512"])
def test_the_builtin_sha2_agrees_with_openssl(ours: Run, bits: str) -> None:
    code = (
        "import _sha2, _hashlib\n"
        "for n in (0, 1, 63, 64, 65, 111, 112, 127, 128, 129, 1000, 10**6):\n"
        f"    a, b = _sha2.sha{bits}(), _hashlib.new('sha{bits}')\n"
        "    data = bytes(range(256)) * (n // 256 + 1)\n"
        "    for h in (a, b):\n"
        "        h.update(data[:n // 3]); h.update(data[n // 3:n])\n"
        "    assert a.digest() == b.digest(), n\n"
    )
    assert ours("-c", code).stderr == ""


def test_wheels_are_found_in_site_packages_and_their_pth_files_count(
    ours: Run, sysroot: Sysroot, tmp_path: Path
) -> None:
    library = tmp_path / "lib" / "python3.13"
    site = library / "site-packages"
    library.mkdir(parents=True)
    for name in (sysroot.root / "usr/lib/python3.13").iterdir():
        (library / name.name).symlink_to(name)
    site.mkdir()
    (site / "wheel.py").write_text("print('imported')\n")
    (site / "more.pth").write_text("import sys; sys.from_pth = True\n")
    code = f"import sys, wheel; print(sys.path[-1] == {str(site)!r}, sys.from_pth)"
    assert ours("-c", code, PYTHONHOME=str(tmp_path)).stdout == "imported\nTrue True\n"
    assert "No module named 'wheel'" in ours("-S", "-c", code, PYTHONHOME=str(tmp_path)).stderr
