"""SOCK_DGRAM over UDP-Lite: as over UDP, without UDP's own options."""

from __future__ import annotations

from ovum.net.socket import options
from ovum.net.socket.datagram import DatagramEndpoint
from ovum.net.udplite import UdpLiteHost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.udp import UdpHost


class LiteEndpoint(DatagramEndpoint):
    """A UDP-Lite socket."""

    __slots__ = ()

    integers = (options.INTEGERS,)

    def host(self) -> UdpHost:
        """The first one makes it."""
        sockets = self.sockets
        if sockets.udplite is None:
            sockets.udplite = UdpLiteHost(sockets.stack)
        return sockets.udplite
