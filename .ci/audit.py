"""Judge what pip-audit found: `audit.py REQUIREMENTS REPORT COMPLAINTS [--if-reachable]`, as `nox -s audit` calls it.

pip-audit ends well where a mirror answered in the place of who knows: each package is then "not found", and so none is
vulnerable. Where nobody answers at all, it breaks down without a report. Here both end with 1, as with a package that is
vulnerable, with one that was left out, and with no package at all. With `--if-reachable`, a machine from which nobody can be
asked is told of loudly, and ends with 0; a pip-audit that broke down over anything else still ends with 1.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

UNREACHABLE = re.compile(r"^requests\.exceptions\.\w*(?:Connection|Proxy|SSL|Timeout)\w*:|Could not connect to ", re.MULTILINE)
"""What pip-audit complains of where nobody answers: as the last line of a traceback, or in its own words."""


def judge(wanted: set[str], rows: list[dict[str, Any]], *, if_reachable: bool) -> int:
    """Print what became of the ``wanted`` packages by the rows of a report; return how to end."""
    asked = {row["name"]: row["vulns"] for row in rows if "vulns" in row}
    vulnerable = sorted(name for name, found in asked.items() if found)
    unasked = sorted(wanted - set(asked))
    for name in vulnerable:
        print(f"audit: {name} has {', '.join(found['id'] for found in asked[name])}")
    if not wanted:
        print("audit: FAILED, there was no package to ask about")
        return 1
    if not asked:
        print(f"audit: NOTHING WAS CHECKED, nobody could be asked about {len(wanted)} packages from this machine")
        return 0 if if_reachable else 1
    if unasked:
        print(f"audit: not checked: {', '.join(unasked)}")
    print(f"audit: {len(asked)} of {len(wanted)} packages asked about, {len(vulnerable)} vulnerable")
    return 1 if vulnerable or unasked else 0


def main(requirements: str, report: str, complaints: str, *options: str) -> int:
    """Read the files; where the report is not there or not whole, the complaints say why."""
    said = Path(complaints).read_text(encoding="utf-8", errors="replace")
    print(said, end="")
    wanted = set(re.findall(r"^([a-z0-9-]+)==", Path(requirements).read_text(encoding="utf-8"), re.MULTILINE))
    try:
        rows = json.loads(Path(report).read_text(encoding="utf-8"))["dependencies"]
    except (OSError, ValueError):
        if not UNREACHABLE.search(said):
            print("audit: FAILED, pip-audit broke down and wrote no report")
            return 1
        rows = []
    return judge(wanted, rows, if_reachable="--if-reachable" in options)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
