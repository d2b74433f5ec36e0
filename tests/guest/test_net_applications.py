"""Unmodified applications of the network, against real clients and servers on the host."""

import contextlib
import dataclasses
import json
import os
import re
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from . import linux, machine
from .net_apps import CERTIFICATES, SERVED, USED, backends

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "net_apps" / "requirements.txt"
HOST = "10.0.2.2"
"""The host's 127.0.0.1, as the machine sees it."""

LIMIT_S = 400.0
"""For all programs together; each takes seconds."""

FIRST_PORT = 8001


@dataclasses.dataclass(frozen=True, slots=True)
class Used:
    """What became of a program's use of a server."""

    name: str
    error: str | None
    seconds: float


def _read(output: str) -> dict[str, Used]:
    used = [Used(**json.loads(line)) for line in linux.lines(output, "USED")]
    return {one.name: one for one in used}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(CERTIFICATES)
    linux.python(REQUIREMENTS, "-m", f"net_apps.{CERTIFICATES}", str(folder), cwd=HERE, limit_s=60)
    return folder


def _guest(certificates: Path, *words: str | Path) -> list[str | Path]:
    """The options of a machine that the programs run in."""
    return [
        *("--memory", "1G", "--timeout", str(LIMIT_S), "-r", REQUIREMENTS),
        *("--add", f"{certificates}:/{CERTIFICATES}", "-e", f"CERTIFICATES=/{CERTIFICATES}"),
        *("-m", "net_apps", *words),
    ]


@contextlib.contextmanager
def _serving(
    argv: Sequence[str], environ: Mapping[str, str] | None = None
) -> Iterator[Sequence[str]]:
    """A process that says READY and serves until its standard input ends; what it said first."""
    with subprocess.Popen(
        argv, cwd=HERE, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        first = process.stdout.readline()
        if first != "READY\n":
            process.kill()
            assert process.stderr is not None
            raise AssertionError(f"{first}{process.stderr.read()[-6000:]}")
        assert process.stdin is not None
        try:
            yield argv
        finally:
            process.stdin.close()
            # What it says must not fill the pipe; and it ends by itself.
            assert process.stderr is not None
            said = process.stderr.read()
            status = process.wait(60)
        assert status == 0, said[-6000:]


@pytest.fixture(scope="module")
def used_on_the_host(certificates: Path) -> dict[str, Used]:
    """The guest serves, this host uses."""
    host_ports = {name: backends.free_port() for name in SERVED}
    guest_ports = {name: FIRST_PORT + k for k, name in enumerate(SERVED)}
    published = [f"-p{host_ports[name]}:{guest_ports[name]}" for name in SERVED]
    served = [f"{name}={guest_ports[name]}" for name in SERVED]
    guest = map(str, _guest(certificates, "serve", *served))
    with _serving([*machine.OVUM, "run", *published, *guest], machine.environment()):
        argv, environ = linux.command(
            REQUIREMENTS, "-m", "net_apps", "use",
            *(f"{name}=127.0.0.1:{port}" for name, port in host_ports.items()),
        )  # fmt: skip
        return _read(_output(argv, {**environ, "CERTIFICATES": str(certificates)}))


@pytest.fixture(scope="module")
def used_in_the_guest(certificates: Path) -> dict[str, Used]:
    """This host serves, the guest uses."""
    ports = {name: backends.free_port() for name in SERVED}
    argv, environ = linux.command(
        REQUIREMENTS, "-m", "net_apps", "serve", *(f"{k}={port}" for k, port in ports.items())
    )
    environ["CERTIFICATES"] = str(certificates)
    with _serving(argv, environ), backends.redis() as redis, backends.postgres() as postgres:
        ports |= {"redis": redis, "psycopg": postgres}
        used = [f"{name}={HOST}:{port}" for name, port in ports.items()]
        result = machine.run(*_guest(certificates, "use", *used), cwd=HERE, limit_s=LIMIT_S + 200)
        found = _read(result.out)
    missing = Used("", f"status {result.status}\n{result.err[-6000:]}", 0)
    return {name: found.get(name, missing) for name in ports}


def _output(argv: Sequence[str], environ: Mapping[str, str]) -> str:
    return subprocess.run(
        argv, cwd=HERE, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        text=True, timeout=LIMIT_S,
    ).stdout  # fmt: skip


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", SERVED)
def test_a_client_on_the_host_uses_a_server_in_the_guest(
    name: str, used_on_the_host: dict[str, Used]
) -> None:
    assert used_on_the_host[name].error is None, used_on_the_host[name].error


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", [*SERVED, *USED])
def test_a_client_in_the_guest_uses_a_server_on_the_host(
    name: str, used_in_the_guest: dict[str, Used]
) -> None:
    assert used_in_the_guest[name].error is None, used_in_the_guest[name].error


def test_the_librarys_server_of_files_is_run_as_a_module(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>hello</p>")
    (tmp_path / "large").write_bytes(os.urandom(3_000_000))
    argv = [*machine.OVUM, "run", "-p", "0:8000", "--add", f"{tmp_path}:/srv"]
    argv += [
        "--timeout",
        "100",
        "-e",
        "PYTHONUNBUFFERED=1",
        "-m",
        "http.server",
        "--directory",
        "/srv",
    ]
    with subprocess.Popen(
        argv, env=machine.environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            for told in process.stderr:
                if found := re.search(r"127\.0\.0\.1:(\d+)/tcp is port 8000", told):
                    break
            else:
                raise AssertionError("no port")
            assert process.stdout.readline().startswith("Serving HTTP on 0.0.0.0 port 8000")
            base = f"http://127.0.0.1:{found[1]}"
            for name in ("page.html", "large"):
                with urllib.request.urlopen(f"{base}/{name}", timeout=60) as answer:
                    assert answer.read() == (tmp_path / name).read_bytes()
            with urllib.request.urlopen(f"{base}/", timeout=60) as answer:
                assert b'href="page.html"' in answer.read()
            # The log of requests is on standard error.
            assert any('"GET / HTTP/1.1" 200 -' in line for line in process.stderr)
        finally:
            process.kill()
