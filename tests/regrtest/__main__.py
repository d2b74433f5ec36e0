"""Runs CPython's tests on Linux and in guests and says what differs: `./dev regrtest`."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ovum.apt import AptError
from ovum.paths import build_dir
from ovum.progress import Progress
from ovum.sysroot import SysrootError, ensure_sysroot

from . import guest, report
from .compare import Comparison, compare, counted, percentage
from .left_out import LeftOut
from .records import Module
from .reference import Reference
from .suite import choose, ensure_suite

TARGET: Final = 97.0


def main(words: Sequence[str] | None = None) -> int:
    """Returns 0 if enough tests pass and nothing hangs or panics, 1 if not, 2 for a mistake."""
    parser = argparse.ArgumentParser(prog="./dev regrtest", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="a module, as in test_os, or a class"
    )
    parser.add_argument("--linux", action="store_true", help="only run what is to compare with")
    parser.add_argument("--target", type=float, default=TARGET, help="percentage to reach")
    parser.add_argument("--out", type=Path, default=build_dir() / "regrtest", help="for results")
    options = parser.parse_args(words)
    progress = Progress()
    try:
        suite = ensure_suite(ensure_sysroot(progress), progress)
    except (AptError, SysrootError) as error:
        print(f"regrtest: {error}", file=sys.stderr)
        return 2
    everything = suite.modules()
    chosen, unknown = choose(options.names or everything, everything)
    if unknown:
        print(f"regrtest: there is no module {', '.join(unknown)}", file=sys.stderr)
        return 2
    left_out = LeftOut.read()
    reasons = {name: left_out.why(name) for name in chosen}
    parts = {name: only for name, only in chosen.items() if reasons[name] is None}
    linux = Reference(suite).results(parts, report.reference)
    options.out.mkdir(parents=True, exist_ok=True)
    if options.linux:
        return 0
    image = guest.build(suite, options.out)
    compared = _guest(image, parts, linux, left_out, options.out)
    modules = {name: reason for name, reason in reasons.items() if reason is not None}
    report.write_left_out(options.out / "left-out.txt", modules, compared)
    report.summary(compared)
    bad = any(one.broken for one in compared)
    return 1 if bad or percentage(compared) < options.target else 0


def _guest(
    image: Path,
    names: Mapping[str, tuple[str, ...]],
    linux: Mapping[str, Module],
    left_out: LeftOut,
    out: Path,
) -> list[Comparison]:
    """Runs the modules in guests, tells of each, and keeps what came of it."""
    log = out / "log.txt"
    log.unlink(missing_ok=True)
    compared = []
    worth = {}
    for name, only in names.items():
        if counted(linux[name], left_out):
            worth[name] = only
        else:
            compared.append(compare(linux[name], Module(name), left_out))
    found = guest.results(image, worth, linux, left_out, log)
    for number, module in enumerate(found):
        comparison = compare(linux[module.name], module, left_out)
        compared.append(comparison)
        report.module(number + 1, len(worth), comparison, module)
        stored = {"linux": linux[module.name].dump(), "guest": module.dump()}
        (out / f"{module.name}.json").write_text(json.dumps(stored, indent=1))
    return sorted(compared, key=lambda one: one.name)


if __name__ == "__main__":
    sys.exit(main())
