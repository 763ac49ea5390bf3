"""The matrix of faults: by id, what happens, and what the client makes of it.

A test of a row begins with its id, as ``test_a01_...``, or with the ids of several. The letters: A token, N network and time, H status
and head, P paid sends, G pages, J values, S security, D life cycle and many at once. Numbers that are missing were given up.
"""

import re
from typing import NamedTuple


class Fault(NamedTuple):
    """One row."""

    happens: str
    expected: str
    room: str = ""
    """What it waits for to be built, and why it has no test yet."""


FAULTS: dict[str, Fault] = {
    # token
    "A01": Fault("500 callers come, and there is no token", "one request for a token, and 500 answers"),
    "A02": Fault("the token ends in the middle of a fan-out", "one renewal, and no call fails"),
    "A03": Fault("the caller that began a renewal is cancelled", "the others get the token, which is not asked for again"),
    "A05": Fault("no token, and its endpoint is down", "all who wait share one failure, after no more attempts than one of them has"),
    "A06": Fault("401 for the present token", "one renewal, one repetition, then Unauthorized"),
    "A07": Fault("401 for 100 calls at once", "one renewal"),
    "A08": Fault("403 for ever, as from a list of addresses", "one renewal for each token, then Forbidden, and no loop"),
    "A10": Fault("HTML, {}, null or a line break instead of a token", "Unauthorized, and no header is made of it"),
    "A11": Fault("the type of the token in any case, or another type", "Bearer in any case is taken, another type is an error"),
    "A12": Fault("the clock is set a day forth or back", "nothing: age, pauses and deadlines go by the monotonic clock"),
    # network and time
    "N01": Fault("refused at first, then up", "read and paid send succeed, and the server is reached once"),
    "N02": Fault("a host that does not exist", "ConnectFailed after a bounded number of attempts"),
    "N03": Fault("a name is looked up for longer than connecting may take", "not sent, and tried again"),
    "N04": Fault("nobody answers the first packet", "given up at the time for connecting"),
    "N05": Fault("the link dies under a kept connection", "a read goes on over a new one, a paid send is unknown"),
    "N06": Fault("the link is dead before connecting", "not sent"),
    "N07": Fault("one packet in twenty is lost", "no error, only time"),
    "N08": Fault("a line of one megabit", "done, or given up at the time for an attempt; never stuck"),
    "N09": Fault("closed without an answer", "a read succeeds, with one request for each attempt"),
    "N10": Fault("kept connections are closed under 1,000 paid sends", "none is ambiguous"),
    "N11": Fault("reset after the headers went out", "a read is repeated, a paid send is unknown"),
    "N12": Fault("cut within the status line", "a read is repeated, a paid send is unknown"),
    "N13": Fault("cut within the body, by length or within a chunk", "ConnectionLost; a read is repeated"),
    "N14": Fault("a body without a length ends too early", "WireError; a read is repeated once"),
    "N15": Fault("the answer comes byte by byte", "success"),
    "N17": Fault("accepted, and then silence", "given up at the time for an attempt, and the connection is not kept"),
    "N18": Fault("slow calls hold every slot", "whoever waits does so outside the time of an attempt, and none fails"),
    "N19": Fault("1,000 cancellations at random points", "no connection, slot or task is left, and no send outside the journal"),
    "N20": Fault("a bad, wrong or old certificate, or no TLS at all", "an error that is not repeated, within the time for an attempt"),
    "N21": Fault("a proxy says 407 or 502, or refuses to connect", "an error of ours, without the proxy's password"),
    # status and head
    "H01": Fault("429 with Retry-After: 1", "1 to 1.1 s of quiet for all, then success"),
    "H02": Fault("Retry-After as a date, in any of its three forms", "the right wait, by the server's own clock"),
    "H04": Fault("Retry-After of an hour", "RateLimited at once, with the hour in it"),
    "H05": Fault("429 for ever", "an end at the deadline, and the error counts the attempts"),
    "H06": Fault("503 twice, then 200", "success, three requests"),
    "H07": Fault("500 in JSON for a paid send", "unknown, one request"),
    "H08": Fault("502 or 504 in HTML for a paid send", "unknown, one request"),
    "H09": Fault("503 with Retry-After and an error object for a paid send", "sent once more after the wait"),
    "H10": Fault("400, 404, 409 or 422 with an error object", "its own error, with code, message and property; one request"),
    "H11": Fault("400 with Retry-After", "not repeated"),
    "H12": Fault("a redirect, to the same host or to another", "an error, and the other host sees nothing"),
    "H14": Fault("a status that is none, 101, or 1xx without end", "a broken protocol, and not HTTP 400"),
    "H15": Fault("a header of 20 KB, 500 headers, or two lengths", "a broken protocol"),
    "H16": Fault("1,000 calls meet a storm of 5xx", "at most 1.3 requests a call, and then failures without a wait"),
    # paid sends
    "P01": Fault("the service acts, and the answer is dropped", "OutcomeUnknown, one campaign"),
    "P02": Fault("the service acts, and answers too late", "OutcomeUnknown, one campaign, and reconciling says it was sent"),
    "P04": Fault("the service acts, and answers 200 with HTML or another shape", "unknown, with status, content type and length"),
    "P06": Fault("cancelled before anything is sent", "the journal holds nothing"),
    "P07": Fault("killed between sending and the answer", "the journal on the disk shows it as open afterwards"),
    "P08": Fault("the journal cannot be written", "nothing is sent"),
    "P09": Fault("401, and then a good answer", "exactly one send is accepted"),
    "P10": Fault("409 for a name that an unknown send may have used", "it is reconciled, and nothing is sent twice"),
    "P11": Fault("of three chunks of 1,000 the second is unknown", "one sent, one unknown, one not attempted; each recipient once"),
    "P12": Fault("a recipient comes twice", "told, and called once; in other notations only with a region"),
    "P13": Fault("200 with errors for some recipients", "a receipt, and the invalid numbers are listed"),
    "P15": Fault("two messages are found for one recipient", "DUPLICATE_SUSPECTED"),
    "P16": Fault("1,000 sends under one fault in ten", "no duplicate; each is acknowledged, unknown or failed; nox -s soak sends 10,000"),
    # pages
    "G01": Fault("a page repeats an earlier one", "PageLoop behind what came before, and a token; in a list that grew, only duplicates"),
    "G03": Fault("there are fewer pages than before", "an end where the list ends, and not called complete"),
    "G04": Fault("there are more pages than before", "followed while they bring something new; after three that do not, the end"),
    "G05": Fault("an empty page in the middle", "the walk goes on"),
    "G06": Fault("an empty list", "no items, one request"),
    "G07": Fault("last and the number of pages contradict each other", "one more page settles it, and the walk is not complete"),
    "G09": Fault("items come again on other pages", "handed out once, and counted"),
    "G10": Fault("items are counted and never seen", "told as missing"),
    "G11": Fault("an item has no id", "kept, with an empty id, and told apart by its content"),
    "G12": Fault("another page than the one asked for", "WireError"),
    "G14": Fault("the content is null, missing, or no list", "null is empty, the rest a WireError with its path"),
    "G15": Fault("counts below zero", "unknown; the walk goes by last and by empty pages"),
    "G16": Fault("counts as text, as 3.0, as 1e3, or as a truth value", "numbers, but for the truth value"),
    "G19": Fault("page 7 fails for good", "what came before, and a token to go on from without beginning anew"),
    "G20": Fault("a message comes twice with different states", "handed out once and counted; a summary keeps the newer"),
    "G21": Fault("the consumer leaves early", "no task, request or connection is held"),
    "G22": Fault("pages fetched ahead are answered out of order", "handed out in order, and no more held than the window"),
    # values
    "J01": Fault("a word newer than this library", "kept as it is"),
    "J02": Fault("fields of no document", "passed over, and kept in extra"),
    "J03": Fault("a field is missing", "None where it may be; otherwise WireError with its path, within a walk counted"),
    "J04": Fault("a number as text, a text as number", "read by the type of the field: a message's id is text, a drop record's a number"),
    "J06": Fault("5.9 or 1e2 for a whole number", "an error, and 100"),
    "J07": Fault("null for a text", "None or an error, and never the word None"),
    "J09": Fault("an id of 2^70 as a number", "its digits; a drop record's, which is a number, as that number"),
    "J11": Fault("100,000 brackets", "WireError, no crash"),
    "J12": Fault("a byte order mark, UTF-16, bad UTF-8, half a surrogate pair, NUL", "the mark is passed over, bad text is a WireError"),
    "J13": Fault(
        "moments in seconds, milliseconds, without a zone, to nine digits, 24:00, year 0",
        "one rule, and UTC without a zone; what is no moment is None, and kept in extra",
    ),
    "J14": Fault("a key comes twice", "the last one counts"),
    "J15": Fault("HTML, plain text, no type or a wrong charset on 200", "read by its content; an error names the type"),
    "J16": Fault("a body of 1 GB, and a bomb of 190 KB", "WireError at the cap, and memory within 20 MB of it"),
    "J17": Fault("a truncated gzip, and one that is none", "an error of ours"),
    "J18": Fault("a country by name, a number without plus, No Answer", "kept as it came"),
    # security
    "S01": Fault("every public value, error, log record and pickle is searched for secrets", "none is found"),
    "S02": Fault("logging at its lowest level", "no token and no number"),
    "S04": Fault("a recording elsewhere, in a network, or behind a redirect", "refused, and no token leaves the origin of the API"),
    "S05": Fault("a file name that leads elsewhere, or a link in its place", "a safe name of our own, or an error"),
    "S06": Fault("cells of a table that a spreadsheet would run", "disarmed, but for telephone numbers"),
    "S08": Fault("a callback with a wrong token, too long, or again", "refused or passed over, in constant time"),
    "S09": Fault("netrc and a proxy in the environment", "not used unless asked for"),
    "S11": Fault("plain http, or TLS without verification", "refused by the constructor"),
    "S12": Fault("line breaks in what becomes a header", "refused before any byte"),
    # life cycle, many at once
    "D01": Fault(
        "closed while 100 calls run or stand in line",
        "SessionClosed, for a send that may have left OutcomeUnknown, and no warning; closing twice is fine",
    ),
    "D02": Fault("never closed", "ResourceWarning and no more; the program ends"),
    "D03": Fault("used in another loop, or after a fork", "ConfigError that says to make one in each run"),
    "D04": Fault("100,000 lookups, 500 at once", "memory flat, the rate held, none lost"),
    "D06": Fault("a worker is killed in the middle of a shard", "all shards done, and nothing twice in the result"),
    "D07": Fault("Redis is down, restarted, flushed or slow under a limit", "no paid send, reads at a rate of their own"),
    "D08": Fault("four processes, and one limit of 50 a second", "at most 51 in any second"),
}

_TEST = re.compile(r"test_((?:[a-z]\d\d_)+)")


def rows_of(test: str) -> tuple[str, ...]:
    """Return the ids at the beginning of a test's name, which may stand behind its file and before its parameters."""
    found = _TEST.match(test.partition("[")[0].rpartition("::")[2])
    return tuple(found[1].upper().split("_")[:-1]) if found else ()
