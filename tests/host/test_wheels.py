"""ovum.wheels: packages in an image, from wheels made here; pip never asks the network."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ovum.cpio import read_archive
from ovum.progress import Progress
from ovum.stdlib import SITE_PACKAGES
from ovum.sysroot import Sysroot
from ovum.wheels import WheelError, ensure_packages
from tests.host.caches import use_fresh_cache

Install = Callable[..., dict[str, bytes]]


def wheel(
    folder: Path,
    name: str,
    version: str,
    tag: str = "py3-none-any",
    requires: str = "",
    **files: str,
) -> Path:
    """Writes a wheel by hand (PEP 427)."""
    info = f"{name}-{version}.dist-info"
    contents = {f"{name}/__init__.py": f"version = {version!r}\n", **files}
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    contents[f"{info}/METADATA"] = metadata + (f"Requires-Dist: {requires}\n" if requires else "")
    contents[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n"
    contents[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in contents)
    path = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in contents.items():
            archive.writestr(member, text)
    return path


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip finds wheels."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    use_fresh_cache(monkeypatch, tmp_path / "cache")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def install(sysroot: Sysroot, shelf: Path) -> Install:
    def install(*packages: str, requirements: tuple[Path, ...] = ()) -> dict[str, bytes]:
        path = ensure_packages(
            sysroot, requirements, packages, Progress(silent=True, stream=io.StringIO())
        )
        found = {}
        for entry, _ in read_archive(path.read_bytes()):
            assert isinstance(entry.content, bytes)
            found[entry.name] = entry.content
        return found

    return install


def test_a_package_is_in_site_packages_with_bytecode(install: Install, shelf: Path) -> None:
    wheel(shelf, "parcel", "1.2")
    files = install("parcel")
    assert files[f"{SITE_PACKAGES}/parcel/__init__.py"] == b"version = '1.2'\n"
    bytecode = files[f"{SITE_PACKAGES}/parcel/__pycache__/__init__.cpython-313.pyc"]
    assert bytecode[4:8] == b"\x01\x00\x00\x00"
    assert b"parcel/__init__.py" in bytecode
    assert f"{SITE_PACKAGES}/parcel-1.2.dist-info/METADATA" in files


def test_a_packages_own_tests_stay_source(install: Install, shelf: Path) -> None:
    wheel(shelf, "parcel", "1.2", **{"parcel/tests/test_it.py": "assert True\n"})
    files = install("parcel")
    assert f"{SITE_PACKAGES}/parcel/tests/test_it.py" in files
    assert not [name for name in files if "test_it.cpython" in name]


def test_versions_and_requirement_files_are_heeded(
    install: Install, shelf: Path, tmp_path: Path
) -> None:
    for version in ("1.0", "2.0", "3.0"):
        wheel(shelf, "parcel", version)
    wheel(shelf, "stamp", "1.0")
    (tmp_path / "more.txt").write_text("stamp\n")
    (tmp_path / "req.txt").write_text("# what we need\nparcel<3\n-r more.txt\n")
    files = install(requirements=(tmp_path / "req.txt",))
    assert files[f"{SITE_PACKAGES}/parcel/__init__.py"] == b"version = '2.0'\n"
    assert f"{SITE_PACKAGES}/stamp/__init__.py" in files


def test_wheels_are_chosen_for_the_images_python_not_the_hosts(
    install: Install, shelf: Path
) -> None:
    wheel(shelf, "parcel", "1.0", "cp313-cp313-manylinux_2_28_x86_64")
    wheel(shelf, "parcel", "9.0", "cp311-cp311-manylinux_2_17_x86_64")
    wheel(shelf, "parcel", "8.0", "cp313-cp313-manylinux_2_28_aarch64")
    assert install("parcel")[f"{SITE_PACKAGES}/parcel/__init__.py"] == b"version = '1.0'\n"


def test_conditions_are_judged_by_the_images_python(install: Install, shelf: Path) -> None:
    wheel(shelf, "parcel", "1.0", requires='stamp; python_version >= "3.13"')
    wheel(shelf, "stamp", "1.0")
    assert f"{SITE_PACKAGES}/stamp/__init__.py" in install("parcel")


def test_what_has_been_resolved_needs_pip_no_more(
    install: Install, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = wheel(shelf, "parcel", "1.0")
    before = install("parcel")
    path.unlink()
    monkeypatch.setattr("ovum.wheels._install", None)
    assert install("parcel") == before


def test_a_changed_requirements_file_is_resolved_again(
    install: Install, shelf: Path, tmp_path: Path
) -> None:
    wheel(shelf, "parcel", "1.0")
    wheel(shelf, "parcel", "2.0")
    file = tmp_path / "req.txt"
    seen = []
    for text in ("parcel==1.0", "parcel==2.0"):
        file.write_text(text)
        seen.append(install(requirements=(file,))[f"{SITE_PACKAGES}/parcel/__init__.py"])
    assert seen == [b"version = '1.0'\n", b"version = '2.0'\n"]


def test_commands_are_left_out_and_broken_templates_do_not_matter(
    install: Install, shelf: Path
) -> None:
    wheel(
        shelf,
        "parcel",
        "1.0",
        **{
            "parcel/template.py": "def {{ name }}(:\n",
            "parcel-1.0.dist-info/entry_points.txt": "[console_scripts]\nparcel = parcel:main\n",
        },
    )
    files = install("parcel")
    assert f"{SITE_PACKAGES}/parcel/template.py" in files
    assert not [name for name in files if "template.cpython" in name or "/bin/" in name]


def test_a_package_without_a_wheel_is_explained(install: Install, shelf: Path) -> None:
    wheel(shelf, "parcel", "1.0", "cp313-cp313-win_amd64")
    with pytest.raises(WheelError, match=r"no wheel of parcel for CPython 3\.13"):
        install("parcel")


def test_contradictions_are_explained(install: Install, shelf: Path) -> None:
    wheel(shelf, "parcel", "1.0", requires="stamp==1")
    wheel(shelf, "stamp", "2.0")
    wheel(shelf, "stamp", "1.0")
    with pytest.raises(WheelError, match="contradict each other"):
        install("parcel", "stamp==2.0")


def test_a_missing_requirements_file_is_explained(install: Install, tmp_path: Path) -> None:
    with pytest.raises(WheelError, match="no requirements file"):
        install(requirements=(tmp_path / "missing.txt",))
