"""ovum.bundles: modules that are imported together."""

from pathlib import Path

import pytest

from ovum.bundles import ENTRIES, bundles, imports, name_of
from ovum.paths import OWN_PARTS, REPO


def own_files() -> dict[str, Path]:
    found = {"ovum/__init__.py": REPO / "ovum/__init__.py"}
    for part in OWN_PARTS:
        for path in (REPO / part).rglob("*.py"):
            found[f"ovum/{path.relative_to(REPO).as_posix()}"] = path
    return found


FILES = own_files()
FOUND = bundles(FILES)
BUNDLES = [[name_of(path) for path in bundle] for bundle in FOUND]


def test_every_entry_is_a_module_and_in_one_bundle() -> None:
    names = [name for bundle in BUNDLES for name in bundle]
    assert len(names) == len(set(names))
    for entries in ENTRIES:
        for entry in entries:
            assert entry in names


@pytest.mark.parametrize("index", range(len(BUNDLES)))
def test_what_a_bundle_imports_has_been_run_before(index: int) -> None:
    known = {name_of(path) for path in FILES}
    run = {name for bundle in BUNDLES[:index] for name in bundle}
    for path, name in zip(FOUND[index], BUNDLES[index], strict=True):
        needed = known.intersection(imports(FILES[path].read_text())) - {name}
        # A package's own modules come before it, and they do not import what it has.
        package = name.rpartition(".")[0]
        assert needed - run <= {package}, name
        run.add(name)


def test_what_a_module_imports() -> None:
    source = """
import a.b, c
from d import e as f
TYPE_CHECKING = False
if TYPE_CHECKING:
    import types_only
else:
    from g import h
try:
    import i
except ImportError:
    pass
def later():
    import not_yet
"""
    assert imports(source) == ["a.b", "c", "d.e", "d", "g.h", "g", "i"]


def test_a_package_comes_before_its_modules_unless_it_imports_them(tmp_path: Path) -> None:
    sources = {
        "ovum/services/tasks/__init__.py": "from ovum.services.tasks.one import x",
        "ovum/services/tasks/one.py": "from ovum.services.other import y",
        "ovum/services/__init__.py": "",
        "ovum/services/other.py": "",
        "ovum/services/unused.py": "",
        "elsewhere.py": "",
    }
    files = {name: tmp_path / name for name in sources}
    for name, path in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(sources[name])
    assert bundles(files) == [
        [
            "ovum/services/__init__.py",
            "ovum/services/other.py",
            "ovum/services/tasks/one.py",
            "ovum/services/tasks/__init__.py",
        ]
    ]
