"""Our Internet layer beside Linux's, over a TAP interface in a network namespace of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ovum.paths import REPO

CHECKS = (
    "ping", "flood", "udp", "refused_by_linux", "neighbors", "conflicts", "conflict_of_linux",
    "router", "multicast",
)  # fmt: skip


def why_not() -> str:
    """Why there can be no namespace with a TAP interface; empty: there can."""
    if not Path("/dev/net/tun").exists():
        return "there is no /dev/net/tun"
    try:
        tried = subprocess.run(
            ["unshare", "-n", "ip", "tuntap", "add", "tap0", "mode", "tap"],
            capture_output=True,
            text=True,
        )
    except FileNotFoundError as error:
        return str(error)
    return tried.stderr.strip()


@pytest.fixture(scope="module", autouse=True)
def allowed() -> None:
    reason = why_not()
    if reason:
        pytest.skip(f"no TAP interface in a network namespace: {reason}")


@pytest.mark.parametrize("check", CHECKS)
def test_beside_linux(check: str) -> None:
    run = subprocess.run(
        ["unshare", "-n", sys.executable, "-m", "tests.host.net.linux.tap", check],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stdout + run.stderr
