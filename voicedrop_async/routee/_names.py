"""Names of campaigns that can be found again."""

import re
import unicodedata
from typing import Final

from voicedrop_async._checks import check_text
from voicedrop_async._letters import random_letters

_LONGEST: Final = 30
_RANDOM: Final = 10


def unique_name(name: str = "Campaign") -> str:
    """Return a campaign name that no other campaign has: ``Spring sale`` becomes, say, ``Spring sale QXWDKZTBRM``.

    Tracking shows messages by the name of their campaign, and a send whose answer was lost can only be looked for by it.

    Args:
        name: What people call it. Accents are left out, other characters that a name may not have become blanks, and
            what is too long is cut.

    Returns:
        At most 30 Latin letters, digits, blanks and hyphens: ``name``, a blank, and ten random letters.

    Raises:
        ConfigError: ``name`` is no text, or blank.

    Source of the rules: Routee, "Send a voice campaign", ``name``.
    """
    apart = unicodedata.normalize("NFKD", check_text("name", name).replace("ß", "ss"))  # no accent takes it apart
    plain = "".join(character for character in apart if not unicodedata.combining(character))
    words = " ".join(re.sub(r"[^A-Za-z0-9-]+", " ", plain).split()) or "Campaign"
    return f"{words[: _LONGEST - _RANDOM - 1].rstrip()} {random_letters(_RANDOM).upper()}"
