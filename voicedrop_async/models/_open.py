"""Lists of words that may grow, objects that may grow a key, numbers that may be whole."""

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn, TypeAlias, TypeVar

E = TypeVar("E", bound=Enum)

if TYPE_CHECKING:
    Open: TypeAlias = E | str
    """A known word, or the bare text of one newer than this library."""

    OpenNumber: TypeAlias = E | int
    """A known number, or the bare number of one newer than this library."""

    Extra: TypeAlias = Mapping[str, object]
    """What the service sent beyond its document, by wire name."""
else:
    # At run time the same names carry the enumeration to the converter. A plain union would not do: no decoder can
    # tell "text of this enumeration" from "text", so msgspec refuses such a field.
    class Open:
        """A known word, or the bare text of one newer than this library."""

        def __class_getitem__(cls, words: type[Enum]) -> Any:
            return Annotated[Any, words]

    OpenNumber = Open
    # No decoder has to look into it; the converter alone fills it.
    Extra = Any


Seconds: TypeAlias = int | float
"""A number of seconds as the service sends it, whole or not."""


class _NoExtra(dict[str, object]):
    """The empty dictionary that most objects share: nobody can write into it, and it pickles."""

    def __reduce__(self) -> str:
        return "NO_EXTRA"


def _refuse(*_: object, **__: object) -> NoReturn:
    raise TypeError("extra: belongs to an answer, and is not written into; dict(extra) makes a copy")


for _name in ("__setitem__", "__ior__", "setdefault", "update"):
    setattr(_NoExtra, _name, _refuse)

NO_EXTRA: Final[Mapping[str, object]] = _NoExtra()
"""``extra`` of an object that held no key beyond its document."""
