"""The network stack: TCP/IP in Python, in layers that can be read alone.

`wire` knows formats, `iface` links and IP, `tcp` and `udp` transports, `socket` the program's
descriptors, `clients` what configures a machine, `tools` what people look with.
"""
