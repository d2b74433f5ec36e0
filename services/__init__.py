"""What the operating system does in Python: tasks, requests, file systems, the machine's life.

The folder is `ovum.services` to every importer: on the host `ovum/services` is a link to it, and an
image has it as a package of its own.
"""
