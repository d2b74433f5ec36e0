"""PCI and PCI Express: configuration space, functions, memory, capabilities, interrupts."""
