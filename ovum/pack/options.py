"""The words of `ovum pack`: those of `ovum build`, and what is to be made of the image."""

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ovum.options import (
    DEFAULT_MEMORY_MIB,
    Options,
    Parser,
    UsageError,
    image_options,
    memory,
    network,
    options_of,
    split_arguments,
)
from ovum.pack.formats import FORMATS, known_formats

EPILOG: Final = """\
formats:
  iso            a CD, which written raw to a USB stick or disk boots as well; BIOS and UEFI
  raw            a disk, or a USB stick; BIOS and UEFI
  qcow2          the same disk for QEMU and what is made of it
  firecracker    a configuration (.json), and beside it the image (.elf)
  containerdisk  the disk as a container image for KubeVirt (an OCI archive)
  libvirt        a domain (.xml), and beside it the image (.elf)
Without --format, the end of -o's name says it. Several make several files: OUT.iso, OUT.img, …

examples:
  ovum pack prog.py -o app.iso
  ovum pack app.elf --format iso,qcow2,containerdisk -o app
  ovum pack --with flask -m web -o web.img --append 'ovum.hostname=egg ovum.log=3'
  ovum pack prog.py -o app.json --memory 128M \\
      --net tap:tap0,192.0.2.5/24,gateway=192.0.2.1
  ovum pack prog.py -o app.qcow2 -- --port 80     arguments for the program

--net says how the machine is to configure its network (see `ovum run --help`); its first word,
user, none or tap:NAME, is for firecracker (tap:NAME alone) and libvirt (user is libvirt's network
named default).
"""


@dataclasses.dataclass(slots=True)
class PackOptions:
    """What the user asked for."""

    image: Options
    """What goes in, as for `ovum build`."""
    formats: list[str]
    """At least one, unless the output's name is to say it."""
    words: list[str]
    """The kernel's command line."""
    output: Path


def pack_parser() -> argparse.ArgumentParser:
    """The options of `ovum pack`."""
    parser = Parser(
        prog="ovum pack",
        usage="ovum pack [OPTIONS] [TARGET | -m MODULE | -c CODE] -o OUT [-- ARGUMENTS ...]",
        description="Make a program, or an image of `ovum build`, bootable from a disc, a USB "
        "stick or a disk, or ready for a hypervisor or a cluster.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    image_options(parser)
    add = parser.add_argument
    add("target", nargs="?", help=argparse.SUPPRESS)
    add("-o", "--output", metavar="OUT", type=Path, required=True,
        help="the file to write; of several formats, the beginning of their names")  # fmt: skip
    add("--format", dest="formats", metavar="FORMAT[,FORMAT]", action="append", type=_formats,
        default=[], help="what to make; see below")  # fmt: skip
    add("--append", metavar="WORDS", action="append", type=str.split, default=[],
        help="words for the kernel's command line, see docs/boot-protocol.md")  # fmt: skip
    add("--memory", dest="memory_mib", metavar="SIZE", type=memory, default=DEFAULT_MEMORY_MIB,
        help="memory of the machine, 256M by default")  # fmt: skip
    add("--net", metavar="user|none|tap:NAME", type=network,
        help="how the machine configures its network; see below")  # fmt: skip
    return parser


def parse_pack(words: Sequence[str]) -> PackOptions:
    """Reads what comes after `ovum pack`. Raises UsageError."""
    own, arguments = split_arguments(words)
    parsed = pack_parser().parse_args(own)
    values = vars(parsed)
    formats = [name for names in values.pop("formats") for name in names]
    append = [word for words in values.pop("append") for word in words]
    image = options_of(parsed)
    image.arguments = arguments
    assert image.output is not None
    return PackOptions(image, list(dict.fromkeys(formats)), append, image.output)


def _formats(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in FORMATS:
            raise UsageError(f"--format {name}: there are {known_formats()}")
    return names
