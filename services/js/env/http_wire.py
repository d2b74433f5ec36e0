"""HTTP/1.1 on the wire (RFC 9112): heads, and the three ways in which a body ends."""

from __future__ import annotations

from ovum.services.js.env.sockets import TooLong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ovum.services.js.env.sockets import Stream

MAX_HEAD = 16384
"""Bytes of a head, as node has it (http.maxHeaderSize)."""

CHUNK = 65536

_NAME = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


class Malformed(Exception):
    """A message that is not HTTP's; `status` is what a server answers."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


class Head:
    """The first line of a message and its fields, in their order and spelling."""

    __slots__ = ("fields", "first")

    def __init__(self, first: str, fields: list[tuple[str, str]]) -> None:
        self.first = first
        self.fields = fields

    def get(self, name: str) -> str | None:
        """The values of a field (its name in lower case), joined by commas; None without it."""
        found = [value for key, value in self.fields if key.lower() == name]
        return ", ".join(found) if found else None

    def has_token(self, name: str, token: str) -> bool:
        """Whether a field's list has this word."""
        value = self.get(name)
        return value is not None and token in (part.strip().lower() for part in value.split(","))

    def flat(self) -> str:
        """The fields as one text: names and values by turns, a line each."""
        return "\n".join(text for field in self.fields for text in field)


async def read_head(stream: Stream) -> Head | None:
    """The next head, None if the connection ends before. Raises Malformed, OSError."""
    try:
        data = await stream.read_until(b"\r\n\r\n", MAX_HEAD)
    except TooLong:
        raise Malformed("the head is too long", 431) from None
    if data is None:
        return None
    # A server is to skip empty lines before a request line (RFC 9112, 2.2).
    lines = data[:-4].lstrip(b"\r\n").split(b"\r\n")
    return Head(lines[0].decode("latin-1"), list(_fields(lines[1:])))


def _fields(lines: Iterable[bytes]) -> Iterable[tuple[str, str]]:
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not name or not _NAME.issuperset(name):
            raise Malformed("a field's name is not one")
        value = value.strip(b" \t")
        if b"\n" in value or b"\r" in value or b"\0" in value:
            raise Malformed("a field's value has a control character")
        yield name.decode("ascii"), value.decode("latin-1")


class Body:
    """The body of a message that is being received."""

    def __init__(self, stream: Stream, length: int | None, *, chunked: bool = False) -> None:
        """`length`: bytes; None if the connection's end is the body's, or with `chunked`."""
        self._stream = stream
        self._left = length
        self._chunked = chunked
        self._begun = False
        self.done = length == 0 and not chunked

    async def read(self) -> bytes | None:
        """More of it, None at its end. Raises Malformed, ConnectionResetError, OSError."""
        if self.done:
            return None
        if self._chunked and not self._left and not await self._next_chunk():
            self.done = True
            return None
        data = await self._stream.read(CHUNK if self._left is None else min(CHUNK, self._left))
        if self._left is not None:
            if not data:
                raise ConnectionResetError(104, "aborted")
            self._left -= len(data)
            self.done = self._left == 0 and not self._chunked
        elif not data:
            self.done = True
            return None
        return data

    async def _next_chunk(self) -> bool:
        """Reads the size of the next chunk (RFC 9112, 7.1); False for the last."""
        if self._begun and await self._line() != b"":
            raise Malformed("a chunk does not end where it says")
        self._begun = True
        digits = (await self._line()).partition(b";")[0].strip()
        try:
            if not digits or not frozenset(b"0123456789abcdefABCDEF").issuperset(digits):
                raise ValueError
            self._left = int(digits, 16)
        except ValueError:
            raise Malformed("a chunk's size is no number") from None
        if self._left:
            return True
        while await self._line():
            # Trailer fields, which nobody asks for.
            continue
        return False

    async def _line(self) -> bytes:
        try:
            line = await self._stream.read_until(b"\r\n", MAX_HEAD)
        except TooLong:
            raise Malformed("a line is too long") from None
        if line is None:
            raise ConnectionResetError(104, "aborted")
        return line[:-2]


def body_of_request(head: Head, stream: Stream) -> Body:
    """The body that a request has (RFC 9112, 6.3). Raises Malformed."""
    encoding, length = head.get("transfer-encoding"), head.get("content-length")
    if encoding is not None:
        if length is not None or not encoding.lower().endswith("chunked"):
            raise Malformed("a body's length is not clear")
        return Body(stream, None, chunked=True)
    return Body(stream, _length(length) or 0)


def body_of_response(head: Head, stream: Stream, status: int, method: str) -> Body:
    """The body that a response has. Raises Malformed."""
    if method == "HEAD" or status in (204, 304) or status < 200:
        return Body(stream, 0)
    encoding = head.get("transfer-encoding")
    if encoding is not None and encoding.lower().endswith("chunked"):
        return Body(stream, None, chunked=True)
    return Body(stream, None if encoding is not None else _length(head.get("content-length")))


def _length(text: str | None) -> int | None:
    if text is None:
        return None
    values = {part.strip() for part in text.split(",")}
    digits = values.pop()
    if values or not (digits.isascii() and digits.isdigit()):
        raise Malformed("Content-Length is no number")
    return int(digits)
