"""The wire names of Routee that its own pages do not settle."""

import attrs
from attrs import frozen

from voicedrop_async._checks import check_text


@frozen(kw_only=True)
class RouteeDialect:
    """The wire names that Routee's own pages do not settle, so that a wrong guess needs no release to mend."""

    range_start: str = "from"
    """Query name of the start of a range; sibling services say ``dateStart``."""
    range_end: str = "to"
    """Query name of the end of a range; sibling services say ``dateEnd``."""
    campaign_id: str = "trackingId"
    """Query name that restricts a search to one campaign."""
    tagged: str = "tagged"
    """Query name of ``tagged``, a truth value whose meaning no page gives."""
    filter_field: str = "fieldName"
    """Body name of what a filter compares."""
    filter_operator: str = "searchOperator"
    """Body name of how it compares."""
    filter_value: str = "searchTerm"
    """Body name of the text compared with."""
    date_format: str = "%Y-%m-%dT%H:%M:%SZ"
    """How moments stand in a query, for ``strftime``; always UTC."""

    def __attrs_post_init__(self) -> None:
        for name in attrs.fields_dict(type(self)):
            check_text(name, getattr(self, name))
