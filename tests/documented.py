"""What the services' pages say of what the sandbox serves, and what the sandbox had to guess. By id, each row with its page.

A test of a row bears its id: ``@pytest.mark.documented("T01")``. The letters: T token, S search and tracking, C campaigns, V values,
B callbacks, E errors and conventions, X Spacivox, N documented and not served. Numbers that are missing were given up.
"""

from typing import NamedTuple

INDEX = "the index of Routee's reference, by a copy of it"
GUESS = "no page of theirs: a guess"


class Row(NamedTuple):
    """One claim."""

    claim: str
    page: str
    """Its name, of Routee's pages but for X; or that there is none."""


ROWS: dict[str, Row] = {
    # token
    "T01": Row("the token endpoint is POST /oauth/token, on another host than the API", "Get authenticated"),
    "T02": Row("it is shown Basic with application id and secret", "Authentication"),
    "T03": Row("grant_type=client_credentials comes in a form; scope may be left out", "Get authenticated"),
    "T04": Row("a token has access_token, token_type, expires_in, scope and permissions", "Authentication"),
    "T05": Row("without a scope asked for, a token has every scope of the application", "Get authenticated"),
    "T06": Row("a token lives 3600 s; for some applications 86400 s, or 20 years", "Authentication"),
    "T07": Row("a token can be revoked before its end, and then another one is asked for", "Settings; Authentication"),
    "T08": Row("/oauth/access_token is another service's", "Introduction"),
    "T50": Row("the grant may come in the query too", GUESS),
    "T51": Row("a token that holds is given again, with what is left of its life", GUESS),
    "T52": Row("wrong credentials are a 401 in the gateway's shape, another grant a 400 in OAuth's", GUESS),
    # search and tracking
    "S01": Row("POST /voice/tracking searches, with parameters in the query and filters in the body", "Track multiple voice messages"),
    "S02": Row("GET /voice/tracking/{id} is one message", "Voice message tracking"),
    "S03": Row("GET /voice/tracking/conversation/{id} is a page of its legs", "Retrieve conversation dial tracking"),
    "S04": Row("page counts from 0, which is its default", "Track multiple voice messages"),
    "S05": Row("size is 20 if left out", "Track multiple voice messages"),
    "S06": Row("sort takes the name of a field", "Track multiple voice messages"),
    "S07": Row("trackingId keeps the messages of one campaign", "Track multiple voice messages"),
    "S08": Row("eight fields can be filtered, by other names than they are answered under", "Track multiple voice messages"),
    "S09": Row("is, is_not, contains, starts_with and ends_with; is, if none is named", "Track multiple voice messages"),
    "S10": Row("a filter needs its fieldName and its searchTerm, a text", "Track multiple voice messages"),
    "S11": Row("a page tells content, counts, number, size, first and last", "Track multiple voice messages"),
    "S12": Row("every message has its id, numbers, status with date, application, service, direction", "Track multiple voice messages"),
    "S13": Row("a message of a campaign has the campaign's name, and no conversation", "Track multiple voice messages"),
    "S14": Row("groups is a list of names", "Voice message tracking"),
    "S15": Row("country is ISO 3166-1 alpha-2", "Track multiple voice messages"),
    "S16": Row("duration and price are numbers, and chargeInterval is seconds", "Track multiple voice messages"),
    "S17": Row("either fileURL or message is there, and message is an object", "Track multiple voice messages"),
    "S18": Row("collectedTones is there where tones were collected", "Track multiple voice messages"),
    "S19": Row("recordings is a list, each with id, start, end, numbers, url, voiceTrackingIds, duration", "Voice message tracking"),
    "S20": Row("answeredBy is HUMAN, MACHINE or UNKNOWN", "Track multiple voice messages"),
    "S21": Row("what there is not is missing, and not null", "Track multiple voice messages"),
    "S22": Row("an unknown id is a 404", "SMS tracking: single"),
    "S23": Row("from and to bound a search; GET /voice/tracking/campaign/{id} is the same as a search for the campaign", INDEX),
    "S50": Row("both edges belong to a range", GUESS),
    "S51": Row("tagged keeps messages whose recipient has groups", GUESS),
    "S52": Row("several filters are combined with and; no filter is an empty list", GUESS),
    "S53": Row("sort goes up, or down with ,desc behind it; rows without the field are first", GUESS),
    "S54": Row("a list is ordered by creation, oldest first", GUESS),
    "S55": Row("a page behind the end is empty, and the last", GUESS),
    "S56": Row("no size is too great, unless it is capped; then the echo says so", GUESS),
    "S57": Row("every id has a recording, a .wav file", GUESS),
    # campaigns
    "C01": Row("a spoken text has at most 1000 characters", "Other voice messaging concepts"),
    "C02": Row("a callback's strategy is OnChange or OnCompletion", "Send a voice campaign"),
    "C03": Row("totalInGroups leaves out who is called already", "Send a voice campaign"),
    "C04": Row("success is 200", "Status codes"),
    "C05": Row("fileURL leads to a .wav file", "Other voice messaging concepts"),
    "C06": Row("the sender is a number, or letters", "Send a voice campaign; Other voice messaging concepts"),
    "C07": Row("the answer has the documented keys; what was not supplied is missing", "Send a voice campaign"),
    "C08": Row(
        "voiceAnalysis.contacts is an object, recipientsPerGroup counts by name, dialPlanAnalysis.placeholder", "Send a voice campaign"
    ),
    "C09": Row("errors lists code, developerMessage and property, the invalid number", "Send a voice campaign"),
    "C10": Row("403 and 404 are answers to a campaign and an analysis", "Send a voice campaign; Analyze a voice campaign"),
    "C11": Row("409 where a campaign's name exists", "Status codes"),
    "C12": Row("POST /voice/analysis answers the analysis at the top, with errors, and calls nobody", "Analyze a voice campaign"),
    "C13": Row("names have 2 to 30 letters, digits, blanks and hyphens, lists at most 1000 entries", INDEX),
    "C50": Row("a name may be used again, unless names are to be unique", GUESS),
    "C51": Row("an invalid number refuses the whole campaign, unless partial errors are asked for", GUESS),
    "C52": Row("each entry of to is called once, twins too", GUESS),
    "C53": Row("a scheduled campaign can be deleted until it begins, with an empty answer; then it is a 409", GUESS),
    "C54": Row("an unanswered call rings for hangupDelay seconds, a minute at most", GUESS),
    # values
    "V01": Row("a message is Queued, Initiated, Ringing and InProgress on its way", "Voice messaging statuses"),
    "V02": Row("it ends as Completed, Busy, NoAnswer or Failed", "Voice messaging statuses"),
    "V03": Row("eleven statuses are counted, Unknown, Unsent and Terminated among them", "Voice messaging statuses"),
    "V04": Row("a campaign is Scheduled, Queued, Running, Sent", "Voice messaging statuses"),
    "V05": Row("fourteen languages", "Say verb"),
    "V06": Row("a voice is male or female", "Say verb"),
    "V07": Row("a direction is Inbound or Outbound", "Voice conversation callbacks"),
    "V50": Row("a campaign ends as Finished", GUESS),
    "V51": Row("a status of no document turns up one day", GUESS),
    # callbacks
    "B01": Row("a message's callback has the documented keys, and status{name, updatedDate}", "Voice callbacks"),
    "B02": Row("there are callbacks of a message and of a campaign", "Voice callbacks"),
    "B03": Row("a post counts when it is answered 200 within 2 s; otherwise it is repeated", "Callback URL webhook"),
    "B04": Row("up to twelve repeats, 30 s to 24 h apart", "Callback URL webhook"),
    "B50": Row("a campaign's callback has its id, name, state and counts", GUESS),
    # errors and conventions
    "E01": Row("an error has code and developerMessage", "Error codes"),
    "E02": Row("a code is nine digits: status, module, number", "Error codes"),
    "E03": Row("statuses are 200, 400, 401, 404, 409 and 500", "Status codes"),
    "E04": Row("dates go out in ISO 8601, UTC, with Z", "Failover callbacks"),
    "E05": Row("dates of a query may lack their seconds", "Track multiple failovers"),
    "E06": Row("an answered call is charged by the second, others are free", "Other voice messaging concepts"),
    "E50": Row("a bad token and an unknown path are answered in the gateway's shape", GUESS),
    # Spacivox
    "X01": Row("a static bearer token lets in", "Spacivox: index"),
    "X02": Row("a bad token is a 403", "Spacivox: voicemail_drop_records"),
    "X03": Row("400 where a required field is missing: start and end, ISO 8601", "Spacivox: voicemail_drop_records"),
    "X04": Row("team, an integer, may be left out", "Spacivox: voicemail_drop_records"),
    "X05": Row("the answer is a list of records with eight fields", "Spacivox: voicemail_drop_records"),
    "X06": Row("state is 0 sent, 1 delivered, 2 failed, 3 rejected", "Spacivox: voicemail_drop_records"),
    "X07": Row("reference is unique within its campaign", "Spacivox: voicemail_drop_records"),
    "X08": Row("timestamp is ISO 8601 with milliseconds and Z", "Spacivox: voicemail_drop_records"),
    "X09": Row("a text record has the same fields, a portal or null, and with include=body its body", "Spacivox: text_records"),
    "X50": Row("both edges belong to a range, and the oldest record is first", GUESS),
    "X51": Row("a refusal is plain text", GUESS),
    # not served
    "N01": Row("POST /voice/conversation, GET /voice/conversation/{id}", "Perform a voice conversation; Retrieve conversation tracking"),
    "N02": Row("GET /campaigns/{id}, documented for SMS", "Retrieve details for a campaign"),
    "N03": Row("other lists of Spacivox: call_records, email_records, jobs, campaigns and more", "Spacivox: index"),
    "N04": Row(
        "a conversation's callback has its ids, to, from, status{name, updatedDate}, direction, duration, price and two more",
        "Voice conversation callbacks; Webhooks callbacks",
    ),
    "N05": Row(
        "keys are posted at # with submitOnHash, at a tone while a verb with bargeIn runs, and when the call is over",
        "Voice conversation callbacks",
    ),
    "N06": Row("a dial plan answered within 3 s takes the place of the one that runs; otherwise that goes on", "Call flow"),
    "N07": Row("an inbound call asks for its first dial plan; without a valid one within 3 s it is dropped", "Webhooks callbacks"),
    "N08": Row("COLLECT takes maxDigits, 30 if left out, and submitOnHash, false if left out", "Collect verb"),
}
