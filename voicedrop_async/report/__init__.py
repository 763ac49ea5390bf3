"""Pictures of what became of messages: one HTML file that needs nothing else, and the same figures as PNG. The extra ``report``.

The list is read once, and added up on the way; what is drawn comes from the sums alone:

    report_to                 the one pass, and where its files go       _reporting
      pages, files            columns of messages, a batch at a time     _batches
      Tally                   what is counted, in bounded memory         _tally
        Timeline              by time, in as many bins as fit            _timeline
      figures_of              the sums as figures: texts and numbers     _figures
      drawn, picture          figures as charts                          _charts
      page_of                 the page around them                       _page
"""

from voicedrop_async.report._reporting import Reported, report_to

__all__ = ["Reported", "report_to"]
