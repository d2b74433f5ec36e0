"""Checks that run inside a guest, many in one boot: `ovum run -m checks`.

Each prints one line. The host makes a test of each line; see `tests.guest.report`.
"""
