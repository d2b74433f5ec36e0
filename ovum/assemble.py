"""Puts together what an image consists of, as far as it has not been made before.

What is large and changes seldom, kernel, base layer and packages, becomes an image in the cache.
The program's own files and its arguments come in a second archive that QEMU loads beside it, so
that an edited program costs neither time nor room for another copy of all the rest.
"""

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ovum.application import FOLDER, PYTHON, Program, ProgramError, contents
from ovum.image import compose, read_start, start_archive
from ovum.layers import Store, digest, signature
from ovum.progress import Progress
from ovum.runners import (
    JAVASCRIPT,
    PARTS,
    Part,
    ensure_part,
    ensure_prepared,
    imported_parts,
    named_parts,
    parts_of_files,
)
from ovum.tree import SourceFile

if TYPE_CHECKING:
    from ovum.options import Options
    from ovum.sysroot import Sysroot

IMAGES: Final = Store("images", ".elf", keep=12)

EMBED_FROM: Final = 8 << 20
"""An archive of this size and more goes into the cached image: loading it as a second file would
copy it at every start."""

ENVIRON: Final = {"HOME": "/root", "LANG": "C.UTF-8", "PATH": "/usr/bin"}


@dataclasses.dataclass(frozen=True, slots=True)
class Parts:
    """Everything that makes up one run or one image."""

    kernel: Path
    layers: tuple[Path, ...]
    """Archives, the first below the others."""
    argv: tuple[str, ...]
    environ: Mapping[str, str]

    def start(self) -> bytes:
        """The archive that tells the kernel what to start."""
        return start_archive(self.argv, self.environ, FOLDER)

    def image(self) -> tuple[Path, tuple[Path, ...]]:
        """An image with the large layers, from the cache, and the layers that are not in it."""
        sizes = [layer.stat().st_size for layer in self.layers]
        # The order must be kept: a large layer takes those below it along.
        large = max(index for index, size in enumerate(sizes) if index == 0 or size >= EMBED_FROM)
        embedded = self.layers[: large + 1]
        # A layer is named after its content; its time says when it was last of use.
        key = digest("image", signature(self.kernel), [str(layer) for layer in embedded])

        def make(out: Path, _: Path) -> None:
            compose(self.kernel, embedded, out)

        return IMAGES.ensure(key, make), self.layers[large + 1 :]


def assemble(options: "Options", program: Program, term: str, progress: Progress) -> Parts:
    """Makes what is missing of the parts of this program."""
    from ovum.sysroot import ensure_sysroot
    from ovum.toolchain import ensure_kernel, ensure_pyhost

    sysroot = ensure_sysroot(progress)
    kernel = ensure_kernel(progress)
    pyhost = ensure_pyhost(progress, sysroot)
    files = _files(options, program, sysroot, progress)
    parts, wanted = _parts(options, program, files)
    packages = _packages(options, wanted, sysroot, progress)
    layers = [] if packages is None else [packages]
    layers += [ensure_part(sysroot, part) for part in parts]
    kind, entry = program.kind, program.entry
    if kind is not None and kind.prepare is not None and entry is not None and packages is not None:
        layers.append(ensure_prepared(sysroot, entry, kind, options.settings, packages, progress))
    if files:
        from ovum.applayer import ensure_application

        layers.append(ensure_application(sysroot, files))
    base = _base(options, program, sysroot, pyhost, layers, progress)
    environ = {**ENVIRON, "TERM": term, **options.environ}
    return Parts(kernel, (base, *layers), (PYTHON, *program.arguments), environ)


def _parts(
    options: "Options", program: Program, files: Sequence[SourceFile]
) -> tuple[list[Part], list[str]]:
    """The parts of ovum that the program needs, and the packages, its own and theirs."""
    parts, packages = named_parts(options.packages)
    parts += parts_of_files(files)
    if program.code is not None:
        parts += imported_parts(program.code)
    if program.module is not None:
        parts += imported_parts(program.module)
    if program.kind is not None:
        packages += program.kind.requirements
        parts += [PARTS[program.kind.part]] if program.kind.part else []
    parts = list(dict.fromkeys(parts))
    # What the user names decides about a version; pip says so if that is none of ours.
    packages += [name for part in parts for name in part.requirements]
    return parts, list(dict.fromkeys(packages))


def _packages(
    options: "Options", names: Sequence[str], sysroot: "Sysroot", progress: Progress
) -> Path | None:
    if not options.requirements and not names:
        return None
    from ovum.wheels import ensure_packages

    return ensure_packages(sysroot, options.requirements, names, progress)


def _base(
    options: "Options",
    program: Program,
    sysroot: "Sysroot",
    pyhost: Path,
    layers: list[Path],
    progress: Progress,
) -> Path:
    if options.strip:
        from ovum.strip import ensure_stripped

        return ensure_stripped(sysroot, pyhost, program, layers, options, progress)
    from ovum.baselayer import ensure_base

    return ensure_base(sysroot, pyhost, progress)


def _files(
    options: "Options", program: Program, sysroot: "Sysroot", progress: Progress
) -> list[SourceFile]:
    """The program's files and those that the user added, by their path in the image."""
    taken = contents(program)
    below = FOLDER[1:] + "/"
    by_name = {below + file.name: file for file in taken.files}
    if taken.refusal is not None and program.folder is not None:
        if program.kind is None:
            from ovum.siblings import imported_files

            found = imported_files(sysroot, program)
        elif program.kind is JAVASCRIPT and program.entry is not None:
            from ovum.jsfiles import named_files

            found = named_files(program.entry)
        else:
            found = []
        by_name.update({below + file.name: file for file in found})
        if options.verbose:
            progress.note(f"{taken.refusal}: took only what the program imports")
    for addition in options.additions:
        by_name.update({file.name: file for file in addition.files()})
    return [dataclasses.replace(file, name=name) for name, file in sorted(by_name.items())]


def restart(image: Path, options: "Options", term: str) -> bytes:
    """The archive that starts a finished image with more arguments and this terminal."""
    if options.additions or options.requirements or options.packages or options.strip:
        raise ProgramError(
            f"{image.name} is a finished image: --add, --with, -r and --strip belong to the "
            "`ovum build` that makes it"
        )
    argv, environ, cwd = read_start(image)
    environ = {**environ, "TERM": term, **options.environ}
    return start_archive([*argv, *options.arguments], environ, cwd)


@contextmanager
def in_memory(*parts: Path | bytes) -> Iterator[tuple[int, str]]:
    """Archives one after another in a file that is nowhere on disk: descriptor and path."""
    fd = os.memfd_create("ovum-archives", 0)
    try:
        with os.fdopen(os.dup(fd), "wb") as file:
            for part in parts:
                file.write(part if isinstance(part, bytes) else part.read_bytes())
        yield fd, f"/dev/fd/{fd}"
    finally:
        os.close(fd)
