"""This machine, which nothing of the sandbox leaves: where it serves, and which URLs stay here."""

import re

HOST = "127.0.0.1"
_URL = re.compile(r"https?://(127(\.\d{1,3}){3}|localhost|\[::1\])(:\d{1,5})?([/?].*)?")


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine, by what it says, and not by a name that somebody else may answer for."""
    return _URL.fullmatch(url) is not None
