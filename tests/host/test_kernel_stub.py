"""The types that checkers see of _kernel are those of the module."""

import ast

from ovum.paths import REPO

from .conftest import Run


def test_the_stub_names_what_the_module_has(ours: Run) -> None:
    tree = ast.parse((REPO / "pyhost/stubs/_kernel.pyi").read_text())
    named = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            named.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            named.add(node.target.id)
    done = ours("-c", "import _kernel; print(*(n for n in vars(_kernel) if n[0] != '_'))")
    assert set(done.stdout.split()) == named
