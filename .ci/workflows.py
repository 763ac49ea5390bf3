"""Check the workflows and the scripts of a checkout: `workflows.py [FOLDER]`, as `nox -s lint` calls it.

The schema of workflows, then what an attacker could do with them, then the shell. A tool that is handed no file is content;
here that ends with 1, and so does a finding of any of them. None of them goes to the network.
"""

import subprocess
import sys
from pathlib import Path

CHECKS = (
    ("workflows", ("check-jsonschema", "--builtin-schema", "vendor.github-workflows")),
    ("workflows", ("zizmor", "--offline", "--no-progress", "--persona", "pedantic")),
    ("scripts", ("shellcheck",)),
)


def files_of(folder: Path) -> dict[str, list[str]]:
    """Return the files to be checked, by what they are."""
    beside = sorted(path for path in (folder / ".ci").glob("*") if path.is_file())
    return {
        "workflows": sorted(str(path) for path in (folder / ".github" / "workflows").glob("*.y*ml")),
        "scripts": [str(path) for path in beside if path.read_bytes().startswith((b"#!/usr/bin/env bash", b"#!/bin/sh"))],
    }


def main(folder: str = ".") -> int:
    """Run every check on its files; return how to end."""
    found = files_of(Path(folder))
    for kind, files in found.items():
        print(f"{kind}: {', '.join(files) or 'NONE, so nothing would be checked'}", flush=True)
    if not all(found.values()):
        return 1
    failed = [tool[0] for kind, tool in CHECKS if subprocess.run([*tool, *found[kind]], check=False).returncode]
    print(f"failed: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
