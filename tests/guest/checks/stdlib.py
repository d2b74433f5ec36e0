"""The interpreter and its library, as far as an image could get them wrong."""

import importlib
import importlib.util
import locale
import os
import struct
import sys
from pathlib import Path
from typing import Any

from .registry import check

MODULES = (
    *("argparse", "array", "ast", "asyncio", "base64", "bisect", "bz2", "calendar", "cmath"),
    *("codecs", "collections", "concurrent.futures", "configparser", "contextlib", "copy", "csv"),
    *("ctypes", "curses", "dataclasses", "datetime", "decimal", "difflib", "dis", "email"),
    *("email.mime.text", "encodings.idna", "enum", "fractions", "ftplib", "getpass", "gettext"),
    *("glob", "gzip", "hashlib", "heapq", "hmac", "html.parser", "http.client", "http.server"),
    *("imaplib", "importlib.metadata", "inspect", "io", "ipaddress", "itertools", "json"),
    *("linecache", "locale", "logging.handlers", "lzma", "mailbox", "marshal", "math", "mimetypes"),
    *("mmap", "multiprocessing", "numbers", "operator", "optparse", "pathlib", "pdb", "pickle"),
    *("pkgutil", "platform", "plistlib", "pprint", "profile", "pty", "queue", "random", "re"),
    *("readline", "resource", "sched", "secrets", "selectors", "shelve", "shlex", "shutil"),
    *("signal", "site", "smtplib", "socket", "socketserver", "sqlite3", "ssl", "stat"),
    *("statistics", "string", "stringprep", "struct", "subprocess", "symtable", "sysconfig"),
    *("syslog", "tarfile", "tempfile", "termios", "textwrap", "threading", "timeit", "tomllib"),
    *("traceback", "tracemalloc", "tty", "types", "typing", "unicodedata", "unittest.mock"),
    *("urllib.request", "uuid", "warnings", "wave", "weakref", "wsgiref.simple_server"),
    *("xml.dom.minidom", "xml.etree.ElementTree", "xml.sax", "xmlrpc.client", "zipapp", "zipfile"),
    *("zipimport", "zlib", "zoneinfo"),
)

HASH_BASED = 1  # PEP 552, first bit of the flags


@check
def the_useful_standard_library_can_be_imported() -> None:
    missing = []
    for name in MODULES:
        try:
            importlib.import_module(name)
        except ImportError as error:
            missing.append(f"{name}: {error}")
    assert not missing, missing


@check
def the_locale_of_the_environment_is_there() -> None:
    before = locale.setlocale(locale.LC_ALL)
    try:
        assert locale.setlocale(locale.LC_ALL, "") == os.environ["LANG"] == "C.UTF-8"
        assert locale.nl_langinfo(locale.CODESET) == "UTF-8"
        assert locale.getlocale()[1] == "UTF-8"
    finally:
        locale.setlocale(locale.LC_ALL, before)
    assert (sys.getfilesystemencoding(), sys.stdout.encoding) == ("utf-8", "utf-8")


@check
def nothing_is_compiled_at_the_start() -> None:
    """Every module of the library came from bytecode that needs no look at its source's time."""
    wrong = []
    for name, module in list(sys.modules.items()):
        cached = getattr(getattr(module, "__spec__", None), "cached", None)
        if cached is None or not cached.startswith(("/usr/lib", "/app")):
            continue
        assert module.__spec__ is not None
        loader: Any = module.__spec__.loader
        if not hasattr(loader, "get_data"):
            continue  # packed: the file holds nothing but code
        try:
            head = loader.get_data(cached)[:16]
        except OSError:
            wrong.append(f"{name} has no {cached}")
            continue
        magic, flags = head[:4], struct.unpack("<I", head[4:8])[0]
        if magic != importlib.util.MAGIC_NUMBER or not flags & HASH_BASED:
            wrong.append(f"{name}: {cached} begins with {head.hex()}")
    assert not wrong, wrong
    assert sys.dont_write_bytecode


@check
def the_interpreter_is_configured_as_an_image_wants_it() -> None:
    assert sys.version_info[:2] == (3, 13)
    assert sys.platform == "linux"
    assert sys.flags.utf8_mode == 0  # the locale says the same
    assert sys.stdin.errors == sys.stdout.errors == "surrogateescape"
    assert sys.flags.no_user_site == 1
    assert sys.getfilesystemencoding() == "utf-8"
    assert sys.stdout.encoding == "utf-8"
    assert sys.prefix == "/usr"
    assert all(entry.startswith(("/usr/lib/python3", "/app")) for entry in sys.path), sys.path


@check
def bare_names_of_the_project_stay_free() -> None:
    for name in ("net", "services", "drivers", "wasm", "microkernel", "pyhost"):
        assert importlib.util.find_spec(name) is None, name


@check
def hashes_compression_and_arithmetic_are_right() -> None:
    import bz2
    import decimal
    import hashlib
    import lzma
    import math
    import zlib

    assert hashlib.sha256(b"abc").hexdigest().startswith("ba7816bf8f01cfea414140de5dae2223")
    assert hashlib.sha3_256(b"abc").hexdigest().startswith("3a985da74fe225b2045c172d6bd390bd")
    assert hashlib.blake2b(b"abc").hexdigest().startswith("ba80a53f981c4d0d6a2797b69f12f6e9")
    data = bytes(range(256)) * 1000
    for module in (bz2, lzma, zlib):
        assert module.decompress(module.compress(data)) == data
    assert str(decimal.Decimal(2).sqrt()) == "1.414213562373095048801688724"
    assert math.sin(1.0) == 0.8414709848078965
    assert math.isclose(math.gamma(4.5), 11.631728396567448)
    assert 2**0.5 == 1.4142135623730951


@check
def ssl_has_authorities_to_trust() -> None:
    import ssl

    assert len(ssl.create_default_context().get_ca_certs()) > 20


@check
def time_zones_are_known() -> None:
    import datetime
    import zoneinfo

    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    noon = datetime.datetime(2024, 7, 1, 12, tzinfo=berlin)
    assert noon.utcoffset() == datetime.timedelta(hours=2)


@check
def callbacks_from_c_reach_python() -> None:
    import ctypes

    compare = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.POINTER(ctypes.c_int)] * 2)
    numbers = (ctypes.c_int * 5)(5, 3, 9, 1, 7)
    by_value = compare(lambda a, b: a[0] - b[0])
    ctypes.CDLL(None).qsort(numbers, 5, ctypes.sizeof(ctypes.c_int), by_value)
    assert list(numbers) == [1, 3, 5, 7, 9]


@check
def the_licences_of_what_an_image_carries_are_in_it() -> None:
    import gzip

    texts = {path.parent.name: path for path in Path("/usr/share/doc").glob("*/copyright*")}
    for wanted in ("libc", "libpython3.13", "libssl", "libffi", "libsqlite3"):
        assert any(name.startswith(wanted) for name in texts), (wanted, sorted(texts))
    for path in texts.values():
        text = gzip.decompress(path.read_bytes()).decode()
        assert "license" in text.lower() or "licence" in text.lower(), path
    assert "MIT" in Path("/usr/share/doc/ovum/LICENSE").read_text()
