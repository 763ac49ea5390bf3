"""What every recording of a call sounds like."""

import wave
from io import BytesIO


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
