"""The client's side of 9P2000.L: tags and fids, requests in flight, errors as OSError.

What goes wrong with the channel or with what the server says is EIO for whoever asked. A request
that is cancelled is flushed, and its tag is used again only when the server is done with it.
"""

from __future__ import annotations

import errno
import os
from _collections import deque

from ovum.services.tasks import Cancelled, CancelScope, Lock, Parking
from ovum.services.vfs.ninep import protocol as p
from ovum.services.vfs.ninep.channel import Request
from ovum.services.vfs.node import refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovum.services.vfs.ninep.channel import Channel

    Qid = tuple[int, int, int]
    """Type, version and path: what a file is, and which."""

SMALLEST = 4096 + p.IO_HEADER
"""The least msize that is of any use: a path fits into a message."""

LISTED = 1 << 20
"""Entries that a directory may have: what lists more than that does not end."""

_READ_AT_ONCE = 65536
"""Bytes of a listing that are asked for at a time."""


class Fid:
    """A number by which the server knows a file; given back when nobody has this object any more.

    Requests hold the fids that they name until they are answered.
    """

    __slots__ = ("_client", "number")

    def __init__(self, client: Client, number: int) -> None:
        self._client = client
        self.number = number

    def __repr__(self) -> str:
        return f"fid {self.number}"

    def __del__(self) -> None:
        # Any thread may be the one that collects it: no more than this is done here.
        if self.number != p.NO_FID:
            self._client.dropped.append(self.number)

    def gone(self) -> Fid:
        """In place of this one, which is given back at once, one that names nothing."""
        return Fid(self._client, p.NO_FID)

    def unused(self) -> None:
        """The server does not know it: the number is free without being clunked."""
        self._client.fids.append(self.number)
        self.number = p.NO_FID


class _Background(Request):
    """A Tclunk for whose answer nobody waits."""

    __slots__ = ("_client", "_fid")

    def __init__(self, client: Client, tag: int, fid: int) -> None:
        super().__init__(tag)
        self._client = client
        self._fid = fid
        self.message = p.pack(p.TCLUNK.number, tag, p.TCLUNK.request.pack((fid,)))

    def finish(self, answer: bytes, size: int) -> None:
        super().finish(answer, size)
        # Whatever the answer is, the fid is free (clunk(5)).
        self._client.fids.append(self._fid)
        self._client.give_back(self.tag)

    def fail(self, error: OSError | None = None) -> None:
        super().fail(error)
        self._client.give_back(self.tag)


class Client:
    """A session with the server at the other end of a channel. See `session_of`."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.msize = channel.largest
        self.dropped: deque[int] = deque()
        """Fids that are to be clunked."""
        self.fids: list[int] = []
        """Numbers of fids that are free again."""
        self._last_fid = 0
        self._tags = list(range(channel.depth - 1, -1, -1))
        self._waiting = Parking("send a request over", channel)
        self._starting = Lock("9P session")
        self._started = False

    # Tags

    async def _take_tag(self) -> int:
        if self._tags:
            return self._tags.pop()
        tag: int = await self._waiting.park()
        return tag

    def give_back(self, tag: int) -> None:
        """A request is through: its tag goes to the first who waits, or to a clunk."""
        waiter = self._waiting.pop()
        if waiter is not None:
            waiter.wake(tag)
            return
        self._tags.append(tag)
        if self.dropped:
            self.clunk_dropped()

    @property
    def in_flight(self) -> int:
        """How many tags are in use."""
        return self.channel.depth - len(self._tags)

    def clunk_dropped(self) -> None:
        """Tells the server of fids that nobody has any more, as far as there are tags."""
        dropped = self.dropped
        while dropped and self._tags:
            tag = self._tags.pop()
            try:
                self.channel.submit(_Background(self, tag, dropped.popleft()))
            except OSError:
                self._tags.append(tag)  # the channel is gone, and all fids with it
                dropped.clear()

    # Requests

    async def call(
        self,
        operation: p.Operation,
        *values: Any,
        data: memoryview | None = None,
    ) -> tuple[Any, ...]:
        """Sends a request and returns what the answer has. Raises OSError.

        data: what a Twrite sends, or where an Rread or Rreaddir goes; the count, which is the last
        value, is then made as small as the channel needs. Cancelled, the request is flushed; if it
        was through nevertheless, its answer is returned.
        """
        tag = await self._take_tag()
        try:
            request = Request(tag)
            extra = 0
            if data is not None:
                writes = operation.data == "T"
                count = self.channel.fit(request, data, writes)
                values = (*values[:-1], count)
                extra = count if writes else 0
            number = p.NO_TAG if operation is p.TVERSION else tag
            # `values` keeps the fids from being clunked meanwhile.
            numbers = tuple([one.number if type(one) is Fid else one for one in values])
            body = operation.request.pack(numbers)
            request.message = p.pack(operation.number, number, body, extra)
            if len(request.message) + extra > self.msize:
                raise refuse(errno.ENAMETOOLONG)
            self.channel.submit(request)
            try:
                await request.wait()
            except Cancelled:
                with CancelScope(shield=True):
                    await self._flush(request)
                if not request.size:
                    raise
            if request.error is not None:
                raise request.error
            found, size = p.unpack_answer(operation, number, request.answer, request.size)
            if size:
                assert data is not None
                if size > count:
                    raise p.ProtocolError(f"{operation!r} of {count} was answered with {size}")
                if request.bounce is not None:
                    data[:size] = request.bounce[:size]
            return found
        finally:
            self.give_back(tag)

    async def _flush(self, request: Request) -> None:
        """Has the server forget a request (flush(5)), and waits until it has."""
        flush = Request(self.channel.depth + request.tag)
        body = p.TFLUSH.request.pack((request.tag,))
        flush.message = p.pack(p.TFLUSH.number, flush.tag, body)
        try:
            self.channel.submit(flush)
        except OSError:
            return  # then the request has failed as well
        await flush.wait()
        await request.wait()

    # The session

    async def start(self) -> None:
        """Agrees on version and size of messages, if that has not been done (version(5)).

        Raises OSError: EPROTONOSUPPORT for a server that speaks something else.
        """
        async with self._starting:
            if self._started:
                return
            msize, version = await self.call(p.TVERSION, self.channel.largest, p.VERSION)
            if version != p.VERSION:
                raise refuse(errno.EPROTONOSUPPORT)
            if not SMALLEST <= msize <= self.channel.largest:
                raise p.ProtocolError(f"messages of {msize} bytes were agreed on")
            self.msize = msize
            self._started = True

    # Files

    async def _new_fid(self, operation: p.Operation, fid: Fid, *values: Any) -> tuple[Any, ...]:
        """A call that makes the server know `fid`."""
        try:
            return await self.call(operation, *values)
        except p.ProtocolError:
            raise  # nobody knows whether it does: it will be clunked
        except OSError:
            fid.unused()
            raise

    def _next_fid(self) -> Fid:
        if self.fids:
            return Fid(self, self.fids.pop())
        self._last_fid += 1
        return Fid(self, self._last_fid)

    async def attach(self, folder: str, uid: int) -> tuple[Fid, Qid]:
        """The root of a tree of the server's, for a user: its fid and its qid."""
        fid = self._next_fid()
        values = (fid, p.NO_FID, b"", os.fsencode(folder), uid)
        return fid, await self._new_fid(p.TATTACH, fid, *values)

    async def walk(self, directory: Fid, name: str) -> tuple[Fid, Qid]:
        """A new fid for a name in a directory, and its qid. Raises FileNotFoundError."""
        fid = self._next_fid()
        (qids,) = await self._new_fid(p.TWALK, fid, directory, fid, (os.fsencode(name),))
        if not qids:
            raise refuse(errno.ENOENT)
        if len(qids) > 1:
            raise p.ProtocolError(f"one name led to {len(qids)} files")
        return fid, qids[0]

    async def clone(self, original: Fid) -> Fid:
        """Another fid for the same file, which can be opened."""
        fid = self._next_fid()
        (qids,) = await self._new_fid(p.TWALK, fid, original, fid, ())
        if qids:
            raise p.ProtocolError(f"no name led to {len(qids)} files")
        return fid

    async def open(self, fid: Fid, flags: int) -> tuple[Qid, int]:
        """Opens a fid: its qid, and how many bytes to move at a time."""
        *qid, unit = await self.call(p.TLOPEN, fid, flags)
        return (qid[0], qid[1], qid[2]), self._unit(unit)

    async def create(self, directory: Fid, name: str, flags: int, mode: int) -> tuple[Qid, int]:
        """Makes a file, for which the directory's fid stands from now on, open."""
        *qid, unit = await self.call(p.TLCREATE, directory, os.fsencode(name), flags, mode, 0)
        return (qid[0], qid[1], qid[2]), self._unit(unit)

    async def close(self, fid: Fid) -> None:
        """Clunks a fid, and waits for the answer."""
        number = fid.number
        fid.number = p.NO_FID
        try:
            await self.call(p.TCLUNK, number)
        finally:
            self.fids.append(number)

    def _unit(self, unit: int) -> int:
        most = self.msize - p.IO_HEADER
        return min(unit, most) if unit else most

    async def read(self, fid: Fid, offset: int, view: memoryview, unit: int) -> int:
        """Reads from an open file until the view is full or the file ends: how much it was."""
        done = 0
        while done < len(view):
            with view[done : done + unit] as piece:
                (count,) = await self.call(p.TREAD, fid, offset + done, len(piece), data=piece)
            if not count:
                break
            done += count
        return done

    async def write(self, fid: Fid, offset: int, view: memoryview, unit: int) -> int:
        """Writes to an open file: how much, which is less only if something went wrong then."""
        done = 0
        while done < len(view):
            with view[done : done + unit] as piece:
                try:
                    (count,) = await self.call(p.TWRITE, fid, offset + done, len(piece), data=piece)
                except OSError:
                    if not done:
                        raise
                    break
                if not 0 < count <= len(piece):
                    raise p.ProtocolError(f"{count} bytes were written of {len(piece)}")
            done += count
        return done

    async def list(self, fid: Fid) -> list[tuple[str, int, int]]:
        """Everything in an open directory but "." and "..": name, kind (0: not known), inode.

        Raises OSError(EOVERFLOW) for a directory with more than `LISTED` entries.
        """
        found: list[tuple[str, int, int]] = []
        size = min(_READ_AT_ONCE, self.msize - p.IO_HEADER)
        buffer = memoryview(bytearray(size))
        offset = 0
        seen = 0
        while True:
            (count,) = await self.call(p.TREADDIR, fid, offset, size, data=buffer)
            if not count:
                return found
            for path, following, kind, raw in p.unpack_entries(bytes(buffer[:count])):
                offset = following
                seen += 1
                if raw not in (b".", b".."):
                    found.append((os.fsdecode(raw), kind << 12, path))
            if seen > LISTED:
                raise refuse(errno.EOVERFLOW)


async def session_of(channel: Channel) -> Client:
    """The session over a channel, which is begun if there was none."""
    if channel.session is None:
        channel.session = Client(channel)
    client: Client = channel.session
    await client.start()
    return client
