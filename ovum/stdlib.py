"""Which files of Python's standard library an image carries, and in which form.

Bytecode only: with sources beside it the library alone takes 20 MiB of the 30 that a whole image
may have. What nearly every program imports lies in the image as plain `.pyc` files; the rest goes
into one file of compressed modules, at a third of the size, from which pyhost/library.py imports.
pyhost has that file on the path right behind the folders of the library: further in front, reading
its index would be part of every start; further back, a package of the same name could take a
library module's place.
"""

import marshal
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ovum.bundles import bundles, name_of
from ovum.bytecode import PYC_HEADER, BytecodeError, Unit, compile_units
from ovum.cpio import Entry, regular
from ovum.paths import OWN_PARTS, REPO
from ovum.runners import PARTS

if TYPE_CHECKING:
    from ovum.sysroot import Sysroot

LIBRARY: Final = "usr/lib/python3.13"
DYNLOAD: Final = f"{LIBRARY}/lib-dynload"
SITE_PACKAGES: Final = f"{LIBRARY}/site-packages"
PACK: Final = f"{LIBRARY}/stdlib.pack"

LEFT_OUT: Final = frozenset(
    {
        # Needs what an image has not: Tk, a second process, a host to install to.
        *("idlelib", "tkinter", "turtle", "turtledemo", "ensurepip", "venv", "lib2to3"),
        # CPython's own tests, and modules that exist only for them.
        *("test", "__hello__", "__phello__"),
        # The texts of help("topic"): half a megabyte.
        "pydoc_data",
        # What decimal, datetime and io are in Python, where their C modules are not there.
        *("_pydecimal", "_pydatetime", "_pyio"),
        # Debian's hook for its crash reporter.
        "sitecustomize",
        # Always frozen into the interpreter, which never looks for these files.
        *("importlib/_bootstrap", "importlib/_bootstrap_external", "zipimport"),
        # For other operating systems, in packages that are not in the packed file.
        *("_pyrepl/windows_console", "asyncio/windows_events", "asyncio/windows_utils"),
        *("encodings/mbcs", "encodings/oem", "ctypes/wintypes"),
    }
)

EXTENSIONS_LEFT_OUT: Final = (
    # CPython's own tests and examples.
    *("_test", "_xxtestfuzz", "xxlimited", "xxsubtype", "_ctypes_test"),
    # A builtin module of pyhost's.
    "_contextvars",
    # The only user of Berkeley DB, 1.9 MB; dbm has sqlite3 and its own format besides.
    "_dbm",
)

_PLAIN = """
    __future__ _collections_abc _sitebuiltins _weakrefset abc codecs collections contextlib copyreg
    enum functools genericpath io keyword linecache locale operator os posixpath re reprlib
    runpy signal site socket stat textwrap threading token tokenize traceback types warnings weakref
"""
PLAIN: Final = frozenset(_PLAIN.split())
"""Start-up, tracebacks, what nearly everything imports, and what is needed when memory is short.

It is no more, because a packed module takes no longer to import: finding and reading the file in
its folder costs as much as inflating it.
"""

_PLAIN_ENCODINGS = """
    __init__ aliases ascii charmap cp1252 cp437 idna iso8859_1 iso8859_15 latin_1 punycode
    raw_unicode_escape undefined unicode_escape utf_16 utf_16_be utf_16_le utf_32 utf_32_be
    utf_32_le utf_7 utf_8 utf_8_sig
"""
PLAIN_ENCODINGS: Final = frozenset(_PLAIN_ENCODINGS.split())
"""Of the 120 codecs those that Python itself uses and those that files still come in. encodings is
the one package that is split; pyhost/library.py finds the rest."""


REPLACED: Final = REPO / "pyhost" / "replaced"
"""Modules of ours in the place of the library's, by their path in it."""

OWN: Final = {"ovum": REPO / "ovum"}
"""Packages that an image has besides the library's, with their folders."""

OPTIONAL: Final = tuple(f"{part.folder}/" for part in PARTS.values())
"""Of our own package, what comes in a layer of its own where it is used."""


def module_files(sysroot: "Sysroot") -> dict[str, Path]:
    """The library's Python files worth having in an image, by their path in the library."""
    base = sysroot.root / LIBRARY
    found = {}
    for folder, subfolders, files in os.walk(base):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("config-3."))
        for file in sorted(files):
            path = Path(folder) / file
            name = path.relative_to(base).as_posix()
            if file.endswith(".py") and not _left_out(name):
                found[name] = path
    for package, own in OWN.items():
        found[f"{package}/__init__.py"] = own / "__init__.py"
        for part in OWN_PARTS:
            for path in sorted((own / part).rglob("*.py")):
                name = path.relative_to(own).as_posix()
                if not name.startswith(OPTIONAL):
                    found[f"{package}/{name}"] = path
    return found


def _left_out(name: str) -> bool:
    module = name.removesuffix(".py")
    return module in LEFT_OUT or module.split("/")[0] in LEFT_OUT


def extension_files(sysroot: "Sysroot") -> list[Path]:
    """The library's extension modules worth having in an image."""
    return sorted(
        path
        for path in (sysroot.root / DYNLOAD).glob("*.so")
        if not path.name.startswith(EXTENSIONS_LEFT_OUT)
    )


def is_plain(name: str) -> bool:
    """Whether this file of the library is a plain file of the image, not in the packed one."""
    package, _, rest = name.removesuffix(".py").partition("/")
    return rest in PLAIN_ENCODINGS if package == "encodings" else package in PLAIN


def library_entries(
    sysroot: "Sysroot", work: Path, plain: Callable[[str], bool], keep: Callable[[str], bool]
) -> Iterator[Entry]:
    """The library's modules for which `keep` holds, as entries; `work` takes the bytecode.

    `plain` says which become plain files; there is a packed file if any does not.
    """
    files = {name: path for name, path in module_files(sysroot).items() if keep(name)}
    shown = {name: _place(name, plain(name)) for name in files}
    units = [
        Unit(_replacement(name) or path, work / f"{name}c", "/" + shown[name])
        for name, path in files.items()
    ]
    failures = compile_units(sysroot, units, columns=False)
    if failures:
        raise BytecodeError(f"{failures[0].shown}: {failures[0].reason}")
    for name in filter(plain, files):
        yield regular(f"{LIBRARY}/{name}c", work / f"{name}c")
    packed = sorted(name for name in files if not plain(name))
    if packed:
        codes = {name: (work / f"{name}c").read_bytes()[PYC_HEADER:] for name in packed}
        yield regular(PACK, _pack(codes, bundles({name: files[name] for name in packed})))


def _replacement(name: str) -> Path | None:
    path = REPLACED / name
    return path if path.exists() else None


def _place(name: str, plain: bool) -> str:
    return f"{LIBRARY}/{name}" if plain else f"{PACK}/{name}"


def _pack(codes: Mapping[str, bytes], together: Iterable[list[str]]) -> bytes:
    """The packed file, as pyhost/library.py reads it, of marshalled modules by their paths.

    together: those that are one bundle.
    """
    dictionary = _dictionary(codes)
    pieces = [(names, _deflate(_bundle(names, codes), dictionary), True) for names in together]
    bundled = {name for names, _, _ in pieces for name in names}
    pieces += [
        ([name], _deflate(code, dictionary), False)
        for name, code in codes.items()
        if name not in bundled
    ]
    # How long the head is depends on the offsets in it, which depend on how long it is: offsets
    # have the same length in marshal's format whatever they are.
    head = _head(pieces, dictionary, 0)
    head = _head(pieces, dictionary, 8 + len(head))
    return len(head).to_bytes(8, "little") + head + b"".join(blob for _, blob, _ in pieces)


def _bundle(names: list[str], codes: Mapping[str, bytes]) -> bytes:
    """A bundle: its modules' names and offsets, marshalled, and their codes."""

    def contents(offset: int) -> bytes:
        places = []
        for name in names:
            places.append((name_of(name), offset))
            offset += len(codes[name])
        return marshal.dumps(tuple(places), 2)

    return contents(len(contents(0))) + b"".join(codes[name] for name in names)


_WINDOW = 32768
"""As far as deflate looks back (RFC 1951, 2)."""

_SAMPLES = 22


def _dictionary(codes: Mapping[str, bytes]) -> bytes:
    """What all modules have in common, for deflate to begin with: a module by itself is short.

    The ends of some of them, where names and constants are: 8 % less, as much as anything cleverer.
    """
    names = sorted(codes)[:: max(1, len(codes) // _SAMPLES)]
    return b"".join(codes[name][-_WINDOW // _SAMPLES :] for name in names)[-_WINDOW:]


def _deflate(code: bytes, dictionary: bytes) -> bytes:
    deflate = zlib.compressobj(9, zdict=dictionary)
    return deflate.compress(code) + deflate.flush()


def _head(pieces: list[tuple[list[str], bytes, bool]], dictionary: bytes, offset: int) -> bytes:
    places = {}
    for names, blob, bundle in pieces:
        for name in names:
            places[name] = offset, len(blob), bundle
        offset += len(blob)
    return marshal.dumps((places, dictionary), 2)
