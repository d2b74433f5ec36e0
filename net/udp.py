"""UDP (RFC 768), for those who use it: endpoints, all of them, and a queue for one."""

from __future__ import annotations

from ovum.net.udpendpoint import DO, DONT, PROBE, WANT, UdpEndpoint
from ovum.net.udphost import UdpHost
from ovum.net.udpqueue import Queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.protocols import UdpUser as UdpUser

__all__ = ["DO", "DONT", "PROBE", "WANT", "Queue", "UdpEndpoint", "UdpHost"]
