"""`ovum pack`, from the command line to the summary."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ovum.application import find_program
from ovum.assemble import assemble, restart
from ovum.image import compose, is_image, split_image
from ovum.network import Network
from ovum.options import Options
from ovum.pack.formats import files, format_of, pack, summary
from ovum.pack.options import parse_pack
from ovum.pack.payload import PackError, Payload
from ovum.progress import Progress
from ovum.project import ProjectError, project_file, read_project

TERM = "xterm-256color"
"""What the machine is started on is not known; this is what most terminals understand."""


def main(words: Sequence[str]) -> int:
    """Runs the command. Raises what the command line reports."""
    options = parse_pack(words)
    formats = options.formats or [format_of(options.output)]
    wanted = files(formats, options.output)
    folder = options.output.parent
    if not folder.is_dir():
        raise PackError(f"-o {options.output}: there is no folder {folder}")
    network = _network(options.image)
    progress = Progress()
    with tempfile.TemporaryDirectory(dir=folder, prefix=".ovum-pack-") as name:
        work = Path(name)
        image = _image(options.image, work, progress)
        memory = options.image.memory_mib
        payload = Payload.of(image, options.words, memory, network)
        pack(payload, wanted, work, progress)
    for line in summary(wanted, memory):
        progress.note(line)
    return 0


def _image(options: Options, work: Path, progress: Progress) -> Path:
    """The image as one file: the user's own, or a new one."""
    target = None if options.target is None else Path(options.target)
    out = work / "image.elf"
    if target is None or not is_image(target):
        program = find_program(
            options.target,
            options.arguments,
            module=options.module,
            code=options.code,
            settings=options.settings,
        )
        parts = assemble(options, program, TERM, progress)
        compose(parts.kernel, [*parts.layers, parts.start()], out)
        return out
    start = restart(target, options, TERM)
    if not options.arguments and not options.environ:
        return target
    kernel, offset, size = split_image(target)
    (work / "kernel.elf").write_bytes(kernel)
    with target.open("rb") as source, (work / "archives").open("wb") as file:
        source.seek(offset)
        shutil.copyfileobj(source, file, 1 << 20)
        file.truncate(size)
    compose(work / "kernel.elf", [work / "archives", start], out)
    return out


def _network(options: Options) -> Network:
    """What the command line says, or the program's own table."""
    if options.net is not None:
        return options.net
    file = project_file(options.target)
    try:
        return Network.parse(read_project(file).net or "user")
    except ValueError as error:
        raise ProjectError(f"{file}: [tool.ovum]: {error}") from error
