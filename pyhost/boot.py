"""The first Python of a program, frozen as `sitecustomize`: `site` imports it last of all.

Adds site-packages, where wheels are (Debian's `site` knows only dist-packages); then runs the
`sitecustomize` of the image's own, whose place this module takes; and in a stripped image explains
why a module is missing.
"""

import os
import site
import sys

# From here on the rarer modules are found.
import _ovum_library  # type: ignore[import-not-found]  # noqa: F401

_DROPPED = "/ovum/dropped"


class _DroppedModules:
    """A finder that is asked last: tells of a module that is missing because of --strip."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Finds nothing; raises ModuleNotFoundError where --strip is the reason."""
        with open(_DROPPED) as names:
            if name not in names.read().split("\n"):
                return
        raise ModuleNotFoundError(
            f"No module named {name!r}: this image is stripped of it; "
            f"build it with --include {name}",
            name=name,
        )


def _own_sitecustomize(library: str) -> None:
    for folder in sys.path:
        if folder.startswith(library) and not folder.endswith("-packages"):
            continue
        if any(os.path.exists(f"{folder}/sitecustomize{suffix}") for suffix in (".py", ".pyc")):
            from importlib.machinery import PathFinder
            from importlib.util import module_from_spec

            spec = PathFinder.find_spec("sitecustomize", [folder])
            if spec is not None and spec.loader is not None:
                module = module_from_spec(spec)
                sys.modules["sitecustomize"] = module
                spec.loader.exec_module(module)
            return


def _start() -> None:
    library = f"{sys.prefix}/lib/python{sys.version_info[0]}.{sys.version_info[1]}"
    packages = f"{library}/site-packages"
    if os.path.isdir(packages):
        site.addsitedir(packages)
    if os.path.exists(_DROPPED):
        sys.meta_path.append(_DroppedModules)
    _own_sitecustomize(library)


_start()
