"""Measures, keeps the values in build/bench/, and prints the tables."""

import argparse
import dataclasses
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import (
    blocks,
    footprint,
    javascript,
    network_cards,
    peers,
    phases,
    results,
    services,
    stack,
    tasks,
    tls,
    webassembly,
)
from ovum.paths import build_dir
from ovum.progress import Progress

NETWORK: Final = "network"
"""All of peers.NETWORK, and handshakes of TLS."""
PHASES: Final = "phases"
FOOTPRINT: Final = "footprint"
SERVICES: Final = "services"
TASKS: Final = "tasks"
NETWORK_CARDS: Final = "network_cards"
BLOCKS: Final = "blocks"
STACK: Final = "stack"
JAVASCRIPT: Final = "javascript"
WEBASSEMBLY: Final = "webassembly"
NAMES: Final = (
    *peers.PROGRAMS, NETWORK, PHASES, FOOTPRINT, SERVICES, TASKS, NETWORK_CARDS, BLOCKS,
    STACK, JAVASCRIPT, WEBASSEMBLY,
)  # fmt: skip
MACHINES: Final = ("microvm", "pc")

BOOTS: Final = 3
"""Boots in each run, where the others start once."""


def main(words: Sequence[str] | None = None) -> int:
    """Runs what the command line asks for and returns the status."""
    options = _parse(words)
    folder = build_dir() / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    names = options.names or list(NAMES)
    if not options.table:
        try:
            _measure(folder, names, options.runs)
        except KeyboardInterrupt:
            print("bench: interrupted; what was measured:", file=sys.stderr)
    print(report(folder))
    return 0


def _parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help=f"what to measure: {', '.join(NAMES)}")
    add("--runs", type=int, default=3, help="how often, the targets taking turns")
    add("--table", action="store_true", help="print what was measured before")
    options = parser.parse_args(words)
    unknown = [name for name in options.names if name not in NAMES]
    if unknown:
        parser.error(f"there is no {unknown[0]!r}; there are {', '.join(NAMES)}")
    return options


def _measure(folder: Path, names: Sequence[str], runs: int) -> None:
    _machine_description(folder)
    network = peers.NETWORK if NETWORK in names else ()
    programs = [name for name in peers.PROGRAMS if name in names or name in network]
    if programs:
        try:
            _measure_programs(folder, programs, runs)
        except peers.PeersError as error:
            print(f"bench: {error}", file=sys.stderr)
    if NETWORK in names:
        try:
            handshakes = tls.measure_all(runs)
            (folder / "tls.json").write_text(json.dumps(handshakes, indent=1))
        except peers.PeersError as error:
            print(f"bench: {error}", file=sys.stderr)
    if PHASES in names:
        _measure_phases(folder, runs)
    if FOOTPRINT in names:
        _measure_footprint(folder)
    if SERVICES in names:
        found = {machine: services.measure(machine) for machine in services.MACHINES}
        found["host"] = {"stat us": services.host_stat_us()}
        (folder / "services.json").write_text(json.dumps(found, indent=1))
    if TASKS in names:
        (folder / "tasks.json").write_text(json.dumps(tasks.measure_all(runs), indent=1))
    if NETWORK_CARDS in names:
        frames = network_cards.measure_all(runs)
        (folder / "network_cards.json").write_text(json.dumps(frames, indent=1))
    if WEBASSEMBLY in names:
        times = webassembly.measure(folder, runs)
        (folder / "webassembly.json").write_text(json.dumps(times, indent=1))
    if BLOCKS in names:
        (folder / "blocks.json").write_text(json.dumps(blocks.measure(folder, runs), indent=1))
    if STACK in names:
        (folder / "stack.json").write_text(json.dumps(stack.measure(), indent=1))
    if JAVASCRIPT in names:
        (folder / "javascript.json").write_text(json.dumps(javascript.measure(runs), indent=1))


def _measure_programs(folder: Path, programs: Sequence[str], runs: int) -> None:
    """Runs the peers' programs, each in turn on every target."""
    home = peers.find_peers()
    targets = peers.ovum_targets()
    try:
        targets = [*peers.linux_targets(home, peers.ensure_guest(home, Progress())), *targets]
    except peers.PeersError as error:
        print(f"bench: {error}\nbench: measuring ovum alone", file=sys.stderr)
    for program in programs:
        taking_part = [target for target in targets if program in target.programs]
        files = {target: peers.results_file(folder, target, program) for target in taking_part}
        for file in files.values():
            file.unlink(missing_ok=True)
        for _ in range(runs * (BOOTS if program == "boot" else 1)):
            for target, file in files.items():
                peers.measure(home, target, program, file)


def _measure_phases(folder: Path, runs: int) -> None:
    taken: dict[str, list[phases.Phases]] = {machine: [] for machine in MACHINES}
    for _ in range(runs * BOOTS):
        for machine in MACHINES:
            taken[machine].append(phases.measure(machine, folder / "phases" / "first.py"))
    medians = {machine: phases.median(found) for machine, found in taken.items()}
    _write(folder / "phases.json", medians)


def _measure_footprint(folder: Path) -> None:
    found = {}
    for variant in footprint.VARIANTS:
        print(f"looking for the least memory: {variant}", flush=True)
        found[variant] = footprint.measure(variant, folder)
    _write(folder / "footprint.json", found)


def _write(file: Path, found: dict[str, phases.Phases] | dict[str, footprint.Footprint]) -> None:
    content = {key: dataclasses.asdict(value) for key, value in found.items()}
    file.write_text(json.dumps(content, indent=1))


def _machine_description(folder: Path) -> None:
    """What the figures depend on besides ovum, for whoever compares them later."""
    version = subprocess.run(
        ["qemu-system-x86_64", "--version"], capture_output=True, text=True
    ).stdout.splitlines()
    models = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    about = {"qemu": version[:1], "processor": models[:1], "processors": len(models)}
    (folder / "host.json").write_text(json.dumps(about, indent=1))


def report(folder: Path) -> str:
    """All tables that there are values for."""
    labels = [f"{kind}-{machine}" for kind in ("linux", "ovum") for machine in MACHINES]
    labels += ["native-pyhost", "native-debian"]
    figures = {label: results.read_figures(folder / label) for label in labels}
    parts = []
    compared = [
        row
        for machine in MACHINES
        for row in results.comparison(
            figures[f"ovum-{machine}"], figures[f"linux-{machine}"], machine
        )
    ]
    if compared:
        parts.append(results.table(results.COMPARISON_HEAD, compared))
    interpreter = results.interpreter_rows(figures)
    if interpreter:
        parts.append(results.table(results.INTERPRETER_HEAD, interpreter))
    file = folder / "tls.json"
    if file.exists():
        parts.append(results.table(tls.HEAD, [tls.row(json.loads(file.read_text()))]))
    file = folder / "phases.json"
    if file.exists():
        boots = {
            machine: phases.Phases(**values)
            for machine, values in json.loads(file.read_text()).items()
        }
        parts.append(results.table(("boot, ms", *boots), results.phase_rows(boots)))
    file = folder / "footprint.json"
    if file.exists():
        found = {
            variant: footprint.Footprint(**values)
            for variant, values in json.loads(file.read_text()).items()
        }
        parts.append(results.table(results.FOOTPRINT_HEAD, results.footprint_rows(found)))
    file = folder / "services.json"
    if file.exists():
        found = json.loads(file.read_text())
        rows = [row for name in services.MACHINES for row in services.rows(name, found[name])]
        host = found["host"]["stat us"]
        rows.append(services.row("host: stat of a served file", "µs", host, 60))
        parts.append(results.table(services.HEAD, rows))
    file = folder / "tasks.json"
    if file.exists():
        parts.append(tasks.report(json.loads(file.read_text())))
    file = folder / "network_cards.json"
    if file.exists():
        frames = network_cards.rows(json.loads(file.read_text()))
        parts.append(results.table(network_cards.HEAD, frames))
    file = folder / "blocks.json"
    if file.exists():
        parts.append(results.table(blocks.HEAD, blocks.rows(json.loads(file.read_text()))))
    file = folder / "stack.json"
    if file.exists():
        parts.append(results.table(stack.HEAD, stack.rows(json.loads(file.read_text()))))
    file = folder / "javascript.json"
    if file.exists():
        scripts = javascript.rows(json.loads(file.read_text()))
        parts.append(results.table(javascript.HEAD, scripts))
    file = folder / "webassembly.json"
    if file.exists():
        lines = webassembly.rows(json.loads(file.read_text()))
        parts.append(results.table(webassembly.HEAD, lines))
    return "\n\n".join(parts) if parts else "nothing has been measured yet"
