"""``--to FILE``: whom a file names, and what is refused of it before anything is sent. No process, no server."""

import pytest

from voicedrop_async import ConfigError, VoiceMessage
from voicedrop_async.cli._commands.send import order, send
from voicedrop_async.cli._commands.send.recipients import read
from voicedrop_async.export import csv_header, to_csv, to_jsonl

from .processes import NUMBERS

ONE, TWO, _ = NUMBERS
MESSAGES = [VoiceMessage(f"m{place}", to=number) for place, number in enumerate((ONE, TWO, ONE))]


def named(tmp_path, name, content, column=None):
    """The numbers of a file with the lines they stand in, and how many entries were left out."""
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    listed = read(file, column)
    return dict(listed.lines), listed.repeats


@pytest.mark.parametrize(
    ("name", "content", "column", "lines"),
    [
        ("list.txt", f"{ONE}\n{TWO}", None, (1, 2)),
        ("list.txt", f"\ufeff# Monday\r\n\r\n  {ONE}  # Anna\r\n{TWO}\r\n", None, (3, 4)),
        ("table.csv", f"to\n{ONE}\n{TWO}\n", None, (2, 3)),
        ("Excel.CSV", f"\ufeffname;number;to call\r\nAnna;{ONE};1\r\n;;\r\nNikos;{TWO}\r\n", None, (2, 4)),
        ("table.csv", f'name,"to"\n"Anna,\nthe elder"," {ONE} "\nNikos,"{TWO}"\n', None, (3, 4)),
        ("table", f"name\tphone\tto\nAnna\t{ONE}\t1\nNikos\t{TWO}\t2\n", "phone", (2, 3)),
        ("lines", f'{{"to":"{ONE}"}}\n\n{{"name":"Nikos","number":" {TWO}"}}\n', None, (1, 3)),
        ("lines.csv", f'{{"to":null,"phone":"{ONE}"}}\n{{"phone":"{TWO}"}}\n', "phone", (1, 2)),
    ],
)
def test_a_list_a_table_and_lines_of_json_name_the_same(tmp_path, name, content, column, lines):
    """As spreadsheets write them as well: byte order marks, ends of lines, delimiters, cells of several lines, empty rows."""
    assert named(tmp_path, name, content, column) == (dict(zip((ONE, TWO), lines, strict=True)), 0)


def test_our_own_exports_are_lists_of_recipients_in_which_nobody_stands_twice(tmp_path):
    assert named(tmp_path, "missed.csv", csv_header(VoiceMessage) + to_csv(MESSAGES)) == ({ONE: 2, TWO: 3}, 1)
    assert named(tmp_path, "missed.jsonl", to_jsonl(MESSAGES)) == ({ONE: 1, TWO: 2}, 1)


@pytest.mark.parametrize(
    ("name", "content", "column", "told"),
    [
        ("empty.txt", "# nobody yet\n", None, "empty.txt: names nobody"),
        ("header.csv", "to\n", None, "header.csv: names nobody"),
        ("none.csv", f"name,phone\nAnna,{ONE}\n", None, "none.csv: has to have one column named to or number; --column"),
        ("both.csv", f"to,number\n{ONE},{TWO}\n", None, "both.csv: has to have one column"),
        ("bare.csv", f"{ONE}\n{TWO}\n", None, "bare.csv: has to have one column"),
        ("other.csv", f"to,phone\n{ONE},{TWO}\n", "telephone", "--column: "),
        ("twice.csv", f"to,to\n{ONE},{TWO}\n", "to", "--column: "),
        ("hole.csv", f"name,to\nAnna,{ONE}\nNikos\n", None, "hole.csv, line 3: has no number"),
        ("open.csv", f'to\n"{ONE}\n', None, "open.csv, line 2: "),
        ("hole.jsonl", f'{{"to":"{ONE}"}}\n{{"to":306912345678}}\n', None, "hole.jsonl, line 2: has no number"),
        ("other.jsonl", f'{{"to":"{ONE}"}}\n{{"phone":"{TWO}"}}\n', None, "other.jsonl, line 2: has to have one column"),
        ("odd.jsonl", f'{{"to":"{ONE}"}}\n{TWO}\n', None, "odd.jsonl, line 2: must be an object of JSON"),
        ("old.txt", "Ελλάς".encode("iso-8859-7"), None, "old.txt: must be text in UTF-8"),
    ],
)
def test_what_does_not_say_whom_to_call_is_refused_by_its_line(tmp_path, name, content, column, told):
    with pytest.raises(ConfigError) as refused:
        named(tmp_path, name, content, column)

    assert told in str(refused.value)
    assert "3069" not in str(refused.value)


@pytest.mark.parametrize(
    ("list_of", "ref", "told"),
    [
        (f"{ONE}\n306912345679\n", None, "list.txt, line 2: not E.164"),
        ("".join(f"+30691{number:07}\n" for number in range(1001)) + "+30691\n", None, "list.txt, line 1002: not E.164"),
        (f"{ONE}\n", f"call-{ONE[1:]}", "--ref: holds the number of a recipient"),
    ],
)
def test_what_send_campaign_would_refuse_is_refused_by_file_and_line(tmp_path, list_of, ref, told):
    campaign, recipients = tmp_path / "spring.json", tmp_path / "list.txt"
    campaign.write_text('{"sender": "302101234567", "message": {"text": "Hello"}}')
    recipients.write_text(list_of)

    with pytest.raises(ConfigError) as refused:
        order.read(campaign, recipients, None, ref)

    assert told in str(refused.value)
    assert "3069" not in str(refused.value)


def test_nobody_is_called_by_surprise(campaign_file, tmp_path):
    """Recipients in two places, a column of no table, a list where the answer should be typed: usage, and nothing is read or sent."""
    other = tmp_path / "other.toml"
    other.write_text(campaign_file.read_text().replace(NUMBERS[1], NUMBERS[1][:5]))
    with pytest.raises(ConfigError, match=r"^--to: .*spring\.toml has recipients of its own"):
        send(campaign_file, to=tmp_path / "more.txt", yes=True)
    with pytest.raises(ConfigError, match=r"^--column: only together with --to"):
        send(campaign_file, column="phone", yes=True)
    with pytest.raises(ConfigError, match=r"^--yes: .* standard input"):
        send(campaign_file, to=tmp_path.joinpath("-").relative_to(tmp_path))
    many = tmp_path / "many.txt"
    many.write_text("".join(f"+30691{number:07}\n" for number in range(1001)))
    template = tmp_path / "template.toml"
    template.write_text(campaign_file.read_text().replace("to = ", "# "))
    with pytest.raises(ConfigError, match=r"^--journal, --ref: .* 1,001, which takes 2 campaigns: .* who has been called"):
        send(template, to=many, yes=True)
    with pytest.raises(ConfigError, match=r"more\.txt: No such file"):
        read(tmp_path / "more.txt", None)
    with pytest.raises(ConfigError, match=r"other\.toml, to\[1\]: not E\.164"):
        send(other, yes=True)
