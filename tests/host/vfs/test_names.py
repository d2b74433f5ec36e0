"""Names that several change at once, and look-ups that are on their way meanwhile."""

import errno
import os
import random
import threading
from collections.abc import Callable

import pytest

from ovum.services.vfs import MemoryFileSystem
from ovum.services.vfs.testing import HostedSystem

from ...contract.systems import SYSTEMS
from .gated import Calling, GatedFileSystem

NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY


@pytest.mark.parametrize("method", ["create", "make_directory", "make_link"])
def test_of_two_that_make_a_name_one_is_told_that_it_is_there(method: str) -> None:
    made = GatedFileSystem()
    with HostedSystem(made) as system:
        calls: dict[str, Callable[[], object]] = {
            "create": lambda: system.close(system.open("/x", NEW)),
            "make_directory": lambda: system.mkdir("/x"),
            "make_link": lambda: system.symlink("target", "/x"),
        }
        gate = made.hold(method)
        first = Calling(calls[method])
        gate.wait()
        second = Calling(calls[method])
        gate.open(system)
        assert first.result() is None
        assert second.result() == errno.EEXIST


def test_another_directory_is_not_held_up() -> None:
    made = GatedFileSystem()
    with HostedSystem(made) as system:
        system.mkdir("/a")
        system.mkdir("/b")
        gate = made.hold("create")
        slow = Calling(system.open, "/a/x", NEW)
        gate.wait()
        system.close(system.open("/b/x", NEW))
        assert system.stat("/a").st_ino and system.listdir("/a") == []
        gate.open(system)
        assert slow.result() > 0


def test_who_opens_what_another_has_just_made_gets_that() -> None:
    made = GatedFileSystem()
    with HostedSystem(made) as system:
        gate = made.hold("create")
        first = Calling(system.open, "/x", NEW)
        gate.wait()
        second = Calling(system.open, "/x", os.O_CREAT | os.O_WRONLY)
        gate.open(system)
        one, other = first.result(), second.result()
        assert system.fstat(one).st_ino == system.fstat(other).st_ino


def test_two_moves_cannot_put_directories_into_each_other() -> None:
    made = GatedFileSystem()
    with HostedSystem(made) as system:
        system.mkdir("/a")
        system.mkdir("/b")
        gate = made.hold("rename")
        first = Calling(system.rename, "/a", "/b/a")
        gate.wait()
        second = Calling(system.rename, "/b", "/a/b")
        gate.open(system)
        assert first.result() is None
        assert second.result() == errno.EINVAL
        assert system.listdir("/") == ["b"] and system.listdir("/b") == ["a"]


def test_nothing_is_made_in_a_directory_that_is_being_removed() -> None:
    made = GatedFileSystem()
    with HostedSystem(made) as system:
        system.mkdir("/d")
        directory = system.open("/d", os.O_RDONLY)
        gate = made.hold("remove_directory")
        removing = Calling(system.rmdir, "/d")
        gate.wait()
        making = Calling(lambda: system.open("new", NEW, dir_fd=directory))
        gate.open(system)
        assert removing.result() is None
        assert making.result() == errno.ENOENT
        system.close(directory)


@pytest.mark.parametrize("stable", [True, False])
def test_a_look_up_does_not_bring_back_what_was_removed(stable: bool) -> None:
    made = GatedFileSystem(stable=stable)
    with HostedSystem(made.inner) as system:
        system.close(system.open("/seed", NEW))
    with HostedSystem(made) as system:
        gate = made.hold("lookup", after=True)
        looking = Calling(system.stat, "/seed")
        gate.wait()
        system.unlink("/seed")
        gate.open(system)
        assert looking.result() == errno.ENOENT
        with pytest.raises(FileNotFoundError):
            system.stat("/seed")
        system.mkdir("/seed")


@pytest.mark.parametrize("stable", [True, False])
def test_a_look_up_does_not_take_away_what_was_made(stable: bool) -> None:
    made = GatedFileSystem(stable=stable)
    with HostedSystem(made) as system:
        gate = made.hold("lookup", after=True)
        looking = Calling(system.stat, "/d")
        gate.wait()
        system.mkdir("/d")
        directory = system.open("/d", os.O_RDONLY)
        gate.open(system)
        assert looking.result().st_ino == system.fstat(directory).st_ino
        system.close(system.open("new", NEW, dir_fd=directory))
        assert system.stat("..", dir_fd=directory).st_ino == system.stat("/").st_ino
        system.close(directory)


def test_a_change_that_is_broken_off_is_looked_up_again() -> None:
    made = GatedFileSystem()
    with HostedSystem(made) as system:
        system.close(system.open("/x", NEW))
        gate = made.hold("unlink", after=True)
        number = system.post("unlink", "/x")
        gate.wait()
        system.interrupt(number)
        assert system.answer(number) == -errno.EINTR
        with pytest.raises(FileNotFoundError):
            system.stat("/x")


def test_a_directory_stays_the_same_though_its_node_is_new_each_time() -> None:
    made = GatedFileSystem(stable=False, fresh=True)
    with HostedSystem(made) as system:
        system.mkdir("/dir")
        directory = system.open("/dir", os.O_RDONLY)
        for name in ("a", "b"):
            assert system.stat("/dir").st_ino == system.fstat(directory).st_ino
            system.close(system.open(name, NEW, dir_fd=directory))
        assert sorted(system.listdir(directory)) == ["a", "b"]
        system.mount("/dir", MemoryFileSystem())
        assert system.listdir("/dir") == []
        system.umount("/dir")
        system.close(directory)


def test_lines_that_are_appended_at_once_are_all_there() -> None:
    made = GatedFileSystem()
    with HostedSystem(made) as system:
        files = [system.open("/log", os.O_WRONLY | os.O_APPEND | os.O_CREAT) for _ in range(3)]
        gate = made.hold("write")
        calls = [Calling(system.write, files[0], b"first\n")]
        gate.wait()
        calls += [Calling(system.write, fd, b"other\n") for fd in files[1:]]
        gate.open(system)
        assert [call.result() for call in calls] == [6, 6, 6]
        assert system.stat("/log").st_size == 18


WRITABLE = [name for name, system in SYSTEMS.items() if not system.readonly]


@pytest.mark.parametrize("name", WRITABLE)
def test_many_that_change_the_same_names(name: str) -> None:
    """Whatever the order, each name that was made by one is removed by one, and all are counted."""
    workers, rounds = 4, 40
    with HostedSystem(MemoryFileSystem()) as system:
        system.mkdir("/m")
        system.mount("/m", SYSTEMS[name].make())
        for folder in ("/m/one", "/m/two"):
            system.mkdir(folder)
        made, taken = [0] * workers, [0] * workers

        def make(path: str) -> None:
            system.close(system.open(path, NEW))

        def work(number: int) -> None:
            dice = random.Random(number)
            for _ in range(rounds):
                path = f"/m/{dice.choice(('one', 'two'))}/{dice.randrange(3)}"
                other = f"/m/{dice.choice(('one', 'two'))}/{dice.randrange(3, 6)}"
                if _succeeds(make, path):
                    made[number] += 1
                if _succeeds(system.link, path, f"{path}.{number}"):
                    made[number] += 1
                    system.unlink(f"{path}.{number}")
                    taken[number] += 1
                # In place of what may be there: one name less, or the same number.
                _succeeds(system.rename, path, other)
                if _succeeds(system.unlink, other):
                    taken[number] += 1

        threads = [threading.Thread(target=work, args=(k,)) for k in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for folder in ("/m/one", "/m/two"):
            left = system.listdir(folder)
            for file in left:
                assert system.stat(f"{folder}/{file}").st_nlink == 1
                system.unlink(f"{folder}/{file}")
            assert len(left) == len(set(left))
            assert system.listdir(folder) == []
            system.rmdir(folder)
        assert sum(made) >= sum(taken) > 0


def _succeeds(call: Callable[..., object], *paths: str) -> bool:
    try:
        call(*paths)
    except OSError as error:
        expected = (errno.EEXIST, errno.ENOENT, errno.EPERM)
        assert error.errno in expected, error
        return False
    return True
