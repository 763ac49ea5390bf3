"""Who can be called: numbers, their countries, what a second costs, and the members of contacts and groups."""

from ._dice import Dice

RATES = {
    "+1": ("US", 0.0002),
    "+7": ("RU", 0.0011),
    "+30": ("GR", 0.0006),
    "+33": ("FR", 0.0005),
    "+34": ("ES", 0.0005),
    "+36": ("HU", 0.0008),
    "+39": ("IT", 0.0006),
    "+44": ("GB", 0.0004),
    "+46": ("SE", 0.0004),
    "+48": ("PL", 0.0005),
    "+49": ("DE", 0.0005),
    "+55": ("BR", 0.0009),
    "+357": ("CY", 0.0007),
    "+359": ("BG", 0.0009),
}
"""Dialling prefix to country and price of an answered second. The prices are ours."""

_DEFAULT_RATE = 0.001
_MOBILES = (("+3069", 8), ("+4915", 9), ("+447", 9), ("+336", 8), ("+393", 9), ("+346", 8), ("+3598", 8), ("+4673", 7))


def mobile(dice: Dice) -> str:
    """A mobile number, E.164."""
    prefix, digits = _MOBILES[int(dice.random() * len(_MOBILES))]
    return f"{prefix}{int(dice.random() * 10**digits):0{digits}}"


def rate(number: str) -> tuple[str | None, float]:
    """Country (ISO 3166-1 alpha-2, None if not known here) and price of a second."""
    for length in (4, 3, 2):
        found = RATES.get(number[:length])
        if found is not None:
            return found
    return None, _DEFAULT_RATE


def contact_number(seed: int, contact: str) -> str:
    """The number behind a contact id. Every id exists here, and always has the same number."""
    return mobile(Dice.of(seed, f"contact:{contact}"))


def group_members(seed: int, group: str) -> list[str]:
    """The numbers in a group. Every group exists here, with two to five members."""
    dice = Dice.of(seed, f"group:{group}")
    return [mobile(dice) for _ in range(dice.randint(2, 5))]
