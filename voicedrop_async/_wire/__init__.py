"""JSON to models and back. The only room that knows both the Python names and the services' names."""

from collections.abc import Sequence
from decimal import Decimal
from math import isfinite
from typing import Any

import attrs
import msgspec

from voicedrop_async._wire._answers import (
    Envelope,
    Rows,
    load_array,
    load_complaint,
    load_envelope,
    load_event,
    load_one,
    load_token,
    wire_error,
)
from voicedrop_async._wire._convert import STRICT
from voicedrop_async._wire._kept import dump_kept, load_kept
from voicedrop_async._wire._values import moment_text, whole_second
from voicedrop_async.models import VoiceCampaign

__all__ = [
    "Envelope",
    "Rows",
    "canonical",
    "dump_analysis",
    "dump_campaign",
    "dump_kept",
    "encode",
    "is_finite",
    "load_array",
    "load_complaint",
    "load_envelope",
    "load_event",
    "load_kept",
    "load_one",
    "load_token",
    "moment_text",
    "whole_second",
    "wire_error",
]

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_SORTING_ENCODER = msgspec.json.Encoder(decimal_format="number", order="deterministic")


def dump_campaign(campaign: VoiceCampaign) -> dict[str, Any]:
    """Return the campaign as the service wants it. Source: Routee, "Send a voice campaign", whose dates have no fraction."""
    if campaign.scheduled_date is not None:
        campaign = attrs.evolve(campaign, scheduled_date=campaign.scheduled_date.replace(microsecond=0))
    dumped: dict[str, Any] = STRICT.unstructure(campaign)
    return dumped


def dump_analysis(campaign: VoiceCampaign) -> bytes:
    """Return what an analysis is asked with. Source: Routee, "Analyze a voice campaign", which lists these keys only."""
    asked = dump_campaign(campaign)
    return encode({key: asked[key] for key in ("from", "to", "contacts", "groups", "fileURL", "message") if key in asked})


def encode(value: object) -> bytes:
    """Return JSON as bytes."""
    return _ENCODER.encode(value)


def is_finite(value: object) -> bool:
    """Whether JSON has a notation for each number in a value: it has none for NaN and infinity, which would go out as null.

    Raises:
        TypeError, ValueError, RecursionError: It is no JSON value at all.
    """
    return _is_finite(msgspec.to_builtins(value, builtin_types=(Decimal,)))


def _is_finite(value: Any) -> bool:
    if isinstance(value, dict):
        members: dict[Any, Any] = value
        return all(map(_is_finite, members)) and all(map(_is_finite, members.values()))
    if isinstance(value, list | tuple):
        parts: Sequence[Any] = value
        return all(map(_is_finite, parts))
    return not isinstance(value, float | Decimal) or isfinite(value)


def canonical(value: object) -> bytes:
    """Return JSON as bytes that are the same for the same value, in whatever order its keys stand."""
    return _SORTING_ENCODER.encode(value)
