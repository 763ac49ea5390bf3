"""Names of a package that are loaded when they are first asked for (PEP 562): who reads a model does not wait for a network library."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazily(package: str, homes: Mapping[str, Sequence[str]]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package.

    Args:
        package: Its own name.
        homes: Modules below it, each with the names that live there. One without an underscore is a name itself.
    """
    home_of = {name: home for home, names in homes.items() for name in names}
    modules = {home for home in homes if not home.startswith("_")}

    def load(name: str) -> Any:
        if name in modules:
            return import_module(f"{package}.{name}")
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules[package])
        value = getattr(import_module(f"{package}.{home_of[name]}"), name)
        setattr(sys.modules[package], name, value)  # the next time it is there
        return value

    return load, lambda: sorted({*vars(sys.modules[package]), *home_of, *modules})
