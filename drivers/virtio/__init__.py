"""virtio 1.2: paravirtual devices over PCI or memory-mapped registers.

Section numbers in this package are those of "Virtual I/O Device (VIRTIO) Version 1.2" (OASIS).
"""
