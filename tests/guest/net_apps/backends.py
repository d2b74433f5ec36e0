"""Real servers on this host, for programs that are their clients: Redis and PostgreSQL."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

POSTGRES_USER = "postgres"
"""Of Debian's package; PostgreSQL does not run as root."""


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@contextlib.contextmanager
def _running(
    argv: Sequence[str | Path], ready: bytes, user: str | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A server that has said that it is ready, until the block is left."""
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, user=user
    ) as server:
        assert server.stdout is not None
        said = b""
        for line in server.stdout:
            said += line
            if ready in line:
                break
        else:
            raise AssertionError(said.decode())
        try:
            yield server
        finally:
            server.terminate()
            server.stdout.read()


@contextlib.contextmanager
def redis() -> Iterator[int]:
    """Its port."""
    program = shutil.which("redis-server")
    assert program is not None, "redis-server is missing: ./dev installs what packages.txt lists"
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        words = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        with _running([program, *words], b"Ready to accept connections"):
            yield port


@contextlib.contextmanager
def postgres() -> Iterator[int]:
    """Its port; the user `ovum` has the password `sesame`."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    assert programs, "postgresql is missing: ./dev installs what packages.txt lists"
    port = free_port()
    user = POSTGRES_USER if os.getuid() == 0 else None
    with tempfile.TemporaryDirectory() as folder:
        if user is not None:
            shutil.chown(folder, user)
        password, data = Path(folder, "password"), Path(folder, "data")
        password.write_text("sesame\n")
        password.chmod(0o644)
        initialise = ["--username=ovum", "--auth=scram-sha-256", f"--pwfile={password}"]
        initialise += ["--encoding=UTF8", "--locale=C", "--no-sync", f"--pgdata={data}"]
        subprocess.run(
            [programs[-1] / "initdb", *initialise], user=user, check=True, capture_output=True
        )
        words: list[str | Path] = [
            "-D",
            data,
            "-p",
            str(port),
            "-k",
            folder,
            "-h",
            "127.0.0.1",
            "-F",
        ]
        with _running([programs[-1] / "postgres", *words], b"ready to accept connections", user):
            yield port
