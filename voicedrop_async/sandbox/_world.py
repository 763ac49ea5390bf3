"""Everything the sites tell about, made from the seed when the sandbox starts."""

from collections.abc import Callable
from datetime import UTC, datetime

from attrs import field, frozen

from ._callbacks import Poster
from ._campaigns import Campaigns
from ._dice import Dice
from ._drops import past_drops
from ._history import History
from ._log import PostedCallback
from ._time import Clock
from ._tokens import Tokens
from ._tracking import Tracking
from ._wire import Drop


@frozen(kw_only=True)
class Options:
    """What the caller decides; ``Sandbox`` explains each."""

    messages: int
    drops: int
    seed: int
    speed: float
    now: datetime | None
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


def make_world(options: Options, secrets: Secrets, *, routee_url: str, posted: list[PostedCallback]) -> World:
    """The world at the moment the sandbox starts. Recordings are downloaded from ``routee_url``."""
    seed, recordings_url = options.seed, f"{routee_url}/recordings/my/downloads/"
    clock = Clock(now=options.now or datetime.now(UTC), speed=options.speed, ticks=options.ticks)
    history = History(seed=seed, count=options.messages, now=clock.now(), recordings_url=recordings_url)
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
        poster=Poster(clock=clock, posted=posted),
        tokens=Tokens(
            seed=seed,
            credentials=(secrets.application_id, secrets.application_secret),
            lifetime=options.token_lifetime,
            clock=clock,
        ),
        drops=past_drops(seed, options.drops, clock.now()),
    )
