"""Names of a package that are loaded when they are first asked for (PEP 562): who reads a model does not wait for a network library."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def loader(package: str, homes: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Return what loads a name of ``package``, for its ``__getattr__``.

    Args:
        package: Its own name.
        homes: Modules below it, each with the names that live there.
    """
    home_of = {name: home for home, names in homes.items() for name in names}

    def load(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{home_of[name]}"), name)
        setattr(sys.modules[package], name, value)  # the next time it is there
        return value

    return load
