"""Between the program's descriptors and the endpoints of the stack."""
