"""The words of `ovum run` and `ovum build`, as python3's users expect them to be read.

Options of ovum end where the program begins, at its name or at `-m MODULE` or `-c CODE`: all that
follows is the program's own.
"""

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ovum.application import Addition
from ovum.network import Network, Port
from ovum.qemu import DEFAULT_MACHINE, parse_memory
from ovum.volume import Volume

DEFAULT_MEMORY_MIB: Final = 256

_LONG_WITH_VALUE: Final = frozenset(
    {"--with", "--add", "--memory", "--timeout", "--accel", "--machine", "--cpu", "--include"}
    | {"--output", "--requirement", "--env", "--qemu", "--volume", "--set"}
    | {"--publish", "--net", "--pcap"}
)
_SHORT_WITH_VALUE: Final = frozenset({"-r", "-e", "-o", "-p"})

EPILOG_RUN: Final = """\
examples:
  ovum run                               the Python prompt
  ovum run prog.py a "b c"               a program with arguments
  ovum run -m http.server                a module
  ovum run --with numpy -c 'import numpy; print(numpy.__version__)'
  ovum run -r requirements.txt --add data:/srv/data --memory 1G prog.py < in > out
  ovum run --volume ~/data:/data prog.py   a folder of yours, live in the machine
  ovum run -p 8080:80 -p 5353:53/udp prog.py    ports of yours that lead to the machine's
  ovum run --net tap:tap0,192.0.2.5/24,gateway=192.0.2.1 --pcap all.pcap prog.py
  ovum run prog.js a b                   a JavaScript program; a folder with package.json, too
  ovum run --js                          the JavaScript prompt
  ovum run app.elf                       an image made by `ovum build`
  ovum run --machine q35 --qemu '-device edu' --qemu '-smbios type=1,product=Egg'

A program's whole folder becomes /app, where it starts; of a home folder, /tmp or a very large
folder only what the program imports. --add puts in more.

--net has one of these, then, after commas, how the machine is to configure itself:
  user           QEMU's own network: out through this host, in through -p alone
  none           no network card
  tap:NAME       an interface of this host's
  dhcp (the default); none; ADDRESS/PREFIX, gateway=ADDRESS, dns=ADDRESS, search=DOMAIN,
  ntp=ADDRESS, mtu=NUMBER, hostname=NAME, each as often as wanted
`net` and `publish` may be in the table [tool.ovum] of a pyproject.toml beside the program, too.

exit status: the program's; 70 after a kernel panic, 124 when --timeout ends it, 2 for a mistake
in the command.
"""

EPILOG_BUILD: Final = """\
examples:
  ovum build prog.py -o app.elf
  ovum build prog.py -o app.elf -- --port 80      arguments for the program
  ovum build --strip --with flask -m web -o web.elf
  qemu-system-x86_64 -m 256 -nographic -kernel app.elf
"""


class UsageError(Exception):
    """The command line is wrong; the message says how."""


@dataclasses.dataclass(slots=True)
class Options:
    """What the user asked for."""

    target: str | None = None
    arguments: list[str] = dataclasses.field(default_factory=list)
    module: str | None = None
    code: str | None = None
    requirements: list[Path] = dataclasses.field(default_factory=list)
    packages: list[str] = dataclasses.field(default_factory=list)
    additions: list[Addition] = dataclasses.field(default_factory=list)
    environ: dict[str, str] = dataclasses.field(default_factory=dict)
    memory_mib: int = DEFAULT_MEMORY_MIB
    timeout_s: float | None = None
    accel: str = "auto"
    machine: str = DEFAULT_MACHINE
    cpu: str | None = None
    qemu: list[str] = dataclasses.field(default_factory=list)
    volumes: list[Volume] = dataclasses.field(default_factory=list)
    ports: list[Port] | None = None
    net: Network | None = None
    pcap: Path | None = None
    verbose: bool = False
    strip: bool = False
    includes: list[str] = dataclasses.field(default_factory=list)
    javascript: bool = False
    settings: list[str] = dataclasses.field(default_factory=list)
    output: Path | None = None


class Parser(argparse.ArgumentParser):
    """Raises instead of ending the process, so that one place reports mistakes."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError(f"{message} (see `{self.prog} --help`)")


def image_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that say what goes into an image."""
    add = parser.add_argument
    add("-m", dest="module", metavar="MODULE", help="run a module, as python3 does")
    add("-c", dest="code", metavar="CODE", help="run this code, as python3 does")
    add("--js", dest="javascript", action="store_true",
        help="JavaScript, whatever the program is called; without one, its prompt")  # fmt: skip
    add("-r", "--requirement", dest="requirements", metavar="FILE", action="append", type=Path,
        default=[], help="put the packages of a requirements file into the image")  # fmt: skip
    add("--with", dest="packages", metavar="NAME[==V]", action="append", default=[],
        help="put a package from PyPI into the image")  # fmt: skip
    add("--add", dest="additions", metavar="HOST:GUEST", action="append", type=Addition.parse,
        default=[], help="put a file or folder into the image")  # fmt: skip
    add("-e", "--env", dest="environ", metavar="KEY=VALUE", action="append", default=[],
        help="set an environment variable")  # fmt: skip
    add("--set", dest="settings", metavar="KEY=VALUE", action="append", default=[],
        help="a setting of what runs a program that is not Python, as in fuel=1000000")  # fmt: skip
    add("--strip", action="store_true", help="leave out what the program cannot reach")
    add("--include", dest="includes", metavar="MODULE", action="append", default=[],
        help="with --strip: keep this module although nothing seems to reach it")  # fmt: skip
    add("-v", "--verbose", action="store_true", help="show the kernel's log and what is done")


def run_parser() -> argparse.ArgumentParser:
    """The options of `ovum run`; the program and its arguments are split off before."""
    parser = Parser(
        prog="ovum run",
        usage="ovum run [OPTIONS] [TARGET | -m MODULE | -c CODE] [ARGUMENTS ...]",
        description="Boot a Python program: a script, a folder with __main__.py or an image.",
        epilog=EPILOG_RUN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    image_options(parser)
    add = parser.add_argument
    add("--memory", dest="memory_mib", metavar="SIZE", type=memory, default=DEFAULT_MEMORY_MIB,
        help="memory of the machine, 256M by default")  # fmt: skip
    add("--timeout", dest="timeout_s", metavar="SECONDS", type=_seconds,
        help="end the machine after this time, with status 124")  # fmt: skip
    add("--accel", choices=("auto", "kvm", "tcg"), default="auto",
        help="hardware virtualisation or emulation; auto takes what works")  # fmt: skip
    add("--machine", default=DEFAULT_MACHINE, help="QEMU's machine: microvm (default), pc, q35")
    add("--cpu", help="QEMU's CPU model")
    add("--volume", dest="volumes", metavar="FOLDER:/PATH[:ro]", action="append", type=_volume,
        default=[], help="have a folder of this machine in the other, live")  # fmt: skip
    add("-p", "--publish", dest="ports", metavar="HOST:GUEST[/udp]", action="append", type=_port,
        help="have a port of this host's 127.0.0.1 (or ADDRESS:HOST:GUEST) lead to the machine; "
        "PORT for both, 0:GUEST for any that is free")  # fmt: skip
    add(
        "--net",
        metavar="user|none|tap:NAME",
        type=network,
        help="what the network card is connected to, and how it is configured; see below",
    )
    add("--pcap", metavar="FILE", type=Path, help="record all frames, for tcpdump or Wireshark")
    add("--qemu", metavar="WORDS", action="append", type=_words, default=[],
        help="more words for QEMU's command line, split as a shell does")  # fmt: skip
    return parser


def build_parser() -> argparse.ArgumentParser:
    """The options of `ovum build`."""
    parser = Parser(
        prog="ovum build",
        usage="ovum build [OPTIONS] [TARGET | -m MODULE | -c CODE] -o FILE [-- ARGUMENTS ...]",
        description="Write a Python program as one bootable file.",
        epilog=EPILOG_BUILD,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    image_options(parser)
    parser.add_argument("target", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, required=True,
                        help="the image to write")  # fmt: skip
    return parser


def parse_run(words: Sequence[str]) -> Options:
    """Reads what comes after `ovum run`. Raises UsageError."""
    own, target, arguments = split_target(words)
    options = options_of(run_parser().parse_args(_joined(own)))
    options.target, options.arguments = target, arguments
    return options


def parse_build(words: Sequence[str]) -> Options:
    """Reads what comes after `ovum build`. Raises UsageError."""
    own, arguments = split_arguments(words)
    options = options_of(build_parser().parse_args(own))
    options.arguments = arguments
    return options


def split_arguments(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Ovum's own words, and those after `--`, which are the program's."""
    if "--" not in words:
        return list(words), []
    at = list(words).index("--")
    return list(words[:at]), list(words[at + 1 :])


def split_target(words: Sequence[str]) -> tuple[list[str], str | None, list[str]]:
    """Ovum's own words, the program, the program's words.

    With -m or -c there is no program; the option stays among ovum's words.
    """
    at = 0
    while at < len(words):
        word = words[at]
        if word == "--":
            rest = list(words[at + 1 :])
            return list(words[:at]), rest[0] if rest else None, rest[1:]
        if word == "-" or not word.startswith("-"):
            return list(words[:at]), word, list(words[at + 1 :])
        if word[:2] in ("-m", "-c") and word[:2] != "--":
            end = at + (2 if len(word) == 2 else 1)
            return list(words[:end]), None, list(words[end:])
        at += 2 if word in _LONG_WITH_VALUE or word in _SHORT_WITH_VALUE else 1
    return list(words), None, []


def _joined(words: Sequence[str]) -> list[str]:
    """The same with `--qemu -WORD` as one word: argparse would take the second for an option."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] == "--qemu":
            joined[-1] = f"--qemu={word}"
        else:
            joined.append(word)
    return joined


def options_of(parsed: argparse.Namespace) -> Options:
    """What was parsed, checked as a whole. Raises UsageError."""
    values = vars(parsed)
    values["environ"] = dict(map(_setting, values["environ"]))
    if "qemu" in values:
        values["qemu"] = [word for words in values["qemu"] for word in words]
    if values["includes"] and not values["strip"]:
        raise UsageError("--include goes with --strip: without it everything is in the image")
    given = [name for name in ("module", "code", "target") if values.get(name) is not None]
    if len(given) > 1:
        raise UsageError("one of TARGET, -m and -c, not two")
    return Options(**values)


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise UsageError(f"-e wants KEY=VALUE, not {text!r}")
    return key, value


def memory(text: str) -> int:
    """MiB of a size, for argparse."""
    try:
        return parse_memory(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _volume(text: str) -> Volume:
    try:
        return Volume.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _port(text: str) -> Port:
    try:
        return Port.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def network(text: str) -> Network:
    """A network, for argparse."""
    try:
        return Network.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _words(text: str) -> list[str]:
    # Few runs need it, and every import delays all of them.
    import shlex

    try:
        return shlex.split(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}: {text!r}") from error


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"not a number of seconds: {text!r}")
    return seconds
