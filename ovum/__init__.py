"""ovum, a Python unikernel: this package is its import root and its host side."""

__version__ = "0.1.0"
