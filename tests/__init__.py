"""Tests; `host` needs no QEMU, `guest` boots it."""
