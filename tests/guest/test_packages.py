"""Packages in an image: from the index, from a wheel, from a requirements file."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from . import machine

TAG = "cp313-cp313-manylinux_2_17_x86_64"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel for CPython 3.13 with a shared library of its own in it."""
    folder = tmp_path_factory.mktemp("wheel")
    library = folder / "answer.so"
    (folder / "answer.c").write_text("int answer(void) { return 42; }\n")
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-nostdlib", "-o", library, folder / "answer.c"], check=True
    )
    made = folder / f"ovum_answer-1.0-{TAG}.whl"
    info = "ovum_answer-1.0.dist-info"
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(
            "ovum_answer/__init__.py",
            "import ctypes, pathlib\n"
            "_library = ctypes.CDLL(str(pathlib.Path(__file__).with_name('answer.so')))\n"
            "answer = _library.answer\n",
        )
        archive.write(library, "ovum_answer/answer.so")
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: ovum-answer\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {TAG}\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return made


SOURCE = "import ovum_answer; print(ovum_answer.answer())"


def test_a_local_wheel_with_native_code_is_used(wheel: Path) -> None:
    assert machine.code(SOURCE, "--with", str(wheel)).expect().out == "42\n"


def test_a_requirements_file_names_a_wheel(wheel: Path, tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"# one\novum-answer @ {wheel.as_uri()}\n")
    assert machine.code(SOURCE, "-r", str(requirements)).expect().out == "42\n"


def test_an_image_carries_its_packages(wheel: Path, tmp_path: Path) -> None:
    image = tmp_path / "answer.elf"
    machine.command("build", "--with", wheel, "-c", SOURCE, "-o", image).expect()
    assert machine.qemu("-m", "256", "-kernel", image).expect().out == "42\r\n"


def test_a_binary_wheel_of_the_index_is_used() -> None:
    source = (
        "import importlib.metadata, orjson\n"
        "print(orjson.dumps({'a': [1, 2.5, None]}).decode(), importlib.metadata.version('orjson'))"
    )
    result = machine.code(source, "--with", "orjson==3.10.18", limit_s=250)
    assert result.expect().out == '{"a":[1,2.5,null]} 3.10.18\n'


def test_a_package_that_does_not_exist_is_explained() -> None:
    result = machine.code("pass", "--with", "orjson==0.0.0.0.1", limit_s=250).expect(2)
    assert "orjson==0.0.0.0.1" in result.err
    assert "Traceback" not in result.err
