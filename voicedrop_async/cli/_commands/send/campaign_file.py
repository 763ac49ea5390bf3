"""A campaign file: TOML or JSON with the names of ``VoiceCampaign``."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

import attrs
import msgspec

from voicedrop_async import Callback, ConfigError, SpokenMessage, VoiceCampaign
from voicedrop_async._masking import masked
from voicedrop_async.cli._toml import parsed

_TABLES: Final[Mapping[str, type[Any]]] = {"message": SpokenMessage, "callback": Callback, "campaign_callback": Callback}


def read(file: Path) -> VoiceCampaign:
    """Return the campaign of a file.

    Raises:
        ConfigError: No such file, no TOML (or JSON, if its name ends so), a key that a campaign does not have, or a value of
            another type. The text names the key, and never shows a value.
    """
    try:
        table = (_from_json if file.suffix.lower() == ".json" else parsed)(file, file.read_bytes())
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    unknown = [*_unknown(table, VoiceCampaign)]
    if unknown:
        raise ConfigError(f"{file}: unknown: {masked(', '.join(unknown))}; the keys are the names of VoiceCampaign")
    try:
        return msgspec.convert(_listed(table), VoiceCampaign)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{file}: {error}") from None


def _from_json(file: Path, text: bytes) -> dict[str, Any]:
    try:
        table = json.loads(text, object_pairs_hook=_told_once)
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: not JSON in UTF-8") from None
    except json.JSONDecodeError as error:
        raise ConfigError(f"{file}: not JSON (line {error.lineno}, column {error.colno})") from None
    except ValueError as error:
        raise ConfigError(f"{file}: {error}") from None
    if not isinstance(table, dict):
        raise ConfigError(f"{file}: no object of JSON; the keys are the names of VoiceCampaign")
    return cast("dict[str, Any]", table)


def _told_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # As in TOML: of two lists of recipients, one would be called and the other not.
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return table


def _unknown(table: Mapping[str, object], model: type[Any], above: str = "") -> Iterator[str]:
    known = {field.name for field in attrs.fields(model)} - {"extra"}
    for key, value in table.items():
        if key not in known:
            yield above + key
        elif not above and key in _TABLES and isinstance(value, dict):
            yield from _unknown(cast("dict[str, object]", value), _TABLES[key], f"{key}.")


def _listed(table: Mapping[str, object]) -> dict[str, object]:
    # A lone text is one recipient, as it is in VoiceCampaign.
    return {key: [value] if key in {"to", "contacts", "groups"} and isinstance(value, str) else value for key, value in table.items()}
