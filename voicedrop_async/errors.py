"""Everything that can go wrong, as one tree.

    VoiceDropError
      ConfigError                   you asked for something that cannot be; nothing was sent
      SessionClosed                 the session is closed
      ResumeTokenError              a token that no walk of this stream can go on from
      WebhookRejected               what was posted to a callback URL is no callback
      JournalError                  the journal of paid sends cannot be read or written; a send that raises it sent nothing
      FileError                     a file could not be written to its end, or read: a full disk, a right that is missing, a broken part
      RequestError                  a call failed: .request .attempts .may_have_happened .retry_after .resume
        ConnectFailed               nothing left this machine
        ThrottleFailed              the limit that is shared with others cannot be asked; nothing left this machine
        ConnectionLost              the line broke after sending began
        TimedOut                    an attempt took longer than ``Timeouts`` allow; also a TimeoutError
        DeadlineExceeded            the call took longer than its ``deadline``; also a TimeoutError
        ApiError                    the service said no: .status .code .developer_message .problems
          BadRequest                400, 422
          Unauthorized              401
          Forbidden                 403
          NotFound                  404
          Conflict                  409
          RateLimited               429
          ServerFailed              5xx
        WireError                   an answer that cannot be read: .status .content_type .length .path
        OutcomeUnknown              a paid send that may have happened: .intent .status
      WalkError                     a walk cannot go on: .report .resume
        PageLoop                    the service sends the same page again and again
        DriftDetected               the list changed while it was walked, and ``on_drift`` is "raise"

An error is a fact sheet. It holds no secret and no body, shows no phone number, and pickles without either.
"""

import re
from typing import Any, Final, TypeVar, dataclass_transform

import attrs
from attrs import define, field

from voicedrop_async._masking import shown, shown_code, spoken
from voicedrop_async.models import NO_EXTRA, CampaignProblem, Intent, ResumeToken, WalkReport

_MOST_CODES: Final = 5
"""Codes of rows that are shown; all are in ``problems``."""
_QUOTED: Final = re.compile(r"(?<!\w)(['\"`]).*?\1(?!\w)", re.DOTALL)
"""What a service quotes, such as the text that it refused."""

E = TypeVar("E", bound="VoiceDropError")
K = TypeVar("K")


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(field,))
def _facts(kind: type[K]) -> type[K]:
    """Make an error of keyword-only facts."""
    # attrs would copy every fact into ``args``, where the service's own words would be shown unmasked: auto_exc is off.
    return define(eq=False, slots=False, repr=False, auto_exc=False, kw_only=True)(kind)


def _masked(value: Any) -> Any:
    """Return ``value`` as it may be pickled: texts masked, also those inside problems."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, tuple):
        parts: tuple[Any, ...] = value
        return tuple(_masked(part) for part in parts)
    if isinstance(value, CampaignProblem):
        text, numbers = _masked(value.developer_message), _masked(value.property)
        code = None if value.code is None else shown_code(value.code)
        return attrs.evolve(value, code=code, developer_message=text, property=numbers, extra=NO_EXTRA)
    return value


def _pickled(error: Any) -> dict[str, Any]:
    # Keyword-only errors do not unpickle by themselves, and what they say must not leave the process unmasked.
    facts = {fact.name: _masked(getattr(error, fact.name)) for fact in attrs.fields(error.__class__)}
    if isinstance(error, ApiError) and error.code is not None:
        facts["code"] = shown_code(error.code)
    return facts


def _rebuilt(kind: type[E], facts: dict[str, Any]) -> E:
    return kind(**facts)


class VoiceDropError(Exception):
    """Base of every error this library raises by intent."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class ConfigError(VoiceDropError):
    """What was asked for cannot be; nothing was sent. The text names the argument, its fault and the rule."""


class SessionClosed(VoiceDropError):
    """The session is closed; make another one."""

    resume: ResumeToken | None = None
    """Of a walk that it ended: the place to go on from, with ``resume=`` of the same stream."""

    def __init__(self, text: str = "the session is closed; make a new one for further calls") -> None:
        """Say so."""
        super().__init__(text)


class ResumeTokenError(VoiceDropError):
    """The token of resumption is damaged, or belongs to another query, page size or version. Nothing was sent."""


class WebhookRejected(VoiceDropError):
    """What was posted to a callback URL is no callback; the text says where, in wire names, and never what stands there."""


class JournalError(VoiceDropError):
    """The journal of paid sends cannot be read or written; the text says what to mend.

    What was about to be sent was not. What was about to be settled stays open.
    """


class FileError(VoiceDropError):
    """The disk refused a file that was being written, or a shard's that was read, or that is broken; the text says why.

    Of a recording, or of a page or picture, nothing stays. An export keeps what came before, and the same call goes on from there.
    """


@_facts
class RequestError(VoiceDropError):
    """A call to a service failed."""

    summary: str
    """What happened, without anything the service or the caller sent."""
    request: str = ""
    """Method and route, as in ``POST /voice/campaign``; ids in the path are left out, but not those in a path of ``call(...)``."""
    attempts: int = 1
    """Requests sent, or tried to be."""
    may_have_happened: bool = False
    """Whether a call that changes something (a paid send, a deletion) may have taken effect all the same."""
    may_pass: bool = False
    """Whether the same call can succeed later without a change."""
    retry_after: float | None = None
    """Seconds the service asked to wait."""
    budget_exhausted: bool = False
    """Whether it would have been repeated, had the retry budget of the session not been used up by other failures."""
    resume: ResumeToken | None = field(default=None, repr=False)
    """Of a failure inside a walk: the place to go on from, with ``resume=`` of the same stream."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), _pickled(self))

    def __str__(self) -> str:
        effect = f"; {'it' if self.attempts else 'the earlier one'} may have taken effect" if self.may_have_happened else ""
        budget = "; the retry budget of the session is used up" if self.budget_exhausted else ""
        told = f"{self.request or 'request'}: {self.summary} (attempts: {self.attempts}{effect}{budget}){self._details()}"
        advice = self._closing()
        return f"{told}; {advice}" if advice else told

    def _details(self) -> str:
        """What else is known; follows the summary as it is."""
        return ""

    def _closing(self) -> str:
        # Also of the cause of an OutcomeUnknown, whose text a traceback shows above it: nobody may be told there to send again.
        return "look whether it did, before you do it again" if self.may_have_happened else self._advice()

    def _advice(self) -> str:
        """What to do now: the end of the sentence."""
        return "try again later" if self.may_pass else ""


def _later(error: RequestError) -> str:
    return "later" if error.retry_after is None else f"after {spoken(error.retry_after)} s"


def _rows(problems: tuple[CampaignProblem, ...]) -> str:
    """Say how many rows there are, and their codes; their words speak of one recipient, or quote a text."""
    if not problems:
        return ""
    codes = list(dict.fromkeys(shown_code(problem.code) for problem in problems if problem.code))
    told = f": {', '.join(codes[:_MOST_CODES])}" if codes else ""
    return f" [{len(problems)} problem{'s' * (len(problems) > 1)}{told}; see .problems]"


@_facts
class ConnectFailed(RequestError):
    """No connection came about: nothing left this machine, sending again is safe.

    Or the queue of the workers cannot be reached; putting shards on it again is safe, too.
    """

    may_pass: bool = True

    def _advice(self) -> str:
        if not self.may_pass:
            return "mend that, then do it again, which is safe"
        return "look at the address, the network and its proxies, then do it again, which is safe"


@_facts
class ThrottleFailed(RequestError):
    """The limit that is shared with others cannot be asked: nothing left this machine, sending again is safe."""

    may_pass: bool = True

    def _advice(self) -> str:
        return "look at the Redis server, then send it again, which is safe"


@_facts
class ConnectionLost(RequestError):
    """The line broke after sending began. Look before you send again."""

    may_have_happened: bool = True
    may_pass: bool = True

    def _advice(self) -> str:
        return "try again later, and look at the network and its proxies if it stays" if self.may_pass else "mend that, then try again"


@_facts
class TimedOut(RequestError, TimeoutError):
    """One attempt took longer than ``Timeouts`` allow."""

    may_pass: bool = True

    __str__ = RequestError.__str__

    def _advice(self) -> str:
        return "try again later, or allow more time with timeouts"


@_facts
class DeadlineExceeded(RequestError, TimeoutError):
    """The whole call, with its waiting and its repeats, took longer than its ``deadline``; or requests are paused for longer.

    ``retry_after`` then says how long they still are.
    """

    may_pass: bool = True

    __str__ = RequestError.__str__

    def _advice(self) -> str:
        return f"try again {_later(self)}, or allow more time with deadline"


@_facts
class ApiError(RequestError):
    """The service answered, and the answer was no."""

    status: int
    """HTTP status."""
    code: str | None = None
    """The service's own code: usually nine digits, status, module and number. Text, not a number."""
    developer_message: str | None = field(default=None, repr=False)
    """The service's own words, unmasked here; ``str`` of the error masks phone numbers in them, and leaves out what they quote."""
    problems: tuple[CampaignProblem, ...] = field(default=(), repr=False)
    """The rows of ``errors[]``, where the answer had some."""

    def _details(self) -> str:
        code = f", code {shown_code(self.code)}" if self.code else ""
        words = f": {shown(_QUOTED.sub('***', self.developer_message)).rstrip('. ')}" if self.developer_message else ""
        return f"{code}{words}{_rows(self.problems)}"

    def _advice(self) -> str:
        if self.may_pass:
            return "try again later"
        said = self.code or self.developer_message
        return "mend what the service says" if said else "check the service's URL, and what stands between you and it"


class BadRequest(ApiError):
    """400 or 422: the request as such is not acceptable. Mend it; repeating does not help."""

    def _advice(self) -> str:
        return "mend the request: the same again fails again"


class Unauthorized(ApiError):
    """401: the credentials are not accepted, also not with a token renewed for this call."""

    def _advice(self) -> str:
        return "check the application id and secret, or the token, and the URL they are sent to"


class Forbidden(ApiError):
    """403: not allowed, also not with a token that was renewed because of it. Spacivox says so for a bad token too."""

    def _advice(self) -> str:
        return "check the credentials, and the account's permissions and list of allowed addresses"


class NotFound(ApiError):
    """404: no such campaign, message or conversation."""

    def _advice(self) -> str:
        return "check the id, and the service's URL"


class Conflict(ApiError):
    """409: something of that name or state exists already."""

    def _advice(self) -> str:
        return "look at what is there already, before you ask again"


class RateLimited(ApiError):
    """429: too many requests; ``retry_after`` says how long to wait, if the service did."""

    def _advice(self) -> str:
        return f"try again {_later(self)}, and set a lower rate"


class ServerFailed(ApiError):
    """5xx: the service failed."""

    def _advice(self) -> str:
        return f"try again {_later(self)}" if self.may_pass else "tell the service, for the same again may fail as well"


@_facts
class WireError(RequestError):
    """An answer came and cannot be read: not JSON, or of another shape than documented."""

    path: str = ""
    """Where in the answer, in wire names, as in ``content[3].status``; never the value."""
    status: int | None = None
    """HTTP status of the answer."""
    content_type: str | None = None
    """What the answer called itself."""
    length: int | None = None
    """Bytes of the answer that were read."""
    too_long: bool = False
    """Whether it is longer than what is read: ask for less at once."""

    def _details(self) -> str:
        facts = [f"status {self.status}"] if self.status is not None else []
        facts += [f"content type {shown(self.content_type, 80)}"] if self.content_type else []
        facts += [f"{self.length} bytes"] if self.length is not None else []
        facts += [f"at {shown(self.path, 200)}"] if self.path else []
        return f": {', '.join(facts)}" if facts else ""

    def _advice(self) -> str:
        if self.too_long:  # its summary says what to do
            return ""
        if self.may_pass:
            return "try again later, and if it stays, check the service's URL and what stands between you and it"
        return "the service may have changed: look for a newer version of this library, or report this line"


@_facts
class OutcomeUnknown(RequestError):
    """A paid send may have happened, and telephones may ring. It was not repeated, and must not be blindly.

    Its entry in the journal stays open, and nothing is sent under its ref. Look first: ``await session.reconcile(error.intent)``
    some minutes after ``intent.started_at`` ends it if the messages are there. Else a person does, who says so with
    ``session.journal.settle(error.intent.ref, sent=...)``; after ``sent=False`` the same ref can be sent again.
    """

    may_have_happened: bool = True
    intent: Intent
    """What was being sent, without the recipients."""
    status: int | None = None
    """HTTP status of the answer, if one was seen."""

    def __str__(self) -> str:
        return f"{super().__str__()}. Do not send it again before you have looked: {self._look()}"

    def _closing(self) -> str:
        return ""

    def _look(self) -> str:
        # In clear, or nobody could follow it: neither may be the number of a recipient. ``repr`` escapes what could forge a log.
        name, ref = self.intent.campaign_name, self.intent.ref
        where = f"reconcile({ref!r}) searches the tracking for campaign {name!r}" if name else "look where the service shows its calls"
        return (
            f"{where}, some minutes after {self.intent.started_at.isoformat(timespec='seconds')} (recipients: {self.intent.recipients}). "
            f"Whoever knows what became of it tells the journal: session.journal.settle({ref!r}, sent=True) or sent=False"
        )


@_facts
class WalkError(VoiceDropError):
    """A walk cannot go on; what it handed out before stays good."""

    summary: str
    """What happened, fit to be shown."""
    report: WalkReport
    """What the walk had seen until then."""
    resume: ResumeToken | None = field(default=None, repr=False)
    """The place to go on from, with ``resume=`` of the same stream."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), _pickled(self))

    def __str__(self) -> str:
        advice = self._advice()
        told = f"{self.summary} (pages before: {self.report.pages}, items: {self.report.items})"
        return f"{told}; {advice}" if advice else told

    def _advice(self) -> str:
        """What to do now: the end of the sentence."""
        return ""


class PageLoop(WalkError):
    """The service sends a page it has sent before, while its list does not grow: going on would never end."""

    def _advice(self) -> str:
        return "what came before is good; narrow the range, and tell the service"


class DriftDetected(WalkError):
    """The list changed while it was walked: its count is another one, an item came twice, or one is missing."""

    def _advice(self) -> str:
        return 'go on with resume=error.resume, or walk again with on_drift="repair"'
