"""ovum/inguest/sitecustomize.py: the module path it leaves, and its word about dropped modules."""

from pathlib import Path

import pytest

from ovum.paths import REPO
from tests.host.conftest import Run

SCRIPT = REPO / "ovum/inguest/sitecustomize.py"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "stdlib.zip").touch()
    (tmp_path / "dropped").write_text("json\njson.decoder\n")
    return tmp_path


def code(root: Path, path: str, then: str) -> str:
    """A program that runs the script as if these were the guest's folders."""
    source = SCRIPT.read_text()
    source = source.replace('"/usr/lib/python3.13"', repr(str(root)))
    source = source.replace('"/ovum/dropped"', repr(str(root / "dropped")))
    return f"import sys\nkept = sys.path\nsys.path = {path}\n{source}\n{then}"


def test_the_zip_file_comes_right_behind_the_librarys_folders(ours: Run, root: Path) -> None:
    path = f"['/app', {str(root)!r}, {str(root / 'lib-dynload')!r}, '/site']"
    done = ours("-c", code(root, path, "print(sys.path, encodings.__path__[-1])"))
    zip_file = str(root / "stdlib.zip")
    expected = ["/app", str(root), str(root / "lib-dynload"), zip_file, "/site"]
    assert done.stdout == f"{expected} {zip_file}/encodings\n"


def test_without_a_zip_file_the_path_stays(ours: Run, root: Path) -> None:
    (root / "stdlib.zip").unlink()
    done = ours("-c", code(root, f"[{str(root)!r}]", "print(sys.path)"))
    assert done.stdout == f"{[str(root)]}\n"


def test_a_dropped_module_says_how_to_keep_it(ours: Run, root: Path) -> None:
    done = ours("-c", code(root, f"[{str(root)!r}]", "import json"))
    assert "ModuleNotFoundError: No module named 'json'" in done.stderr
    assert "stripped" in done.stderr and "--include json" in done.stderr


def test_other_missing_modules_are_missing_as_ever(ours: Run, root: Path) -> None:
    done = ours("-c", code(root, f"[{str(root)!r}]", "import jsn"))
    assert done.stderr.rstrip().endswith("ModuleNotFoundError: No module named 'jsn'")
