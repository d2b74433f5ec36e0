"""What every format carries: an image's kernel and archives, the kernel's words, an identity."""

import dataclasses
import hashlib
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

from ovum.atomic import replaced
from ovum.image import split_image
from ovum.network import Network

WORDS_MOST: Final = 2047
"""Characters of the kernel's command line that all who start it pass on; Firecracker's limit."""

_REFUSED: Final = frozenset("'\"\\")
_CHUNK: Final = 1 << 20
_DEFAULT: Final = Network()


class PackError(Exception):
    """The program cannot be packed like this; the message says why, or what is missing."""


@dataclasses.dataclass(frozen=True, slots=True)
class Piece:
    """A part of a file: what is copied without being held in memory."""

    path: Path
    offset: int
    size: int

    def copy(self, out: BinaryIO) -> None:
        """Appends the bytes to a file. Raises PackError if there are fewer."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            left = self.size
            while left:
                chunk = file.read(min(left, _CHUNK))
                if not chunk:
                    raise PackError(f"{self.path} has become shorter meanwhile")
                out.write(chunk)
                left -= len(chunk)


Content = bytes | Piece


def size_of(content: Content) -> int:
    """Bytes."""
    return content.size if isinstance(content, Piece) else len(content)


def copy_to(out: BinaryIO, content: Content) -> None:
    """Appends the bytes to a file."""
    if isinstance(content, Piece):
        content.copy(out)
    else:
        out.write(content)


@dataclasses.dataclass(frozen=True, slots=True)
class Payload:
    """One program, ready to be packed in any format."""

    image: Path
    """All of it as one file, as `ovum build` makes it."""
    kernel: bytes
    archives: Piece
    words: str
    """The kernel's command line."""
    identity: str
    """64 hexadecimal digits that are the same for the same kernel, archives and words alone."""
    memory_mib: int = 256
    network: Network = _DEFAULT

    @classmethod
    def of(
        cls, image: Path, words: Sequence[str], memory_mib: int = 256, network: Network = _DEFAULT
    ) -> "Payload":
        """Reads an image. Raises ImageError, PackError for words that cannot be passed on."""
        line = _line([*words, *network.kernel_words()])
        kernel, offset, size = split_image(image)
        sums = hashlib.sha256(f"{len(kernel)} {line}\n".encode() + kernel)
        with image.open("rb") as file:
            file.seek(offset)
            while chunk := file.read(_CHUNK):
                sums.update(chunk)
        pieces = Piece(image, offset, size)
        return cls(image, kernel, pieces, line, sums.hexdigest(), memory_mib, network)

    def guid(self, what: str) -> uuid.UUID:
        """A UUID for something of this payload's: always the same (RFC 9562, version 8)."""
        sums = hashlib.sha256(f"{self.identity} {what}".encode()).digest()
        number = int.from_bytes(sums[:16], "big")
        number = number & ~(0xF << 76) | 8 << 76
        return uuid.UUID(int=number & ~(3 << 62) | 2 << 62)


def _line(words: Sequence[str]) -> str:
    """The command line of these words. Raises PackError."""
    for word in words:
        if not word.isascii() or not word.isprintable() or _REFUSED & set(word):
            raise PackError(
                f"--append: {word!r} cannot be passed on by every boot loader: write it without "
                "quotes, backslashes and letters that are not ASCII, or use -e and arguments of "
                "the program"
            )
    line = " ".join(words)
    if len(line) > WORDS_MOST:
        raise PackError(f"--append: {len(line)} characters, of which {WORDS_MOST} are passed on")
    return line


def image_beside(payload: Payload, out: Path) -> Path:
    """Writes the image beside a file that describes a machine for it; returns its path, `.elf`.

    Raises PackError if both would be the same file, OSError.
    """
    image = out.with_suffix(".elf")
    if image == out:
        raise PackError(
            f"-o {out} is to be a description of a machine: the image beside it is .elf"
        )
    with replaced(image, 0o777) as file:
        Piece(payload.image, 0, payload.image.stat().st_size).copy(file)
    return image
