"""System calls that tasks answer: waiting, interruption, buffers, the interpreter's lock."""

import contextlib
import ctypes
import errno
import mmap
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

from ovum.services import vfs
from ovum.services.log import dmesg
from ovum.services.tasks import Event

from .registry import PAGE, check, libc, refused

with contextlib.suppress(ModuleNotFoundError):  # on the host, which only reads the names
    from ovum.services.main import call, services

WHERE = "/mnt/tested"


class Gate(vfs.Node):
    """A file whose reads wait until they are let through."""

    def __init__(self) -> None:
        self.open_gate = Event("the gate")
        self.reading = threading.Semaphore(0)
        """Released when a read has begun."""
        self.kept: list[memoryview] = []
        self.ended: list[str] = []
        self.info = vfs.Attributes(self.kind | 0o644, 1001, 1 << 30)

    async def attributes(self) -> vfs.Attributes:
        return self.info

    async def read_into(self, offset: int, view: memoryview) -> int:
        self.kept += [view, view[1:3], view.cast("b")]
        self.reading.release()
        try:
            await self.open_gate.wait()
        except BaseException as error:
            self.ended.append(type(error).__name__)
            raise
        view[:4] = b"done"
        return 4

    def let_through(self) -> None:
        """From any thread."""

        async def opened() -> None:
            self.open_gate.set()

        call(opened)


class Broken(vfs.Node):
    """A file whose class has a mistake."""

    info = vfs.Attributes(0, 1002)

    async def attributes(self) -> vfs.Attributes:
        raise ZeroDivisionError("a mistake in a file system")


class OfItself(vfs.Node):
    """A file that needs its own file system."""

    info = vfs.Attributes(0, 1003)

    async def attributes(self) -> vfs.Attributes:
        os.stat(f"{WHERE}/gate")
        raise AssertionError("that cannot have worked")


class Tested(vfs.FileSystem):
    """The nodes above, and an ordinary file."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.memory = vfs.MemoryFileSystem()

    async def root(self) -> vfs.Node:
        top = self.memory.top
        names: dict[str, Any] = top.names  # beside its own nodes
        names.update({"gate": self.gate, "broken": Broken(), "itself": OfItself()})
        return top


@contextlib.contextmanager
def mounted() -> Iterator[Tested]:
    """The file system above, for the length of a check."""
    tested = Tested()
    os.makedirs(WHERE, exist_ok=True)
    vfs.mount(WHERE, tested)
    try:
        yield tested
    finally:
        vfs.umount(WHERE)


@contextlib.contextmanager
def opened(name: str) -> Iterator[int]:
    """A descriptor of one of its files."""
    fd = os.open(f"{WHERE}/{name}", os.O_RDONLY)
    try:
        yield fd
    finally:
        os.close(fd)


@check
def a_slow_request_delays_no_other() -> None:
    with mounted() as tested, opened("gate") as fd:
        results: list[bytes] = []
        reader = threading.Thread(target=lambda: results.append(os.pread(fd, 10, 0)))
        reader.start()
        tested.gate.reading.acquire()
        for _ in range(100):
            assert os.stat(WHERE).st_mode & 0o777 == 0o755
        assert reader.is_alive() and not results
        tested.gate.let_through()
        reader.join()
        assert results == [b"done"]


@check
def a_signal_interrupts_a_request_and_cancels_its_task() -> None:
    class InterruptedBySignalError(Exception):
        pass

    def handler(number: int, frame: object) -> None:
        raise InterruptedBySignalError

    before = signal.signal(signal.SIGALRM, handler)
    try:
        with mounted() as tested, opened("gate") as fd:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with contextlib.suppress(InterruptedBySignalError):
                os.pread(fd, 10, 0)
                raise AssertionError("not interrupted")
            assert tested.gate.ended == ["Cancelled"]
    finally:
        signal.signal(signal.SIGALRM, before)


@check
def a_handler_that_returns_has_the_request_made_again() -> None:
    calls = []
    before = signal.signal(signal.SIGALRM, lambda *_: calls.append(1))
    try:
        with mounted() as tested, opened("gate") as fd:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            results: list[bytes] = []

            def open_it() -> None:
                tested.gate.reading.acquire()
                tested.gate.reading.acquire()
                tested.gate.let_through()

            opener = threading.Thread(target=open_it)
            opener.start()
            results.append(os.pread(fd, 10, 0))
            opener.join()
            assert results == [b"done"]
            assert calls == [1]
            assert tested.gate.ended == ["Cancelled"]
    finally:
        signal.signal(signal.SIGALRM, before)


@check
def a_buffer_dies_with_its_request() -> None:
    with mounted() as tested, opened("gate") as fd:
        tested.gate.let_through()
        assert os.pread(fd, 10, 0) == b"done"
        assert len(tested.gate.kept) == 3
        for view in tested.gate.kept:
            with contextlib.suppress(ValueError):
                view[0]
                raise AssertionError("the caller's memory can still be read")
            with contextlib.suppress(ValueError):
                view[0] = 1
                raise AssertionError("the caller's memory can still be written")


@check
def memory_stays_while_a_request_has_it() -> None:
    with mounted() as tested, opened("gate") as fd:
        memory = mmap.mmap(-1, 16 * PAGE)
        address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        results: list[int] = []
        pread = libc().pread
        reader = threading.Thread(
            target=lambda: results.append(pread(fd, ctypes.c_void_p(address), 2 * PAGE, 0))
        )
        reader.start()
        tested.gate.reading.acquire()
        gone = threading.Event()

        def unmap() -> None:
            assert libc().munmap(ctypes.c_void_p(address), 4 * PAGE) == 0
            gone.set()

        unmapper = threading.Thread(target=unmap)
        unmapper.start()
        assert not gone.wait(0.05)
        # What is not in use can go meanwhile.
        assert libc().munmap(ctypes.c_void_p(address + 8 * PAGE), PAGE) == 0
        tested.gate.let_through()
        reader.join()
        unmapper.join()
        assert results == [4] and gone.is_set()


@check
def a_bad_pointer_is_the_callers_error() -> None:
    with mounted(), opened("gate") as fd:
        for address in (8, PAGE, 0x7FFFFFFFE000, 0xFFFF800000000000):
            ctypes.set_errno(0)
            assert libc().pread(fd, ctypes.c_void_p(address), 10, 0) == -1
            assert ctypes.get_errno() == errno.EFAULT, hex(address)
        read_only = mmap.mmap(-1, PAGE)
        address = ctypes.addressof(ctypes.c_char.from_buffer(read_only))
        assert libc().mprotect(ctypes.c_void_p(address), PAGE, mmap.PROT_READ) == 0
        assert libc().pread(fd, ctypes.c_void_p(address), 10, 0) == -1
        assert ctypes.get_errno() == errno.EFAULT


@check
def a_caller_that_holds_the_interpreter_gives_it_up() -> None:
    # PyDLL's functions keep it, as dlopen does.
    holding = ctypes.PyDLL(None, use_errno=True)
    with mounted() as tested, opened("gate") as fd:
        tested.gate.let_through()
        buffer = ctypes.create_string_buffer(16)
        for _ in range(20):
            assert holding.pread(fd, buffer, 16, 0) == 4
            assert buffer.value == b"done"
        assert holding.access(f"{WHERE}/missing".encode(), 0) == -1
        assert ctypes.get_errno() == errno.ENOENT


@check
def registers_survive_being_called_again_without_the_interpreter() -> None:
    with mounted() as tested, opened("gate") as fd:
        tested.gate.let_through()
        buffer = ctypes.create_string_buffer(16)
        wrong = ctypes.PyDLL("/opt/native.so").wrong_after_pread
        for _ in range(20):
            assert wrong(fd, buffer) == 0


@check
def a_service_that_would_wait_for_itself_gets_an_error() -> None:
    with mounted():
        with refused(errno.EDEADLK):
            os.stat(f"{WHERE}/itself")
        assert "a call that this thread itself would have to serve" in dmesg()
        assert "in OfItself.attributes" in dmesg()
        os.stat(WHERE)


@check
def a_mistake_in_a_file_system_is_an_error_of_the_call() -> None:
    with mounted():
        with refused(errno.EIO):
            os.stat(f"{WHERE}/broken")
        assert "ZeroDivisionError: a mistake in a file system" in dmesg()
        os.stat(WHERE)


@check
def callers_queue_up_when_there_are_too_many() -> None:
    events = services().events
    with mounted() as tested, opened("gate") as fd:
        before, events.in_flight = events.in_flight, 3
        try:
            results: list[bytes] = []
            readers = [
                threading.Thread(target=lambda: results.append(os.pread(fd, 10, 0)))
                for _ in range(8)
            ]
            for reader in readers:
                reader.start()
            for _ in range(3):
                tested.gate.reading.acquire()
            assert not tested.gate.reading.acquire(timeout=0.05)
        finally:
            events.in_flight = before
        tested.gate.let_through()
        for reader in readers:
            reader.join()
        assert results == [b"done"] * 8


@check
def a_file_position_is_used_by_one_call_at_a_time() -> None:
    with mounted():
        with open(f"{WHERE}/numbers", "wb") as file:
            file.write(b"".join(b"%07d\n" % k for k in range(400)))
        fd = os.open(f"{WHERE}/numbers", os.O_RDONLY)
        found: list[bytes] = []

        def read() -> None:
            while line := os.read(fd, 8):
                found.append(line)

        readers = [threading.Thread(target=read) for _ in range(4)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        os.close(fd)
        assert sorted(found) == [b"%07d\n" % k for k in range(400)]


@check
def a_mounted_directory_is_busy_while_it_is_used() -> None:
    os.makedirs(WHERE, exist_ok=True)
    vfs.mount(WHERE, vfs.MemoryFileSystem())
    with refused(errno.EBUSY):
        vfs.mount(WHERE, vfs.MemoryFileSystem())
    os.mkdir(f"{WHERE}/inner")
    vfs.mount(f"{WHERE}/inner", vfs.MemoryFileSystem())
    with open(f"{WHERE}/inner/file", "w") as file:
        with refused(errno.EBUSY):
            vfs.umount(f"{WHERE}/inner")
        with refused(errno.EBUSY):
            vfs.umount(WHERE)
        with refused(errno.EBUSY):
            os.rmdir(f"{WHERE}/inner")
        with refused(errno.EXDEV):
            os.rename(f"{WHERE}/inner/file", f"{WHERE}/file")
        vfs.umount(f"{WHERE}/inner", lazy=True)
        file.write("it can still be written")
    assert os.listdir(f"{WHERE}/inner") == []
    os.chdir(WHERE)
    with refused(errno.EBUSY):
        vfs.umount(WHERE)
    os.chdir("/")
    vfs.umount(WHERE)
    with refused(errno.EINVAL):
        vfs.umount(WHERE)


@check
def modules_are_imported_from_a_mount_by_any_thread() -> None:
    with mounted():
        os.mkdir(f"{WHERE}/pack")
        with open(f"{WHERE}/pack/__init__.py", "w") as file:
            file.write("from .inner import VALUE\n")
        with open(f"{WHERE}/pack/inner.py", "w") as file:
            file.write("import time\ntime.sleep(0.01)\nVALUE = 42\n")
        import sys

        sys.path.insert(0, WHERE)
        try:
            values: list[int] = []

            def load() -> None:
                import pack  # type: ignore[import-not-found]

                values.append(pack.VALUE)

            threads = [threading.Thread(target=load) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert values == [42] * 4
        finally:
            sys.path.remove(WHERE)
            for name in ("pack", "pack.inner"):
                sys.modules.pop(name, None)
            sys.path_importer_cache.clear()


@check
def native_libraries_are_loaded_from_a_mount() -> None:
    with mounted():
        with open("/opt/native.so", "rb") as source, open(f"{WHERE}/native.so", "wb") as copy:
            copy.write(source.read())
        library = ctypes.CDLL(f"{WHERE}/native.so")
        stop, counter = ctypes.c_uint8(1), ctypes.c_uint64(7)
        library.spin(ctypes.byref(counter), ctypes.byref(stop))
        assert counter.value == 7
        # It stays mapped: the file may go.
        os.unlink(f"{WHERE}/native.so")


@check
def a_database_lives_in_a_mount() -> None:
    import sqlite3

    with mounted():
        with contextlib.closing(sqlite3.connect(f"{WHERE}/data.db")) as database, database:
            database.execute("create table numbers (n integer)")
            database.executemany("insert into numbers values (?)", [(k,) for k in range(1000)])
        with contextlib.closing(sqlite3.connect(f"{WHERE}/data.db")) as database:
            [total] = database.execute("select sum(n) from numbers").fetchone()
        assert total == 499_500
        assert sorted(os.listdir(WHERE)) == ["broken", "data.db", "gate", "itself"]


@check
def a_mounted_file_is_mapped_as_it_is() -> None:
    with mounted():
        with open(f"{WHERE}/mapped", "wb") as file:
            file.write(b"abc" * 5000)
        with open(f"{WHERE}/mapped", "rb") as file:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
                assert view[:] == b"abc" * 5000
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as view:
                view[:3] = b"xyz"
                assert view[:6] == b"xyzabc"
        with open(f"{WHERE}/mapped", "r+b") as file:
            assert file.read(3) == b"abc"
            with refused(errno.ENODEV):
                mmap.mmap(file.fileno(), 0)


@check
def requests_under_load_lose_nothing() -> None:
    with mounted():
        failures: list[str] = []

        def work(number: int) -> None:
            try:
                for turn in range(30):
                    path = f"{WHERE}/{number}-{turn}"
                    with open(path, "w") as file:
                        file.write(path * 10)
                    with open(path) as file:
                        assert file.read() == path * 10
                    os.rename(path, path + "-new")
                    os.unlink(path + "-new")
            except Exception as error:
                failures.append(repr(error))

        threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures, failures
        assert len(os.listdir(WHERE)) == 3
        assert time.monotonic() - started < 60
