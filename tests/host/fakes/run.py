"""Runs ovum.runner on the fake QEMU: a process of its own, whose descriptors a test chooses."""

import argparse
import sys
from pathlib import Path

from ovum.qemu import QemuConfig
from ovum.runner import RunError, run_machine
from ovum.streams import Streams, kernel_words


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=Path)
    parser.add_argument("--timeout", type=float)
    parser.add_argument("-v", action="store_true")
    options = parser.parse_args()
    streams = Streams.of_host()
    words = kernel_words(streams, verbose=options.v, tsc_khz=None)
    config = QemuConfig(
        image="none", link_fd=-1, append=" ".join(words), program=str(options.program)
    )
    try:
        return run_machine(config, streams, timeout_s=options.timeout, verbose=options.v)
    except RunError as error:
        print(f"ovum: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
