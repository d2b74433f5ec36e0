"""The launchers, as far as they go without QEMU; and the way to the peers."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench import launcher, peers
from bench.lines import Until
from bench.machine import Setting, cpu_seconds, network_argv


def run(code: str, *, until: str | None = None, timeout_s: float = 30) -> int:
    begun = time.monotonic()
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        try:
            lines = launcher.process_lines(process, begun, timeout_s)
            return launcher.print_lines(lines, Until(until))
        finally:
            process.kill()


def test_the_status_is_the_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("print('one'); print('two', end=''); raise SystemExit(7)") == 7
    assert [line.split("] ")[1] for line in capsys.readouterr().out.splitlines()] == ["one", "two"]


def test_until_ends_it_at_once() -> None:
    assert run("print('READY', flush=True); import time; time.sleep(60)", until="^READY") == 0


def test_time_is_up() -> None:
    assert run("import time; time.sleep(60)", timeout_s=0.2) == launcher.STATUS_TIMEOUT


def test_processor_time_of_a_process_that_is_gone_is_zero() -> None:
    assert cpu_seconds(2**22 + 1) == 0


def test_forwarded_ports_come_with_a_card_for_the_machine() -> None:
    assert network_argv(Setting()) == []
    setting = Setting(machine="microvm", network=True, forwards=("tcp:127.0.0.1:8080-:80",))
    assert network_argv(setting) == [
        "-netdev",
        "user,id=n0,hostfwd=tcp:127.0.0.1:8080-:80",
        "-device",
        "virtio-net-device,netdev=n0",
    ]


def test_missing_peers_are_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVUM_PEERS", str(tmp_path))
    with pytest.raises(peers.PeersError, match="OVUM_PEERS"):
        peers.find_peers()


def test_the_peers_are_where_the_variable_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "run_all.py").touch()
    monkeypatch.setenv("OVUM_PEERS", str(tmp_path))
    assert peers.find_peers() == tmp_path.resolve()


def test_a_guest_in_the_cache_is_not_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVUM_CACHE", str(tmp_path))
    image = tmp_path / "linux-guest"
    image.mkdir()
    (image / "image.json").touch()
    from ovum.progress import Progress

    assert peers.ensure_guest(tmp_path / "nowhere", Progress(silent=True)) == image


def test_every_program_runs_on_linux_and_on_ovum(tmp_path: Path) -> None:
    ovum = {name for target in peers.ovum_targets() for name in target.programs}
    linux = {name for target in peers.linux_targets(tmp_path, tmp_path) for name in target.programs}
    assert ovum == linux == set(peers.PROGRAMS)
