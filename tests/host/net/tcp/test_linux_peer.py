"""Our TCP and Linux's understand each other: over a TAP device, also if it loses frames."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ovum.paths import REPO


def why_not() -> str:
    """Why there can be no such device here; empty: there can."""
    if os.geteuid() != 0 or not Path("/dev/net/tun").exists():
        return "needs root and /dev/net/tun"
    made = subprocess.run(
        ["unshare", "-n", "ip", "tuntap", "add", "dev", "tap0", "mode", "tap"], capture_output=True
    )
    return "" if made.returncode == 0 else "no TAP device in a network namespace"


REASON = why_not()


@pytest.mark.skipif(bool(REASON), reason=REASON)
@pytest.mark.parametrize("loss", ["0", "0.02"])
@pytest.mark.parametrize("task", ["in", "out", "active-in", "active-out", "many", "reset", "slow"])
def test_linux_as_the_peer(task: str, loss: str) -> None:
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-m", "tests.host.net.tcp.linux_peer", task, loss],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.endswith("OK\n"), done.stderr[-2000:]
