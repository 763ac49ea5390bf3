"""What lies in a folder."""

from pathlib import Path


def inside(folder: Path) -> list[str]:
    """The names in it, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())
