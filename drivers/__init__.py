"""Devices in Python: buses, virtio, network cards, disks, keyboards, displays, firmware tables.

A driver is a class over named registers (`registers`) that reaches its device through a `Hardware`
(`hardware`), so it runs over the machine and, in tests, over a model of its device. `manager` finds
devices and starts their drivers.
"""
