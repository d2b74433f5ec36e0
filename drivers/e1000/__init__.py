"""Intel's gigabit Ethernet controllers: 82540EM and its relatives (e1000), 82574L (e1000e).

Section numbers are those of "PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's
Manual" (Intel, 317453); "82574" in front of one means "82574 GbE Controller Family Datasheet". Both
controllers are driven by the same legacy receive descriptors and transmit descriptors.
"""
