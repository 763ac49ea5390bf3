"""What the token endpoint gives out, an answer for who comes with it, and a clock that a token ages by."""

from raw_server import Step, answer

MESSAGE = answer(200, {"messageId": "m"})


def token(text: str = "first", lifetime: object = 3600, kind: str = "Bearer") -> Step:
    return answer(200, {"access_token": text, "token_type": kind, "expires_in": lifetime, "scope": "voice", "permissions": []})


class Clock:
    """Time that stands still until it is told to move."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now
