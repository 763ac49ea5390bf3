"""What happened before the sandbox was started: messages of past campaigns and conversations, spread over seven days."""

from datetime import datetime, timedelta

from msgspec import UNSET

from ._calls import Ending, Script, ended_message, ending
from ._dice import Dice
from ._people import mobile
from ._tracking import Tracked
from ._wire import Speech

_SPAN = timedelta(days=7)
_LATEST = timedelta(minutes=2)  # the newest call was over before the sandbox began
_A_CAMPAIGN = 2_500  # messages of a past campaign
_UNKNOWN_STATUS = "Deferred"  # a status no document names: clients meet such words one day
_SPEECHES = (
    Speech("Your parcel arrives today between two and four.", "en-GB", "female"),
    Speech("Παραγγελία έτοιμη: παραλαβή σήμερα.", "el-GR", "female"),
    Speech("Ihr Termin ist morgen um neun Uhr.", "de-DE", "male"),
    Speech("Votre rendez-vous est confirmé."),
)
_NAMES = ("Parcel today", "Παραλαβή", "Termin morgen", "Rendez-vous", "Recorded notice")
_GROUPS = ("customers", "Athens shop", "πελάτες")


class History:
    """Makes the past, the same one for the same seed."""

    def __init__(self, *, seed: int, count: int, now: datetime, recordings_url: str) -> None:
        """``count`` messages before ``now``."""
        self._dice = Dice.of(seed, "history")
        self._count = count
        self._oldest = now - _SPAN
        self._recordings_url = recordings_url
        campaigns = max(len(_NAMES), -(-count // _A_CAMPAIGN))
        self._scripts = [self._script(place) for place in range(campaigns)]
        self.campaigns = tuple(self._dice.uuid() for _ in range(campaigns))
        """Tracking ids, oldest campaign first."""
        self._talk = Script(sender="442012345678", recordings_url=recordings_url)

    def messages(self) -> list[Tracked]:
        """All of them, ordered by creation. Three in a hundred begin a conversation, whose legs belong to no campaign."""
        dice, step = self._dice, (_SPAN - _LATEST) / max(self._count, 1)
        rows: list[Tracked] = []
        conversation, legs = "", 0
        for place in range(self._count):
            created = self._oldest + step * (place + dice.random())
            if not legs and dice.random() < 0.03:
                conversation, legs = dice.uuid(), dice.randint(1, 3)
            if legs:
                legs -= 1
                rows.append(self._leg(created, conversation))
            else:
                rows.append(self.message(place * len(self.campaigns) // self._count, created))
        return rows

    def more(self, count: int, head: Tracked | None) -> list[Tracked]:
        """Further messages of the first campaign, as old as the head of the list."""
        created = head.created if head else self._oldest
        return [self.message(0, created) for _ in range(count)]

    def message(self, place: int, created: datetime) -> Tracked:
        """A message of the past campaign at ``place``."""
        dice = self._dice
        end = Ending(_UNKNOWN_STATUS, 0) if dice.random() < 0.01 else ending(dice)
        groups = (_GROUPS[int(dice.random() * len(_GROUPS))],) if dice.random() < 0.3 else UNSET
        at = created + timedelta(seconds=5 + end.seconds)
        message = ended_message(dice, self._scripts[place], mobile(dice), end, at, groups=groups)
        return Tracked(created, self.campaigns[place], message)

    def _leg(self, created: datetime, conversation: str) -> Tracked:
        dice = self._dice
        end = ending(dice)
        direction = "Inbound" if dice.random() < 0.3 else "Outbound"
        at = created + timedelta(seconds=5 + end.seconds)
        message = ended_message(dice, self._talk, mobile(dice), end, at, conversation=conversation, direction=direction)
        return Tracked(created, "", message)

    def _script(self, place: int) -> Script:
        """Every fifth campaign plays a file, every second one collects tones."""
        kind = place % len(_NAMES)
        spoken = kind < len(_SPEECHES)
        return Script(
            sender=f"30210{place:07}",
            campaign=f"{_NAMES[kind]} {place + 1}",
            speech=_SPEECHES[kind] if spoken else UNSET,
            file_url=UNSET if spoken else "https://files.example.com/notice.wav",
            collects_tones=place % 2 == 1,
            recordings_url=self._recordings_url,
        )
