"""There is one program: what would make another fails, and says so."""

import ctypes
import errno
import multiprocessing
import multiprocessing.dummy
import os
import subprocess
from multiprocessing import shared_memory

from .registry import check, libc, open_descriptors, refused

NOT_HERE = (errno.ENOSYS, errno.EPERM)


@check
def fork_is_refused() -> None:
    with refused(*NOT_HERE):
        os.fork()


@check
def exec_is_refused() -> None:
    with refused(*NOT_HERE):
        os.execv("/usr/bin/python3.13", ["python3"])


@check
def spawn_is_refused() -> None:
    with refused(*NOT_HERE):
        os.posix_spawn("/usr/bin/python3.13", ["python3"], {})


@check
def subprocess_is_refused() -> None:
    with refused(*NOT_HERE):
        subprocess.run(["/usr/bin/python3.13", "-c", ""], check=False)
    with refused(*NOT_HERE):
        subprocess.run("exit 0", shell=True, check=False)


@check
def multiprocessing_is_refused() -> None:
    process = multiprocessing.get_context("fork").Process(target=int)
    before = open_descriptors()
    with refused(*NOT_HERE):
        process.start()
    # CPython forgets its pipes when fork fails.
    for fd in open_descriptors() - before:
        os.close(fd)


@check
def there_are_no_children_to_wait_for() -> None:
    with refused(errno.ECHILD):
        os.wait()


@check
def shared_memory_is_shared_by_name() -> None:
    first = shared_memory.SharedMemory(create=True, size=100)
    second = shared_memory.SharedMemory(name=first.name)
    assert first.buf is not None and second.buf is not None
    first.buf[:3] = b"abc"
    assert bytes(second.buf[:3]) == b"abc"
    assert os.listdir("/dev/shm") == [first.name]
    second.close()
    first.close()
    first.unlink()
    with refused(errno.ENOENT):
        shared_memory.SharedMemory(name=first.name)
    entries = shared_memory.ShareableList([1, 5, -7])
    assert [entries[0], entries[1], entries[2]] == [1, 5, -7]
    entries.shm.close()
    entries.shm.unlink()
    assert os.listdir("/dev/shm") == []


@check
def named_semaphores_live_in_dev_shm() -> None:
    libc().sem_open.restype = ctypes.c_void_p
    create_exclusive = os.O_CREAT | os.O_EXCL
    address = libc().sem_open(b"/counter", create_exclusive, 0o600, 2)
    semaphore, value = ctypes.c_void_p(address), ctypes.c_int()
    assert os.listdir("/dev/shm") == ["sem.counter"]
    again = ctypes.c_void_p(libc().sem_open(b"/counter", 0))
    assert libc().sem_wait(again) == 0
    assert libc().sem_getvalue(semaphore, ctypes.byref(value)) == 0 and value.value == 1
    assert libc().sem_trywait(semaphore) == 0
    assert libc().sem_trywait(semaphore) == -1 and ctypes.get_errno() == errno.EAGAIN
    assert libc().sem_unlink(b"/counter") == libc().sem_close(semaphore) == 0
    assert os.listdir("/dev/shm") == []


@check
def queues_pipes_and_pools_of_multiprocessing_work_with_threads() -> None:
    queue: multiprocessing.SimpleQueue[int] = multiprocessing.SimpleQueue()
    queue.put(5)
    assert queue.get() == 5
    queue.close()
    here, there = multiprocessing.Pipe()
    here.send([1, {"a": 2}])
    assert there.recv() == [1, {"a": 2}]
    here.close()
    there.close()
    with multiprocessing.dummy.Pool(4) as pool:
        assert pool.map(abs, range(-5, 0)) == [5, 4, 3, 2, 1]


@check
def locks_of_multiprocessing_work_between_threads() -> None:
    lock = multiprocessing.Lock()
    assert lock.acquire(timeout=1)
    assert not lock.acquire(timeout=0.01)
    lock.release()
