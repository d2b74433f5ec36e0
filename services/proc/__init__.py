"""/proc: what the machine and its one process say of themselves (proc(5))."""
