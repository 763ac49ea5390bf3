"""Many pages as one lazy stream. Knows no HTTP: a ``Source`` says how a page is fetched and how items are told apart.

A stream is one list after another (one for each slice of time, or a single one), each list page after page:

    PageStream      the description, and the token it may go on from       _stream
      Walk          one walk, in the hand of whoever walks                 _walk
        Reader      page after page: what is new, and where it stands      _reader
          Ahead     the requests under way before their turn               _ahead
          Cuts      where a range of time is cut into slices               _cuts
          Seen      what was handed out already                            _seen
          Course    how a list goes on, and when it ends                   _course
          Tally     what ``WalkReport`` is made from                       _tally
          Mark      a place as text                                        _tokens
"""

from voicedrop_async.pages._source import Ask, Fetch, Fetched, Source, Span, in_utc
from voicedrop_async.pages._stream import PageStream, WalkOptions, check_options
from voicedrop_async.pages._walk import Walk

__all__ = ["Ask", "Fetch", "Fetched", "PageStream", "Source", "Span", "Walk", "WalkOptions", "check_options", "in_utc"]
