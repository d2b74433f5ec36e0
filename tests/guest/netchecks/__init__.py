"""Checks of sockets as a program uses them, many in one boot: `ovum run -m netchecks`.

Nothing in them is of ovum: Linux passes them as well, and the host's tests see to that.
"""
