"""Chance, decided by the seed."""

from random import Random
from typing import Self


class Dice(Random):
    """Random numbers: the same row of them for the same seed and purpose."""

    @classmethod
    def of(cls, seed: int, purpose: str) -> Self:
        """The dice of a seed for one purpose, untouched by what any other dice were thrown for."""
        return cls(f"{seed}:{purpose}")

    def uuid(self) -> str:
        """An id, in the form of those the services give."""
        digits = f"{self.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
