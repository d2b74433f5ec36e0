"""ovum.reach: which imports are seen, which are not followed, and how far they lead."""

from pathlib import Path

import pytest

from ovum import reach, stdlib
from ovum.drivers import matches
from ovum.reach import Reached, encodings_named, reached
from ovum.sysroot import Sysroot


@pytest.fixture
def follow(sysroot: Sysroot, tmp_path: Path) -> "Follow":
    return Follow(sysroot, tmp_path)


class Follow:
    """Follows a script with some modules beside it."""

    def __init__(self, sysroot: Sysroot, folder: Path) -> None:
        self._sysroot = sysroot
        self.folder = folder

    def __call__(self, script: str, **modules: str) -> Reached:
        path = self.folder / "prog.py"
        path.write_text(script)
        for name, source in modules.items():
            file = self.folder / (name.replace("__in__", "/") + ".py")
            file.parent.mkdir(exist_ok=True)
            file.write_text(source)
        library = self._sysroot.root / stdlib.LIBRARY
        dynload = self._sysroot.root / stdlib.DYNLOAD
        return reached(self._sysroot, [self.folder, library, dynload], scripts=[path])


@pytest.mark.parametrize(
    "statement",
    [
        "import one",
        "def f():\n    import one",
        "import one as other",
        "from one import x",
        "import importlib\nimportlib.import_module('one')",
        "from importlib import import_module\nimport_module('one')",
        "__import__('one')",
        "try:\n    import nothing_of_the_kind\nexcept ImportError:\n    import one",
        "match 1:\n    case 1:\n        import one",
        "type X = int\nimport one",
        "if __name__ == '__main__':\n    import one",
    ],
)
def test_imports_are_seen_wherever_they_are(follow: Follow, statement: str) -> None:
    assert follow(statement, one="import two", two="").modules.keys() >= {"one", "two"}


@pytest.mark.parametrize(
    "statement",
    [
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import one",
        "import sys\nif sys.platform == 'win32':\n    import one",
        "try:\n    import json\nexcept ImportError:\n    import one",
        "text = 'import one'",
    ],
)
def test_imports_that_never_happen_are_not_followed(follow: Follow, statement: str) -> None:
    assert "one" not in follow(statement, one="").modules


def test_a_modules_own_main_part_is_not_reached_by_importing_it(follow: Follow) -> None:
    found = follow("import one", one="if __name__ == '__main__':\n    import two", two="")
    assert "two" not in found.modules


def test_packages_bring_their_parents_and_submodules(follow: Follow) -> None:
    found = follow(
        "from package import sub",
        package__in____init__="from . import other",
        package__in__sub="from .deeper import x",
        package__in__other="",
        package__in__deeper="x = 1",
        package__in__unused="",
    )
    names = {name for name in found.modules if name.startswith("package")}
    assert names == {"package", "package.sub", "package.other", "package.deeper"}


def test_a_star_brings_the_submodules_that_a_package_lists(follow: Follow) -> None:
    found = follow(
        "from package import *",
        package__in____init__="__all__ = ['sub']",
        package__in__sub="",
        package__in__other="",
    )
    assert "package.sub" in found.modules
    assert "package.other" not in found.modules


def test_folders_without_init_are_packages_too(follow: Follow) -> None:
    assert "space.part" in follow("import space.part", space__in__part="").modules


def test_what_is_missing_is_told_with_who_wants_it(follow: Follow) -> None:
    found = follow("import one", one="import not_anywhere.at_all")
    assert found.missing == {"not_anywhere": "one"}
    assert found.because["one"].endswith("prog.py")


def test_files_that_are_not_python_import_nothing(follow: Follow) -> None:
    assert "one" in follow("import one", one="def (").modules


def test_c_code_brings_what_it_imports(follow: Follow) -> None:
    assert "_strptime" in follow("import datetime").modules
    assert "encodings.idna" in follow("import socket").modules


def test_extension_modules_have_their_file(follow: Follow, sysroot: Sysroot) -> None:
    file = follow("import sqlite3").modules["_sqlite3"]
    assert file in stdlib.extension_files(sysroot)


def test_the_start_of_the_interpreter_is_small(sysroot: Sysroot) -> None:
    path = [sysroot.root / stdlib.LIBRARY, sysroot.root / stdlib.DYNLOAD]
    names = set(reached(sysroot, path, modules=reach.START_UP).modules)
    assert {"traceback", "tokenize", "encodings.utf_8"} <= names
    assert names.isdisjoint({"pydoc", "subprocess", "socket", "ssl", "hashlib", "asyncio"})


def test_every_name_in_the_tables_exists(sysroot: Sysroot) -> None:
    path = [sysroot.root / stdlib.LIBRARY, sysroot.root / stdlib.DYNLOAD]
    names = [*reach.START_UP, *reach.MODULE_RUN, *reach.PROMPT]
    names += [*reach.IMPLIED, *(name for some in reach.IMPLIED.values() for name in some)]
    missing = reached(sysroot, path, modules=names).missing
    assert {name for name, by in missing.items() if by == "the start"} == set()


def test_all_drivers_come_with_who_looks_for_devices() -> None:
    assert set(reach.DRIVERS) == {*matches.VIRTIO.values(), *matches.PCI.values()}


def test_only_modules_within_a_folder_are_followed_on_request(
    sysroot: Sysroot, tmp_path: Path
) -> None:
    (tmp_path / "prog.py").write_text("import json, one, package.sub")
    (tmp_path / "one.py").write_text("import two")
    (tmp_path / "two.py").write_text("")
    (tmp_path / "package").mkdir()
    (tmp_path / "package/sub.py").write_text("")
    found = reached(sysroot, [tmp_path], scripts=[tmp_path / "prog.py"], within=tmp_path)
    assert set(found.modules) == {"one", "two", "package", "package.sub"}


def test_encodings_are_recognised_in_any_spelling() -> None:
    strings = frozenset({"cp850", "ISO-8859-2", "Shift_JIS", "utf8", "hello", "", "__init__"})
    assert encodings_named(strings) == [
        *("encodings.cp850", "encodings.iso8859_2", "encodings.shift_jis", "encodings.utf_8")
    ]
