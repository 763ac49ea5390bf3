"""Write the API reference: `reference.py FOLDER`, as `nox -s docs` calls it. A public name of which nothing is said is a failure."""

import inspect
import re
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import pdoc

import voicedrop_async
import voicedrop_async.sandbox

PACKAGES = (voicedrop_async, voicedrop_async.sandbox)


def all_loaded() -> None:
    """Load what is loaded when it is asked for, and give each class what it has from private ones: pdoc shows neither by itself."""
    for package in PACKAGES:
        for thing in [getattr(package, name) for name in package.__all__]:
            for base in inspect.getmro(thing)[1:] if inspect.isclass(thing) and not issubclass(thing, Enum) else ():
                if base.__module__.startswith("voicedrop_async") and base.__name__ not in package.__all__:
                    for name in vars(base).keys() - vars(thing).keys():
                        if not name.startswith("_"):
                            setattr(thing, name, vars(base)[name])


def aliases_told() -> None:
    """Give each alias the words below its definition: pdoc looks for them in the package that shows it, and only there."""
    modules = [module for name, module in sorted(sys.modules.items()) if name.startswith("voicedrop_async.")]
    for package in PACKAGES:
        said = pdoc.doc_ast.walk_tree(package).var_docstrings  # which pdoc keeps, and reads again
        for module in modules:
            words = pdoc.doc_ast.walk_tree(module).var_docstrings
            said |= {name: words[name] for name in words.keys() & package.__all__ if getattr(module, name) is getattr(package, name)}


def undocumented(space: pdoc.doc.Module | pdoc.doc.Class) -> Iterator[str]:
    """Yield public names without a word on them, their own or their class's. Words of an enumeration speak for themselves."""
    for member in space.own_members:
        if member.name.startswith("_") or isinstance(member, pdoc.doc.Module):
            continue
        if not member.docstring and not re.search(rf"^ *{member.name}:", space.docstring, re.MULTILINE):
            yield member.fullname
        if isinstance(member, pdoc.doc.Class) and not issubclass(member.obj, Enum):
            yield from undocumented(member)


def main(folder: str) -> int:
    """Write it; return how to end."""
    all_loaded()
    aliases_told()
    if silent := [name for package in PACKAGES for name in undocumented(pdoc.doc.Module(package))]:
        print("nothing is said of:", *silent, sep="\n    ")
        return 1
    pdoc.render.configure(docformat="google", show_source=False)
    pdoc.pdoc(*(package.__name__ for package in PACKAGES), output_directory=Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
