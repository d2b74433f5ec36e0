"""ovum.sysroot: what is in it, that it works on the host, and that it is made only once."""

import json
import subprocess
import tomllib
from pathlib import Path

import pytest

from ovum import apt
from ovum import sysroot as module
from ovum.progress import Progress
from ovum.sysroot import RECIPE, Sysroot, SysrootError, ensure_sysroot


def test_it_has_every_package_of_the_recipe(sysroot: Sysroot) -> None:
    groups = tomllib.loads(RECIPE.read_text())["packages"]
    assert set(sysroot.packages) == {name for group in groups.values() for name in group}


def test_the_top_folders_are_links_into_usr(sysroot: Sysroot) -> None:
    links = {
        name: str((sysroot.root / name).readlink()) for name in ("bin", "lib", "lib64", "sbin")
    }
    assert links == {name: f"usr/{name}" for name in links}


def test_its_python_runs_on_the_host(sysroot: Sysroot) -> None:
    code = "import ssl, sqlite3, _ctypes, sys; print(sys.prefix, *sys.version_info[:2])"
    done = subprocess.run(
        sysroot.python("-c", code),
        env=sysroot.python_env(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{sysroot.root}/usr 3 13\n"


def test_no_variable_of_the_caller_leads_its_python_astray(
    sysroot: Sysroot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/elsewhere")
    assert "PYTHONPATH" not in sysroot.python_env()
    assert "LD_LIBRARY_PATH" not in sysroot.python_env()


def test_every_library_an_extension_module_needs_is_there(sysroot: Sysroot) -> None:
    modules = sorted((sysroot.root / "usr/lib/python3.13/lib-dynload").glob("*.so"))
    linker = sysroot.root / "lib64" / "ld-linux-x86-64.so.2"
    libraries = sysroot.root / "usr" / "lib" / module.TRIPLET
    missing = []
    for extension in modules:
        done = subprocess.run(
            [linker, "--library-path", libraries, "--list", extension],
            capture_output=True,
            text=True,
        )
        if done.returncode or "not found" in done.stdout + done.stderr:
            missing.append((extension.name, done.stdout + done.stderr))
    assert modules
    assert not missing


def test_the_certificates_are_one_file_of_many(sysroot: Sysroot) -> None:
    bundle = (sysroot.root / "etc/ssl/certs/ca-certificates.crt").read_text()
    assert bundle.count("-----BEGIN CERTIFICATE-----\n") > 100
    assert bundle.count("BEGIN") == bundle.count("END CERTIFICATE-----\n")


def test_a_sysroot_in_the_cache_needs_no_network(
    sysroot: Sysroot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert ensure_sysroot(Progress()) == sysroot


def test_without_network_the_error_says_what_to_do_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVUM_CACHE", str(tmp_path))
    monkeypatch.setattr(apt, "RETRIES", 0)
    monkeypatch.setenv("OVUM_DEBIAN_MIRROR", "http://127.0.0.1:9/debian")
    with pytest.raises(SysrootError, match="Is the network up"):
        ensure_sysroot(Progress(silent=True))
    assert [path.name for path in (tmp_path / "sysroot").iterdir()] == ["lock"]


def test_another_recipe_is_another_sysroot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = tmp_path / "sysroot.toml"
    recipe.write_text(RECIPE.read_text() + "\n# changed\n")
    monkeypatch.setattr(module, "RECIPE", recipe)
    made = []

    def make(work: Path, recipe: object, key: str, progress: Progress) -> None:
        made.append(key)
        (work / "result").mkdir()
        (work / "result" / module.STAMP).write_text(
            json.dumps({"digest": key, "python_version": "3.13", "packages": {}})
        )

    monkeypatch.setattr(module, "_make", make)
    monkeypatch.setattr(module, "debian_mirror", lambda: "")
    monkeypatch.setenv("OVUM_CACHE", str(tmp_path / "cache"))
    first = ensure_sysroot(Progress())
    assert ensure_sysroot(Progress()) == first
    assert len(made) == 1
    recipe.write_text("\n# changed again\n" + RECIPE.read_text())
    assert ensure_sysroot(Progress()).digest != first.digest
    assert ensure_sysroot(Progress(), refresh=True).digest == made[1] == made[2]
