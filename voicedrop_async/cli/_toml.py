"""Files that people write by hand, in TOML."""

import tomllib
from pathlib import Path
from typing import Any

from voicedrop_async import ConfigError


def parsed(file: Path, text: bytes) -> dict[str, Any]:
    """Return the tables of a file, of which ``text`` is what stands in it.

    Raises:
        ConfigError: No TOML, or not in UTF-8. The text says where, and never shows what stands there.
    """
    try:
        return tomllib.loads(text.decode())
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not TOML in UTF-8 (at byte {error.start})") from None
    except ValueError as error:
        place = str(error).rpartition("(")[2].rstrip(")")  # what stands before it quotes the file
        raise ConfigError(f"{file}: not TOML in UTF-8 ({place})") from None
