"""Writes modules as C arrays, to be frozen into the interpreter: freeze.py OUTPUT NAME=SOURCE ...

Runs in the Python whose modules are frozen, since the bytecode is its own. A source that ends in
`__init__.py` is a package. The entries are rows for CPython's `struct _frozen`.
"""

import marshal
import sys
from pathlib import Path


def array(name: str, source: Path) -> tuple[str, str]:
    """The definition of a module's bytes and its row in the table."""
    code = compile(source.read_text("utf-8"), f"<frozen {name}>", "exec", dont_inherit=True)
    data = marshal.dumps(code)
    symbol = "frozen_" + name.replace(".", "_")
    rows = [", ".join(map(str, data[at : at + 24])) for at in range(0, len(data), 24)]
    body = ",\n    ".join(rows)
    package = int(source.name == "__init__.py")
    return (
        f"static const unsigned char {symbol}[] = {{\n    {body},\n}};\n",
        f'    {{"{name}", {symbol}, (int)sizeof {symbol}, {package}}},\n',
    )


def main(output: str, modules: list[str]) -> None:
    """Writes the header."""
    definitions, rows = [], []
    for module in modules:
        name, _, source = module.partition("=")
        definition, row = array(name, Path(source))
        definitions.append(definition)
        rows.append(row)
    Path(output).write_text(
        "/* Made by freeze.py. */\n"
        + "".join(definitions)
        + "#define FROZEN_MODULES \\\n"
        + "".join(row.rstrip("\n") + " \\\n" for row in rows)
        + "\n"
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
