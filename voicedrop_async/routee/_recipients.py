"""The entries of a long list, one by one: read, told apart, and cut into chunks."""

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from contextlib import aclosing
from importlib import import_module
from typing import TypeAlias

from attrs import define, field

from voicedrop_async._checks import NOT_E164, check_text, is_e164
from voicedrop_async._masking import type_of
from voicedrop_async.errors import ConfigError
from voicedrop_async.routee._ledger import Chunk, ChunkState

Recipients: TypeAlias = Iterable[str] | AsyncIterable[str]
"""Numbers, from wherever they come."""
Reader: TypeAlias = Callable[[str], str | None]
"""Makes E.164 of a text; None if it is no number."""


def check_recipients(recipients: object) -> None:
    """Refuse what cannot be walked."""
    if not isinstance(recipients, Iterable | AsyncIterable):
        raise ConfigError(f"recipients: {type_of(recipients)} is neither iterable nor async iterable")


def reader(region: str | None) -> Reader:
    """Return what reads a number: E.164 as it stands; with a region, as people there write it.

    Raises:
        ConfigError: No such region, or the extra ``phone`` is not installed.
    """
    if region is None:
        return lambda text: text if is_e164(text) else None
    check_text("region", region)
    try:
        phone = import_module("phonenumbers")
    except ImportError:
        raise ConfigError('region: needs the extra: python -m pip install "voicedrop-async[phone]"') from None
    if region not in phone.SUPPORTED_REGIONS:
        raise ConfigError("region: not a region of two capital letters (ISO 3166-1 alpha-2), such as GR")

    def read(text: str) -> str | None:
        try:
            number = phone.parse(text, region)
        except phone.NumberParseException:
            return None
        written: str = phone.format_number(number, phone.PhoneNumberFormat.E164)
        return written if phone.is_possible_number(number) and is_e164(written) else None

    return read


@define(repr=False)
class Sieve:
    """Lets each number through once, and remembers what it held back."""

    read: Reader
    why_not: str
    """What is said of an entry that is no number."""
    invalid: dict[str, str] = field(factory=dict[str, str], init=False)
    """By entry; one that is no text by its place, since as text it could be the number of somebody listed."""
    duplicates: list[str] = field(factory=list[str], init=False)
    _seen: set[str] = field(factory=set[str], init=False)
    _read: int = field(default=0, init=False)

    def keep(self, entry: object) -> str | None:
        """Return the number to call for an entry; None if there is none, or it was let through before."""
        self._read += 1
        if not isinstance(entry, str):
            self.invalid[f"entry {self._read}"] = f"{type_of(entry)} is no text"
            return None
        number = self.read(entry)
        if number is None and entry not in self.invalid:
            self.invalid[entry] = self.why_not
        elif number is None or number in self._seen:
            self.duplicates.append(entry)
        else:
            self._seen.add(number)
            return number
        return None

    async def chunks(self, recipients: Recipients, ref: str, size: int) -> AsyncGenerator[Chunk]:
        """Yield chunks of ``size``, not attempted yet; no entry is pulled before the chunk it belongs to is asked for."""
        numbers: list[str] = []
        count = 0
        async with aclosing(_each(recipients)) as entries:
            async for entry in entries:
                number = self.keep(entry)
                if number is not None:
                    numbers.append(number)
                if len(numbers) == size:
                    count += 1
                    yield Chunk(ref=f"{ref}/{count}", recipients=tuple(numbers), state=ChunkState.NOT_ATTEMPTED)
                    numbers = []
        if numbers:
            yield Chunk(ref=f"{ref}/{count + 1}", recipients=tuple(numbers), state=ChunkState.NOT_ATTEMPTED)


def why_not(region: str | None) -> str:
    """Return what is said of an entry that is no number."""
    return NOT_E164 if region is None else f"no phone number, as read in {region}"


async def _each(recipients: Recipients) -> AsyncGenerator[str]:
    if isinstance(recipients, str):
        yield recipients  # a lone text is one recipient, not a recipient for each of its characters
    elif isinstance(recipients, AsyncGenerator):
        async with aclosing(recipients):
            async for entry in recipients:
                yield entry
    elif isinstance(recipients, AsyncIterable):
        async for entry in recipients:
            yield entry
    else:
        for entry in recipients:
            yield entry
