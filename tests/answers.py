"""What the services answer when all is well, on a raw server: a token, a message."""

from raw_server import Step, answer

MESSAGE = answer(200, {"messageId": "m"})


def token(text: str = "first", lifetime: object = 3600, kind: str = "Bearer") -> Step:
    """An access token, as its endpoint gives it out."""
    return answer(200, {"access_token": text, "token_type": kind, "expires_in": lifetime, "scope": "voice", "permissions": []})
