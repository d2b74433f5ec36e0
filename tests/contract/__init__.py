"""The contract of file systems: cases with the answers that Linux gives.

`cases` lists them, `execute` runs one through the functions of `os` or of something like it.
`answers.json` holds what Linux answers; `python -m tests.contract.record` asks it again.
"""
