"""A file system of another machine by 9P2000.L: a folder of the host's, through virtio.

`protocol`: the messages. `client`: requests in flight, over a `channel`. `system`: what is mounted.
"""

from __future__ import annotations

from ovum.services.vfs.ninep.system import NinePFileSystem as NinePFileSystem
