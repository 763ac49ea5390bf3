"""Everything the sites tell about, made from the seed when the sandbox starts."""

from collections.abc import Callable
from datetime import UTC

from attrs import field, frozen

from ._callbacks import Poster
from ._campaigns import Campaigns
from ._dice import Dice
from ._drops import past_drops
from ._history import History
from ._log import Log, PostedCallback
from ._store import Kept, Store
from ._time import Clock
from ._tokens import Tokens
from ._tracking import Tracking
from ._wire import Drop


@frozen(kw_only=True)
class Options:
    """What the caller decides of each run; ``Sandbox`` explains each."""

    speed: float
    token_lifetime: float
    partial_errors: bool
    unique_names: bool
    ticks: Callable[[], float]


@frozen(kw_only=True)
class Secrets:
    """What the sandbox's users show to be let in."""

    application_id: str
    application_secret: str = field(repr=False)
    spacivox_token: str = field(repr=False)

    @classmethod
    def of(cls, seed: int) -> "Secrets":
        """The secrets of a seed."""
        dice = Dice.of(seed, "secrets")
        return cls(application_id=dice.uuid(), application_secret=dice.uuid(), spacivox_token=dice.uuid())


@frozen(kw_only=True)
class World:
    """The state behind the sites."""

    clock: Clock
    history: History
    tracking: Tracking
    campaigns: Campaigns
    poster: Poster
    tokens: Tokens
    drops: list[Drop]
    store: Store

    def grow(self, count: int) -> list[str]:
        """Put new messages at the head of the tracked list. Their ids."""
        come = self._grow(count)
        self.store.changed(len(come))
        return come

    def shrink(self, count: int) -> list[str]:
        """Take settled messages from the head of the tracked list. Their ids."""
        gone = self.tracking.shrink(count)
        self.store.changed(-len(gone))
        return gone

    def take_up(self, kept: Kept) -> None:
        """Go on where an earlier run was ended: its campaigns, with what they have still to post, and how the tracked list changed."""
        for one in kept.campaigns:
            campaign = self.campaigns.restore(one.number, one.body, one.created_at, deleted=one.deleted)
            if campaign is not None:
                self.tracking.follow(campaign)
                if not one.told:
                    self.poster.follow(campaign, kept.posts)
        for count in kept.changes:
            if count > 0:
                self._grow(count)
            else:
                self.tracking.shrink(-count)

    def _grow(self, count: int) -> list[str]:
        return self.tracking.grow(self.history.more(count, self.tracking.head()))


def make_world(options: Options, kept: Kept, secrets: Secrets, *, routee_url: str, posted: Log[PostedCallback], store: Store) -> World:
    """The world at the moment the sandbox starts, its past made anew. Recordings are downloaded from ``routee_url``."""
    seed, recordings_url = kept.beginning.seed, f"{routee_url}/recordings/my/downloads/"
    began = kept.beginning.began.astimezone(UTC)
    clock = Clock(now=kept.now, speed=options.speed, ticks=options.ticks)
    history = History(seed=seed, count=kept.beginning.messages, now=began, recordings_url=recordings_url)
    return World(
        clock=clock,
        history=history,
        tracking=Tracking(history.messages(), clock),
        campaigns=Campaigns(
            seed=seed,
            clock=clock,
            recordings_url=recordings_url,
            partial_errors=options.partial_errors,
            unique_names=options.unique_names,
        ),
        poster=Poster(clock=clock, posted=posted, store=store),
        tokens=Tokens(
            seed=seed,
            credentials=(secrets.application_id, secrets.application_secret),
            lifetime=options.token_lifetime,
            clock=clock,
        ),
        drops=past_drops(seed, kept.beginning.drops, began),
        store=store,
    )
