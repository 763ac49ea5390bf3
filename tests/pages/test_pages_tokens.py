"""A place in a walk as text: it goes on from there and nowhere else."""

import pickle
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest
from page_servers import Honest, OnePageLists, Scripted, drain, fetched, ids, source, walked

from voicedrop_async.errors import ConnectionLost, ResumeTokenError
from voicedrop_async.models import ResumeToken
from voicedrop_async.pages import PageStream, Span
from voicedrop_async.pages._tokens import Mark, micros, query_hash, read_token

SEVEN = "abcdefg"
EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
LISTS = ("abc", "", "defg")


async def with_tokens(server, **options):
    """Walk to the end; return the ids, and the token after each."""
    taken, tokens = [], []
    async with server.stream(**options).walk() as walk:
        tokens.append(walk.token)
        async for item in walk:
            taken.append(item.message_id)
            tokens.append(walk.token)
    return taken, tokens


@pytest.mark.parametrize("lists", [(SEVEN,), LISTS], ids=["one list", "lists"])
@pytest.mark.parametrize("options", [{}, {"prefetch": 3}, {"on_drift": "repair"}, {"on_drift": "raise"}, {"on_drift": "ignore"}], ids=str)
async def test_a_walk_goes_on_behind_any_item(lists, options):
    taken, tokens = await with_tokens(Honest(*lists), **options)
    for place, token in enumerate(tokens):
        rest, _, report = await walked(Honest(*lists), resume=token, **options)
        assert rest == taken[place:]
        assert report.complete
        assert report.items == len(rest)


async def test_the_token_of_a_walk_that_goes_on_is_worth_the_same():
    server = Honest(SEVEN)
    _, tokens = await with_tokens(server)
    _, later = await with_tokens(server, resume=tokens[3])
    assert later == tokens[3:]


async def test_a_walk_that_goes_on_reads_no_page_in_front_of_its_place():
    server = Honest(SEVEN)
    _, tokens = await with_tokens(server)
    server.asked.clear()
    await server.stream(resume=tokens[5]).collect()
    assert server.asked == [(0, 2), (0, 3)]


async def test_a_walk_that_has_ended_goes_on_with_nothing():
    server = Honest(SEVEN)
    _, tokens = await with_tokens(server)
    server.asked.clear()
    rest, _, report = await walked(server, resume=tokens[-1])
    assert (rest, server.asked, report.complete) == ([], [], True)


async def test_a_walk_that_ended_with_a_doubt_stays_doubtful():
    server = Scripted(fetched("ab", last=True, pages=1, total=3, skipped=1))
    async with server.stream().walk() as walk:
        assert len([item async for item in walk]) == 2
    _, _, report = await walked(server, resume=walk.token)
    assert (report.items, report.complete) == (0, False)


async def test_a_list_that_was_thrown_away_is_collected_again_from_its_beginning():
    server = Honest(SEVEN)
    server.failing = [None, None, ConnectionLost(summary="cut")]
    with pytest.raises(ConnectionLost) as failure:
        await server.stream().collect()
    assert ids(await server.stream(resume=failure.value.resume).collect()) == list(SEVEN)


async def test_a_list_that_was_thrown_away_goes_on_from_where_it_began():
    server = Honest(SEVEN)
    _, tokens = await with_tokens(server)
    server.failing = [None, ConnectionLost(summary="cut")]
    with pytest.raises(ConnectionLost) as failure:
        await server.stream(resume=tokens[3]).collect()
    assert failure.value.resume == tokens[3]


async def test_count_counts_what_lies_behind_a_token_as_well():
    server = Honest(SEVEN)
    _, tokens = await with_tokens(server)
    assert await server.stream(resume=tokens[5]).count() == 7


async def test_a_token_of_a_second_pass_is_for_repair_only():
    _, tokens = await with_tokens(Honest("ab"), on_drift="repair")
    with pytest.raises(ResumeTokenError, match=r'^resume: the token stands in a second pass over a list; give on_drift="repair"$'):
        Honest("ab").stream(resume=tokens[-1])


async def test_what_max_items_cut_off_comes_later():
    server = Honest(SEVEN)
    async with server.stream(max_items=3).walk() as walk:
        begun = ids([item async for item in walk])
    rest = await server.stream(max_items=3, resume=walk.token).collect()
    assert begun + ids(rest) == list("abcdef")


async def test_pages_have_a_place_behind_them_as_well():
    server = Honest(SEVEN)
    async with server.stream().walk() as walk:
        first = await anext(walk.pages())
    assert ids([*first.items, *await server.stream(resume=walk.token).collect()]) == list(SEVEN)


async def test_a_failure_carries_the_place_to_go_on_from():
    server = Honest(SEVEN)
    server.failing = [None, None, ConnectionLost(summary="cut")]
    taken = []
    with pytest.raises(ConnectionLost) as failure:
        await drain(server.stream(), taken)
    copy = pickle.loads(pickle.dumps(failure.value))
    assert copy.resume == failure.value.resume
    assert ids(taken) + ids(await server.stream(resume=copy.resume).collect()) == list(SEVEN)


async def test_what_spoke_against_the_part_that_lies_behind_is_not_forgotten():
    script = [fetched("ab", last=False, pages=2, total=5, skipped=1), fetched("cd", number=1, last=True, pages=2, total=5)]
    async with Scripted(*script).stream().walk() as walk:
        await anext(walk.pages())
    _, _, report = await walked(Scripted(*script), resume=walk.token)
    assert (report.suspected_missing, report.complete) == (0, False)


async def test_what_spoke_against_an_earlier_list_is_not_forgotten_by_a_repair_that_goes_on():
    script = [fetched("ab", last=True, pages=1, total=3, skipped=1), fetched("cd", last=True, pages=1, total=2)]
    async with OnePageLists(*script).stream(on_drift="repair").walk() as walk:
        assert len([await anext(aiter(walk)) for _ in range(3)]) == 3
    items, _, report = await walked(OnePageLists(*script), on_drift="repair", resume=walk.token)
    assert (items, report.complete) == (["d"], False)


async def test_what_a_page_told_is_known_to_whoever_goes_on_from_within_it():
    """Its count is smaller: something was pulled past the walk."""
    script = [fetched("abc", last=False, pages=2, total=6, size=3), fetched("ef", number=1, last=True, pages=2, total=5, size=3)]
    async with Scripted(*script).stream(page_size=3, max_items=4).walk() as walk:
        assert len([item async for item in walk]) == 4
    _, _, report = await walked(Scripted(*script), page_size=3, resume=walk.token)
    assert not report.complete


async def test_duplicates_in_front_of_the_place_shift_it_not():
    script = [fetched("aabc", last=False, pages=2, total=5, size=4), fetched("de", number=1, last=True, pages=2, total=5, size=4)]
    taken, tokens = await with_tokens(Scripted(*script), page_size=4)
    assert taken == list("abcde")
    for place, token in enumerate(tokens):
        assert (await walked(Scripted(*script), page_size=4, resume=token))[0] == taken[place:]


async def test_a_repair_that_goes_on_over_a_list_of_another_length_hands_it_out_again():
    """Rather an item twice than an item lost; and its places are those of the list as it is now."""
    _, tokens = await with_tokens(Honest(SEVEN), on_drift="repair")
    grown = Honest("X" + SEVEN)
    taken, later = await with_tokens(grown, on_drift="repair", resume=tokens[3])
    assert taken == list("Xabcdefg")
    assert (await walked(grown, on_drift="repair", resume=later[1]))[0] == list("abcdefg")


async def test_a_repair_that_goes_on_over_other_items_says_so():
    _, tokens = await with_tokens(Honest(SEVEN), on_drift="repair")
    items, _, report = await walked(Honest("bcdefgh"), on_drift="repair", resume=tokens[3])
    assert (items, report.complete) == (list("efgh"), False)


async def test_a_list_that_lost_an_item_of_the_page_behind_the_place_is_not_complete():
    _, tokens = await with_tokens(Honest("ab"))
    items, _, report = await walked(Honest("b"), resume=tokens[1])
    assert (items, report.complete) == ([], False)


@pytest.mark.parametrize("place", [1, 2, 5])
async def test_a_list_that_grew_before_its_place_is_not_complete(place):
    """Its first items were never handed out, and others come twice: the walk behind the place cannot tell which."""
    _, tokens = await with_tokens(Honest(SEVEN))
    _, _, report = await walked(Honest("XYZ" + SEVEN), resume=tokens[place])
    assert not report.complete


# --- what a token refuses --------------------------------------------------------------------------------------------


async def test_a_token_is_opaque_text_safe_in_urls():
    _, tokens = await with_tokens(Honest(SEVEN))
    assert all(set(str(token)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") for token in tokens)
    assert len(set(map(str, tokens))) == len(tokens)
    assert pickle.loads(pickle.dumps(tokens[2])) == tokens[2] == ResumeToken(str(tokens[2]))


async def test_any_character_that_is_changed_is_noticed():
    server = Honest(SEVEN)
    _, tokens = await with_tokens(server)
    text = str(tokens[3])
    for place, letter in enumerate(text):
        damaged = text[:place] + ("A" if letter != "A" else "B") + text[place + 1 :]
        with pytest.raises(ResumeTokenError):
            server.stream(resume=damaged)


NO_TOKEN = "resume: no token, or one that is cut off or damaged; give it whole, or walk anew, without it"
DAMAGED = "resume: the token is damaged, its checksum does not fit; give it as it was, or walk anew, without it"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (7, "resume: an int is no token and no text of one; give walk.token, or its text"),
        (b"1.AAAA", "resume: a bytes is no token and no text of one; give walk.token, or its text"),
        *[(given, NO_TOKEN) for given in ("", ".", "1.", "1.A", "1.AAAA", "1.é", "not a token", "²." + "A" * 40, "-1.AAAA", "2.")],
        ("2.AAAA", "resume: a token of version 2; this library reads version 1; walk anew, without it"),
        ("2.AAAA.AAAA", "resume: a token of version 2; this library reads version 1; walk anew, without it"),
        ("12345678901.AAAA", "resume: a token of version 123456789; this library reads version 1; walk anew, without it"),
        ("1." + urlsafe_b64encode(b"\0\0\0\0[1,2,null,null,0,0,0,null,1,false,false,null]").decode(), DAMAGED),
    ],
)
def test_what_is_no_token_is_refused_before_anything_is_sent(given, words):
    with pytest.raises(ResumeTokenError) as refused:
        Honest(SEVEN).stream(resume=given)
    assert str(refused.value) == words


async def test_a_token_may_have_blanks_around_it_and_no_other_spelling():
    server = Honest(SEVEN)
    _, tokens = await with_tokens(server)
    assert ids(await server.stream(resume=f" {tokens[3]}\n").collect()) == list("defg")
    with pytest.raises(ResumeTokenError):
        server.stream(resume=f"{tokens[3]}=")


async def test_a_token_of_another_query_page_size_or_cut_is_refused():
    server = Honest(SEVEN)
    _, tokens = await with_tokens(server)
    with pytest.raises(ResumeTokenError, match="page_size=2"):
        server.stream(resume=tokens[2], page_size=3)
    with pytest.raises(ResumeTokenError, match=r"a stream without slices; give none$"):
        Honest("ab", "cd").stream(resume=tokens[2])
    _, sliced = await with_tokens(Honest("ab", "cd"))
    with pytest.raises(ResumeTokenError, match=r"a stream with slices; give them$"):
        server.stream(resume=sliced[2])
    with pytest.raises(
        ResumeTokenError, match=r"^resume: the token belongs to another query; give the same arguments, start and end to the m"
    ):
        PageStream(source(server.fetch, 1, query="another"), page_size=2, resume=tokens[2])


def test_any_place_as_text_is_read_as_that_place():
    for number in range(300):
        mark = Mark(query=1, page_size=2, start=number, end=10**16 + number, number=number, index=number % 2, total=number)
        assert read_token(mark.token(), query=1, page_size=2, cut=True) == mark
        assert mark.span == Span(EPOCH + number * MICROSECOND, EPOCH + (10**16 + number) * MICROSECOND)
        assert micros(mark.span.start) == number


def test_a_query_is_told_by_its_words_and_by_what_it_searches_for():
    """Of a term, which may be a phone number, so little that no number can be singled out."""
    hashes = {query_hash(query, terms) for query in ("messages", "messages of one campaign") for terms in ("", "+306912345678", "Busy")}
    assert len(hashes) == 6
    assert all(0 <= each < 2**32 for each in hashes)
    assert query_hash("messages", "a") >> 12 == query_hash("messages", "b") >> 12
    assert query_hash("messages", "a") & 0xFFF == query_hash("others", "a") & 0xFFF


async def test_a_token_of_another_day_is_still_one():
    """Kept in a file by an earlier release."""
    kept = "1.FBuBt1syMzkzNjMxMzgsMixudWxsLG51bGwsMSwxLDIsNywxLGZhbHNlLGZhbHNlLG51bGxd"
    assert ids(await Honest(SEVEN).stream(resume=kept).collect()) == list("defg")


async def test_a_token_that_stands_outside_the_range_is_refused():
    _, tokens = await with_tokens(Honest("a", "b", "c"))
    with pytest.raises(
        ResumeTokenError, match=r"^resume: the token stands outside the range of this stream; give the start and end of its walk$"
    ):
        Honest("a", "b").stream(resume=tokens[2])
