"""What people look at a network with, as functions that print as their namesakes do.

    >>> from ovum.net.tools import *
    >>> ip()  ;  ip("route")  ;  ip("neigh")
    >>> ping("10.0.2.2")  ;  traceroute("example.com")  ;  nslookup("example.com", kind="MX")
    >>> netstat(everything=True)  ;  netstat(routes=True)
    >>> tcpdump("eth0", count=10, matching="tcp port 80")
    >>> fetch("http://example.com/", "page.html")

help(ping) tells more of each. They use sockets and /proc/net alone, in any thread, so that they run
on Linux as well; what they cannot do is a ToolError. `python -m ovum.net.tools ping …` has them as
commands.
"""

from __future__ import annotations

from ovum.net.tools.capture import tcpdump
from ovum.net.tools.connections import netstat
from ovum.net.tools.echo import ping
from ovum.net.tools.hops import traceroute
from ovum.net.tools.hosts import ToolError
from ovum.net.tools.names import nslookup
from ovum.net.tools.status import ip
from ovum.net.tools.transfer import fetch

__all__ = ["ToolError", "fetch", "ip", "netstat", "nslookup", "ping", "tcpdump", "traceroute"]
