"""The OpenAPI files of the wheel and the sandbox on a real socket: what they allow is taken, the rest is refused, each as they say."""

import json
import re
from base64 import b64encode
from collections.abc import Generator
from importlib.resources import files
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from jsonschema_rs import validator_for
from schemathesis.checks import missing_required_header
from schemathesis.core.failures import FailureGroup

import voicedrop_async
from voicedrop_async.sandbox import Sandbox, in_thread
from voicedrop_async.sandbox._callbacks import _posts
from voicedrop_async.sandbox._records import LISTS
from voicedrop_async.sandbox._wire import plain

PACKAGE = Path(voicedrop_async.__file__).parent
FOLDER = files("voicedrop_async.sandbox") / "openapi"
ROUTEE, SPACIVOX = (schemathesis.openapi.from_path(str(FOLDER / f"{service}.yaml")) for service in ("routee", "spacivox"))
for file in (ROUTEE, SPACIVOX):  # the tests show who they are, and an unknown parameter is passed over
    file.config.generation.update(with_security_parameters=False, allow_extra_parameters=False)
ALIKE = settings(max_examples=25, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
"""The same requests each time; those that try each rule of each parameter come on top."""


@pytest.fixture(scope="module")
def served() -> Generator[Sandbox]:
    with in_thread(Sandbox(messages=60, drops=60)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def basic(served: Sandbox) -> str:
    return f"Basic {b64encode(':'.join(served.credentials).encode()).decode()}"


@pytest.fixture(scope="module")
def bearer(served: Sandbox, basic: str) -> str:
    asked = Request(served.auth_url + "/oauth/token", b"grant_type=client_credentials", {"Authorization": basic})
    with urlopen(asked) as response:
        return f"Bearer {json.load(response)['access_token']}"


@ROUTEE.include(path="/oauth/token").parametrize()
@ALIKE
def test_the_token_endpoint(case: schemathesis.Case, served: Sandbox, basic: str) -> None:
    case.call_and_validate(base_url=served.auth_url, headers={"Authorization": basic})


@ROUTEE.exclude(path="/oauth/token").parametrize()
@ALIKE
def test_routee(case: schemathesis.Case, served: Sandbox, bearer: str) -> None:
    case.call_and_validate(base_url=served.routee_url, headers={"Authorization": bearer})


@SPACIVOX.parametrize()
@ALIKE
def test_spacivox(case: schemathesis.Case, served: Sandbox) -> None:
    """It says 403 where the check for a missing header knows only 401."""
    bearer = {"Authorization": f"Bearer {served.spacivox_token}"}
    case.call_and_validate(base_url=served.spacivox_url, headers=bearer, excluded_checks=[missing_required_header])


def test_what_is_there_is_answered_as_they_say(served: Sandbox, bearer: str) -> None:
    """Made-up ids and ranges find nothing: these find something."""
    message = next(message for message in served.messages if message["recordings"])
    leg = next(message for message in served.messages if "conversationTrackingId" in message)
    for path, name, known in (
        ("/voice/tracking/{messageTrackingId}", "messageTrackingId", message["messageId"]),
        ("/voice/tracking/campaign/{campaignTrackingId}", "campaignTrackingId", served.history_campaigns[0]),
        ("/voice/tracking/conversation/{conversationTrackingId}", "conversationTrackingId", leg["conversationTrackingId"]),
        ("/recordings/my/downloads/{recordingTrackingId}", "recordingTrackingId", message["recordings"][0]["trackingId"]),
    ):
        case = ROUTEE[path]["GET"].Case(path_parameters={name: known})
        assert case.call_and_validate(base_url=served.routee_url, headers={"Authorization": bearer}).status_code == 200
    for path in LISTS:
        case = SPACIVOX[path]["GET"].Case(query={"start": "2000-01-01T00:00:00Z", "end": "2999-01-01T00:00:00Z"})
        records = case.call_and_validate(base_url=served.spacivox_url, headers={"Authorization": f"Bearer {served.spacivox_token}"})
        assert len(records.json()) == 60


@pytest.mark.parametrize("answer", [{"status": 418}, {"body": b"{}", "content_type": "application/json"}, {"body": b"<html>"}])
def test_another_answer_than_they_say_is_seen(served: Sandbox, bearer: str, answer: dict[str, object]) -> None:
    served.fail_next(**answer)
    with pytest.raises(FailureGroup):
        ROUTEE["/voice/tracking"]["POST"].Case(body=[]).call_and_validate(base_url=served.routee_url, headers={"Authorization": bearer})


def written(pattern: str, *files: str) -> set[str]:
    """Return the paths in source files, as ``GET /voice/tracking/{}``."""
    found = [one for file in files for one in re.findall(pattern, (PACKAGE / file).read_text(encoding="utf-8"))]
    return {f"{method.upper()} {re.sub('{[^}]*}', '{}', path)}" for method, path in found}


def test_they_name_what_the_sandbox_serves_and_the_client_asks_for() -> None:
    paths = ROUTEE.raw_schema["paths"] | SPACIVOX.raw_schema["paths"]
    named = {
        f"{method.upper()} {re.sub('{[^}]*}', '{}', path)}" for path in paths for method in {"get", "post", "delete"} & paths[path].keys()
    }
    client = written(r'method="(\w+)",\s+route="([^"]+)"', *(f"routee/_{room}.py" for room in ("sending", "tracking", "recordings")))
    lists = set(re.findall(r'"(/j/\w+)"', (PACKAGE / "spacivox.py").read_text(encoding="utf-8")))

    assert lists == LISTS.keys()
    assert named == written(r'web\.(\w+)\("(/\w[^"]*)"', "sandbox/_sites.py") | {f"GET {path}" for path in LISTS}
    assert named == client | {f"GET {path}" for path in lists} | {"POST /oauth/token"}


def test_what_is_posted_is_as_they_say(served: Sandbox, bearer: str) -> None:
    """All that a campaign has to tell, long before it is due; each key is named."""
    callback = {"strategy": "OnChange", "url": "http://127.0.0.1:9/"}
    spoken = {"message": {"text": "Hello"}, "name": "Spring", "hangupDelay": 5}
    filed = {"fileURL": "https://files.example.com/a.wav", "groups": ["Friends"]}
    for what in (spoken, filed):
        body = {"from": "3021", "to": ["+306912345678"], "scheduledDate": "2999-01-01T00:00:00Z", **what}
        body |= {"callback": callback, "campaignCallback": callback}
        ROUTEE["/voice/campaign"]["POST"].Case(body=body).call_and_validate(base_url=served.routee_url, headers={"Authorization": bearer})
    posts = [plain([post.content()])[0] for campaign in served.campaigns[-2:] for post in _posts(campaign)]

    named = {}
    for webhook, mark in (("message", "messageId"), ("campaign", "statuses")):
        content = ROUTEE.raw_schema["webhooks"][webhook]["post"]["requestBody"]["content"]["application/json"]
        validator = validator_for({**content["schema"], "components": ROUTEE.raw_schema["components"]})
        told = [post for post in posts if mark in post]
        assert told
        for post in told:
            validator.validate(post)
        name = content["schema"]["$ref"].rpartition("/")[2]
        named[webhook] = ROUTEE.raw_schema["components"]["schemas"][name]["properties"].keys() - {key for post in told for key in post}
    assert named == {"message": {"operator"}, "campaign": set()}
    assert ROUTEE.raw_schema["webhooks"].keys() == {"message", "campaign", "conversation", "keys"}
