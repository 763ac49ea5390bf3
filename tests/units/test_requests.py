"""A request says what it is, and shows no id and no number."""

from voicedrop_async import Kind
from voicedrop_async.calls import Request


def test_a_request_shows_its_route_and_no_ids() -> None:
    request = Request(method="GET", route="/voice/tracking/{message_id}", kind=Kind.READ, ids={"message_id": "a/b"})

    assert str(request) == "GET /voice/tracking/{message_id}"
    assert request.path == "/voice/tracking/a%2Fb"
    assert "a/b" not in repr(request)


def test_a_route_shows_what_it_is_and_no_number_in_it() -> None:
    """Percent-encoded, a number with blanks in it would look like something else."""
    request = Request(method="GET", route="/voice/0030%20691%20234%205678/x%20y/%C3%BC", kind=Kind.READ)

    assert str(request) == "GET /voice/0030*****78/x y/ü"
    assert request.path == "/voice/0030%20691%20234%205678/x%20y/%C3%BC"
