"""ovum.strip: what is left of the library for one program, and what is said about the rest."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from ovum.applayer import ensure_application
from ovum.application import Program, contents, find_program
from ovum.cpio import read_archive
from ovum.options import Options
from ovum.progress import Progress
from ovum.stdlib import DYNLOAD, LIBRARY, PACK
from ovum.strip import DROPPED, StripError, ensure_stripped
from ovum.sysroot import Sysroot
from ovum.toolchain import ensure_kernel
from tests.host.caches import use_fresh_cache

IMAGE_LIMIT = 14 << 20

Strip = Callable[..., tuple[dict[str, bytes], str, int]]


@pytest.fixture
def strip(sysroot: Sysroot, pyhost: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Strip:
    """Strips for a program; gives the files, what was said, and the size of the layer."""
    use_fresh_cache(monkeypatch, tmp_path / "cache")
    folder = tmp_path / "program"
    folder.mkdir()

    def strip(source: str | Program, **settings: object) -> tuple[dict[str, bytes], str, int]:
        if isinstance(source, str):
            path = folder / "prog.py"
            if not path.exists() or path.read_text() != source:
                path.write_text(source)
            program = find_program("prog.py", [], cwd=folder)
        else:
            program = source
        files = [
            type(file)(f"app/{file.name}", file.path, file.size, file.mtime_ns, file.executable)
            for file in contents(program).files
        ]
        layers = [ensure_application(sysroot, files)] if files else []
        said = io.StringIO()
        options = Options(strip=True, **settings)  # type: ignore[arg-type]
        path = ensure_stripped(sysroot, pyhost, program, layers, options, Progress(stream=said))
        found = {}
        for entry, _ in read_archive(path.read_bytes()):
            assert isinstance(entry.content, bytes)
            found[entry.name] = entry.content
        return found, said.getvalue(), path.stat().st_size

    return strip


def libraries(files: dict[str, bytes]) -> set[str]:
    return {name.rsplit("/", 1)[1].split(".so")[0] for name in files if ".so" in name}


def test_hello_world_is_small(strip: Strip) -> None:
    files, said, size = strip("print('hello')\n")
    assert size + ensure_kernel(Progress()).stat().st_size < IMAGE_LIMIT
    assert libraries(files).isdisjoint({"libcrypto", "libssl", "libsqlite3", "libreadline"})
    assert {"libc", "libm", "libgcc_s"} <= libraries(files)
    assert PACK not in files
    assert f"{LIBRARY}/traceback.pyc" in files
    assert f"{LIBRARY}/asyncio/__init__.pyc" not in files
    assert not any("/ovum/net/" in name for name in files)
    assert "--strip left out" in said


def test_what_the_program_imports_stays_with_its_libraries(strip: Strip) -> None:
    files, _, _ = strip("import sqlite3, ssl, zoneinfo\nopen('x', encoding='cp850')\n")
    assert {"libsqlite3", "libssl", "libcrypto", "libz"} <= libraries(files)
    assert f"{LIBRARY}/sqlite3/dbapi2.pyc" in files
    assert f"{LIBRARY}/encodings/cp850.pyc" in files
    assert "etc/ssl/certs/ca-certificates.crt" in files
    assert "usr/share/zoneinfo/UTC" in files


def test_included_modules_stay(strip: Strip) -> None:
    files, _, _ = strip("name = 'json'\n__import__(name)\n", includes=["json", "_decimal"])
    assert f"{LIBRARY}/json/decoder.pyc" in files
    assert any(name.startswith(f"{DYNLOAD}/_decimal.") for name in files)


def test_a_module_that_does_not_exist_cannot_be_included(strip: Strip) -> None:
    with pytest.raises(StripError, match="no such module"):
        strip("", includes=["jsn"])


def test_the_prompt_keeps_what_it_edits_with(strip: Strip) -> None:
    files, _, _ = strip(Program(()))
    assert {"libreadline", "libtinfo"} <= libraries(files)
    assert f"{LIBRARY}/_pyrepl/readline.pyc" in files
    assert "usr/share/terminfo/x/xterm-256color" in files


def test_a_module_run_with_m_stays_with_what_it_needs(strip: Strip) -> None:
    files, _, _ = strip(Program(("-m", "json.tool"), module="json.tool"))
    assert {f"{LIBRARY}/runpy.pyc", f"{LIBRARY}/json/tool.pyc", f"{LIBRARY}/argparse.pyc"} <= set(
        files
    )


def test_the_guest_is_told_what_is_missing(strip: Strip) -> None:
    names = strip("print()\n")[0][DROPPED].decode().splitlines()
    assert {"json", "json.decoder", "asyncio", "_sqlite3"} <= set(names)
    assert "traceback" not in names


def test_the_largest_losses_are_listed_on_request(strip: Strip) -> None:
    for _ in range(2):
        # The second time nothing is made, and the list is the same.
        _, said, _ = strip("print()\n", verbose=True)
        assert "libcrypto.so.3" in said
        assert " others" in said


def test_the_same_program_is_analysed_once(strip: Strip, monkeypatch: pytest.MonkeyPatch) -> None:
    strip("print()\n")
    monkeypatch.setattr("ovum.strip._reach", None)
    _, said, _ = strip("print()\n")
    assert said == ""
