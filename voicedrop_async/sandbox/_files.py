"""What is served that is no JSON: a recording, and a page for people."""

import wave
from io import BytesIO

_PAGE = """<!doctype html>
<html lang="en">
<title>Sandbox</title>
<h1>Sandbox</h1>
<p>Routee voice, its token endpoint and Spacivox, on this machine only. No telephone rings.</p>
<p>{messages} tracked messages, {campaigns} accepted campaigns.</p>
</html>
"""


def _silence() -> bytes:
    """A tenth of a second of it, as a .wav file."""
    file = BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(8000)
        wav.writeframes(bytes(1600))
    return file.getvalue()


SILENCE = _silence()


def front_page(*, messages: int, campaigns: int) -> str:
    """The page at the root of Routee's site."""
    return _PAGE.format(messages=messages, campaigns=campaigns)
