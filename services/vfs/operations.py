"""What the kernel asks of a file system: the numbers of microkernel/sys/request_abi.h."""

from __future__ import annotations

(
    OPEN, RELEASE, FLUSH, STAT, ACCESS, CHMOD, CHOWN, UTIMENS, TRUNCATE, STATFS, READLINK, MKDIR,
    MKNOD, SYMLINK, LINK, UNLINK, RMDIR, RENAME, READ, WRITE, LIST, SYNC, ALLOCATE, LOCK, SEEK,
    PATH, IOCTL,
    SOCKET, BIND, CONNECT, LISTEN, SHUTDOWN, NAME, GET_OPTION, SET_OPTION, SOCKET_IOCTL,
    DESTINATION,
) = range(37)  # fmt: skip

NAMES = (
    "open release flush stat access chmod chown utimens truncate statfs readlink mkdir mknod "
    "symlink link unlink rmdir rename read write list sync allocate lock seek path ioctl "
    "socket bind connect listen shutdown name get_option set_option socket_ioctl "
    "destination"
).split()

MOUNT_PROC = 1
MOUNT_DEVICES = 2
MOUNT_NETWORK = 3
"""The mounts that have their numbers from the beginning."""

OPENED_DESCRIPTOR = 1 << 63
"""In `extra` of an OPEN that is answered with handle 0: what this descriptor is, again."""

SYNC_FILE, SYNC_DATA, SYNC_FILE_SYSTEM, SYNC_ALL = range(4)
"""How much a SYNC is to write."""

NOFOLLOW = 1
"""A flag of STAT and its like: a symbolic link itself is meant."""
