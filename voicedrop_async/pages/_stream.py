"""The description of a walk, which may be walked any number of times."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from datetime import timedelta
from typing import Final, Generic, TypedDict, TypeVar, get_args

from attrs import evolve

from voicedrop_async._checks import check_count
from voicedrop_async.errors import ConfigError, RequestError, ResumeTokenError, SessionClosed, WalkError, WireError
from voicedrop_async.models import Page, ResumeToken
from voicedrop_async.pages._cuts import Cuts
from voicedrop_async.pages._reader import OnDrift, Options, Reader
from voicedrop_async.pages._source import Place, Source
from voicedrop_async.pages._tokens import query_hash, read_token
from voicedrop_async.pages._walk import Walk

T = TypeVar("T")

_LEAST_PASSES: Final = 2


class WalkOptions(TypedDict, total=False):
    """Options that every stream takes.

    Keys:
        max_items: Stop after so many, counted from where the walk begins. No page is fetched that cannot be used.
        prefetch: Page requests kept under way ahead of the loop, within the session's limits; order is kept, and memory
            is bounded by ``prefetch + 1`` pages. 0 asks for a page when it is needed. To repair, nothing is asked beyond the
            present list.
        resume: A token of an earlier walk over the same stream, slices and ``on_drift`` included, or its text: the walk goes
            on behind the last item that was handed out then. On a list that did not change, nothing is lost and nothing comes
            twice.
        on_drift: What to do about a list that changes while it is walked. ``"dedupe"`` hands out each item once, and
            ``report`` tells what was seen; ``"repair"`` reads each list again, until two passes in a row found the same
            items and counts; ``"raise"`` raises ``DriftDetected`` when a count changes, an item comes twice or one is
            missing; ``"ignore"`` hands out what comes, also twice: ``report`` counts as duplicates what comes again within
            20,000 items, and memory does not grow with the list.
        max_passes: The most passes of ``"repair"`` over one list; at least 2, and 3 if left out.
    """

    max_items: int | None
    prefetch: int
    resume: ResumeToken | str | None
    on_drift: OnDrift
    max_passes: int


def check_options(method: str, options: Mapping[str, object]) -> None:
    """Refuse names that are no ``WalkOptions``, as Python does where they are written out."""
    for name in options.keys() - WalkOptions.__annotations__.keys():
        raise TypeError(f"{method}() got an unexpected keyword argument {name!r}")


class PageStream(Generic[T]):
    """A description of a walk over pages: building one sends nothing, each ``async for`` walks afresh."""

    def __init__(
        self,
        source: Source[T],
        *,
        page_size: int = 100,
        max_items: int | None = None,
        prefetch: int = 0,
        resume: ResumeToken | str | None = None,
        on_drift: OnDrift = "dedupe",
        max_passes: int = 3,
    ) -> None:
        """Made by the sessions; see there."""
        check_count("page_size", page_size, 1)
        check_count("prefetch", prefetch, 0)
        check_count("max_passes", max_passes, _LEAST_PASSES)
        if max_items is not None:
            check_count("max_items", max_items, 0)
        if on_drift not in get_args(OnDrift):
            raise ConfigError(f"on_drift: must be one of {', '.join(map(repr, get_args(OnDrift)))}")
        query = query_hash(source.query, source.terms)
        mark = None if resume is None else read_token(resume, query=query, page_size=page_size, cut=source.range is not None)
        if mark is not None and mark.span is not None and source.range is not None:
            span = mark.span
            if not source.range.start <= span.start < span.end <= source.range.end:
                raise ResumeTokenError("resume: the token stands outside the range of this stream; give the start and end of its walk")
            if Cuts(source.range, source.step, {span.end: None}).span(span.start) != span:
                raise ResumeTokenError("resume: the token stands in a longer slice than this stream has; give the slices of its walk")
        if mark is not None and mark.passes > 1 and on_drift != "repair":
            raise ResumeTokenError('resume: the token stands in a second pass over a list; give on_drift="repair"')
        self._source = source
        self._options = Options(
            page_size=page_size,
            max_items=max_items,
            prefetch=prefetch,
            on_drift=on_drift,
            max_passes=max_passes,
            query=query,
            mark=mark,
        )

    def __aiter__(self) -> AsyncIterator[T]:
        """Walk item by item, in page order, each item once."""
        return self.walk().__aiter__()

    def pages(self) -> AsyncGenerator[Page[T]]:
        """Walk a page at a time.

        A page that is held while the next one is read takes its room twice; where pages are large, ``del`` it before.
        """
        return self.walk().pages()

    def walk(self) -> Walk[T]:
        """Return a walk in the hand: ``async with stream.walk() as walk``, then iterate it and read its report and token."""
        return Walk(self._source, self._options)

    @property
    def model(self) -> type[T] | None:
        """The class of the items; None only of a stream that no session made."""
        return self._source.model

    @property
    def max_items(self) -> int | None:
        """After how many items a walk stops; None if at the end of the list."""
        return self._options.max_items

    def resumed(self, resume: ResumeToken | str, *, handed_out: int = 0) -> "PageStream[T]":
        """Return the rest of this stream, behind a token of one of its walks.

        Args:
            resume: The token, or its text. It takes the place of the one that this stream was made with.
            handed_out: How many items came before it, which count against ``max_items``.

        Raises:
            ResumeTokenError: The token is damaged, or of another query, page size or kind of stream.
        """
        options, most = self._options, self._options.max_items
        return PageStream(
            self._source,
            page_size=options.page_size,
            max_items=None if most is None else max(0, most - handed_out),
            prefetch=options.prefetch,
            resume=resume,
            on_drift=options.on_drift,
            max_passes=options.max_passes,
        )

    async def collect(self, max_items: int | None = None) -> list[T]:
        """Walk to the end, or to ``max_items``, and return the items as a list.

        What fails throws the list away, so its ``resume`` is the place where ``collect`` began.

        Raises:
            RequestError: A page failed for good.
            WalkError: The walk cannot go on.
        """
        most = self._options.max_items
        if max_items is not None:
            check_count("max_items", max_items, 0)
            most = max_items if most is None else min(most, max_items)
        walk = Walk(self._source.kept(), evolve(self._options, max_items=most))
        begins = walk.token
        try:
            return [item async for item in walk]
        except (RequestError, WalkError, SessionClosed) as error:
            error.resume = begins
            raise

    async def first(self) -> T | None:
        """Return the first item, or None if there is none; asks for a page of one."""
        most = self._options.max_items
        options = evolve(self._options, max_items=1 if most is None else min(1, most))
        if options.mark is None:
            options = evolve(options, page_size=1)
        return next(iter([item async for item in Walk(self._source, options)]), None)

    async def count(self) -> int:
        """Return how many items the service counts; one request for a page of one, and one more for each further slice.

        An item on the edge of two slices counts in both, if the service shows it in both. ``max_items`` and ``resume`` play
        no part in it.

        Raises:
            WireError: The service did not say.
        """
        reader = Reader(evolve(self._source, most=None, overlap=timedelta(0)), evolve(self._options, page_size=1, mark=None))
        start, total = reader.cuts.first(), 0
        while True:
            fetched = await reader.fetch(Place(start, 0))
            counted = len(fetched.page.items) if fetched.last and fetched.page.total_items is None else fetched.page.total_items
            if counted is None:
                raise WireError(
                    summary="the answer does not count its items, so they can only be walked", request="count()", path="totalElements"
                )
            total += counted
            start = reader.cuts.after(start)
            if start is None:
                return total
