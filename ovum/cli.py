"""The command `ovum`: reads the command line and calls what does the work.

What a run does not need is imported only where it is needed: the time until QEMU starts is the
user's.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ovum import __version__

if TYPE_CHECKING:
    from ovum.application import Program
    from ovum.network import Network
    from ovum.options import Options

STATUS_USAGE: Final = 2

HELP: Final = """\
usage: ovum COMMAND ...

ovum boots Python programs in a machine of their own, without an operating system below.

commands:
  run         boot a program, or the Python prompt
  build       write a program as one bootable file
  pack        make a CD, a disk or what a hypervisor or cluster starts of it
  new         make a small project to begin with
  doctor      check this host, and say what to do
  completion  have bash, zsh or fish complete all this

`ovum COMMAND --help` tells more. `ovum --version` prints the version.

examples:
  ovum run
  ovum run prog.py a "b c"
  ovum build prog.py -o app.elf
  ovum pack prog.py -o app.iso
"""


def main(words: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit status; mistakes of the user become messages."""
    words = sys.argv[1:] if words is None else words
    if not words or words[0] in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0 if words else STATUS_USAGE
    if words[0] in ("-V", "--version"):
        print(f"ovum {__version__}")
        return 0
    command = _COMMANDS.get(words[0])
    if command is None:
        return _complain(f"there is no command {words[0]!r} (see `ovum --help`)")
    try:
        return command(words[1:])
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if not isinstance(error, _expected()):
            raise
        return _complain(str(error))


def _expected() -> tuple[type[Exception], ...]:
    """The errors that tell a user something; anything else is a defect and shows a traceback.

    Imported when there is one: half of these modules take part in few runs.
    """
    from ovum.application import ProgramError
    from ovum.bytecode import BytecodeError
    from ovum.cpio import CpioError
    from ovum.image import ImageError
    from ovum.network import NetworkError
    from ovum.options import UsageError
    from ovum.pack.payload import PackError
    from ovum.project import ProjectError
    from ovum.qemu import QemuError
    from ovum.reach import ReachError
    from ovum.runner import RunError
    from ovum.runners import RunnerError
    from ovum.strip import StripError
    from ovum.sysroot import SysrootError
    from ovum.toolchain import BuildError
    from ovum.wheels import WheelError

    return (
        *(BuildError, BytecodeError, CpioError, ImageError, NetworkError, PackError),
        *(
            ProgramError,
            ProjectError,
            QemuError,
            ReachError,
            RunError,
            RunnerError,
            StripError,
            SysrootError,
            UsageError,
        ),
        *(WheelError, OSError),
    )


def _complain(message: str) -> int:
    print(f"ovum: {message}", file=sys.stderr)
    return STATUS_USAGE


def _run(words: Sequence[str]) -> int:
    from ovum.options import parse_run
    from ovum.qemu import QemuConfig, choose_accel, find_qemu, host_tsc_khz
    from ovum.runner import run_machine
    from ovum.streams import Streams, input_file, kernel_words
    from ovum.terminal import guest_term

    options = parse_run(words)
    qemu = find_qemu()
    accel = choose_accel(options.accel)
    network = _network(options)
    streams = Streams.of_host()
    stdin = input_file(options.memory_mib)
    with _prepared(options, guest_term(os.environ), stdin) as (image, initrd_fd, initrd):
        config = QemuConfig(
            image=str(image),
            link_fd=-1,
            append=" ".join(
                kernel_words(
                    streams,
                    verbose=options.verbose,
                    # Hardware virtualisation tells the guest by itself.
                    tsc_khz=host_tsc_khz() if accel == "tcg" else None,
                )
            ),
            initrd=initrd,
            memory_mib=options.memory_mib,
            machine=options.machine,
            accel=accel,
            cpu=options.cpu,
            program=qemu,
            volumes=tuple(options.volumes),
            network=network,
            more=tuple(options.qemu),
        )
        return run_machine(
            config,
            streams,
            pass_fds=(initrd_fd,),
            timeout_s=options.timeout_s,
            verbose=options.verbose,
        )


def _network(options: "Options") -> "Network":
    """What the command line and the program's own table say, as far as this host has it."""
    from ovum.network import Network, Port, free_ports
    from ovum.project import ProjectError, project_file, read_project

    net, ports = options.net, options.ports
    if net is None or ports is None:
        file = project_file(options.target)
        project = read_project(file)
        try:
            net = net or Network.parse(project.net or "user")
            if ports is None:
                wanted = project.publish if net.kind == "user" else ()
                ports = [Port.parse(text) for text in wanted]
        except ValueError as error:
            raise ProjectError(f"{file}: [tool.ovum]: {error}") from error
    network = net.with_ports(tuple(ports), options.pcap)
    network.check()
    chosen = free_ports(network.ports)
    for before, port in zip(network.ports, chosen, strict=True):
        if not before.host:
            where = f"{port.address}:{port.host}/{port.protocol}"
            print(f"ovum: {where} is port {port.guest} of the machine", file=sys.stderr)
    return network.with_ports(chosen, network.pcap)


def _program(options: "Options") -> "Program":
    from ovum.application import find_program

    return find_program(
        options.target,
        options.arguments,
        module=options.module,
        code=options.code,
        settings=options.settings,
        javascript=options.javascript,
    )


@contextmanager
def _prepared(
    options: "Options", term: str, stdin: bytes | None
) -> "Iterator[tuple[Path, int, str]]":
    """The image to boot, and descriptor and path of the archives to load beside it."""
    from ovum.assemble import assemble, in_memory, restart
    from ovum.image import input_archive, is_image
    from ovum.progress import Progress

    more = [] if stdin is None else [input_archive(stdin)]
    if options.target is not None and is_image(Path(options.target)):
        image = Path(options.target)
        with in_memory(restart(image, options, term), *more) as (fd, path):
            yield image, fd, path
        return
    program = _program(options)
    parts = assemble(options, program, term, Progress())
    image, rest = parts.image()
    with in_memory(*rest, parts.start(), *more) as (fd, path):
        yield image, fd, path


def _build(words: Sequence[str]) -> int:
    from ovum.assemble import assemble
    from ovum.image import compose
    from ovum.options import parse_build
    from ovum.progress import Progress

    options = parse_build(words)
    assert options.output is not None
    progress = Progress()
    program = _program(options)
    # What the file is started on is not known; this is what most terminals understand.
    parts = assemble(options, program, "xterm-256color", progress)
    size = compose(parts.kernel, [*parts.layers, parts.start()], options.output)
    progress.note(f"{options.output}: {size / (1 << 20):.1f} MiB")
    return 0


def _pack(words: Sequence[str]) -> int:
    from ovum.pack.command import main as pack

    return pack(words)


def _new(words: Sequence[str]) -> int:
    from ovum.new import main as new

    return new(words)


def _completion(words: Sequence[str]) -> int:
    from ovum.completion import main as completion

    return completion(words)


def _doctor(words: Sequence[str]) -> int:
    from ovum.doctor import main as doctor

    return doctor(words)


_COMMANDS: Final[dict[str, Callable[[Sequence[str]], int]]] = {
    "run": _run,
    "build": _build,
    "pack": _pack,
    "new": _new,
    "doctor": _doctor,
    "completion": _completion,
}
