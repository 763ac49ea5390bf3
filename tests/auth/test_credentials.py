"""Credentials: they show nothing, stay where they are, and cannot break the header they stand in."""

import pickle

import pytest

from voicedrop_async import ClientCredentials, ConfigError, StaticToken


@pytest.mark.parametrize("credentials", [ClientCredentials("id", "s3cret"), StaticToken("s3cret")])
def test_credentials_show_nothing_and_stay_where_they_are(credentials: object) -> None:
    assert "s3cret" not in repr(credentials) + str(credentials)
    with pytest.raises(ConfigError, match="not pickled"):
        pickle.dumps(credentials)


@pytest.mark.parametrize("text", ["", "two words", "line\nbreak", "Bearer x"])
def test_a_text_that_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="token"):
        StaticToken(text)


@pytest.mark.parametrize(("application_id", "secret"), [("", "s"), ("i", ""), ("a:b", "s"), ("i", "s\r\n")])
def test_texts_that_are_no_credentials_are_refused(application_id: str, secret: str) -> None:
    with pytest.raises(ConfigError):
        ClientCredentials(application_id, secret)
