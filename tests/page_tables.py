"""What stands in a report, read from its HTML without any of our code."""

from html.parser import HTMLParser


class Report(HTMLParser):
    """Tables by the id of their section, rows of texts; headlines by their label; every tag and all text."""

    def __init__(self, html):
        super().__init__()
        self.tables, self.headlines, self.tags, self.text = {}, {}, [], ""
        self._section, self._label, self._kind = None, "", None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "section":
            self._section = dict(attrs)["id"]
            self.tables[self._section] = []
        elif tag == "tr":
            self.tables[self._section].append([])
        elif tag in {"td", "th"}:
            self.tables[self._section][-1].append("")
        if tag in {"td", "th", "dt"} or dict(attrs).get("class") == "value":
            self._kind = tag

    def handle_endtag(self, tag):
        if tag == self._kind:
            self._kind = None

    def handle_data(self, data):
        self.text += data
        if self._kind in {"td", "th"}:
            self.tables[self._section][-1][-1] += data
        elif self._kind == "dt":
            self._label = data
        elif self._kind == "dd":
            self.headlines[self._label] = data

    def counts(self, section):
        """The numbers of messages by label, without the sum."""
        return {row[0]: int(row[-2].replace(",", "")) for row in self.tables[section][1:-1]}

    def total(self, section):
        return self.tables[section][-1]
