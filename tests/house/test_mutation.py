"""A run of mutants that proves nothing is not taken for a proof, and what is listed of it can be read."""

import json
from pathlib import Path

import mutation
import pytest
from mutation import Fate, changes, complaints, percent_killed, read, table


def fates(killed: int = 90, **others: int) -> dict[str, Fate]:
    """Fates of mutants, shared out over the rooms."""
    many = [Fate.KILLED] * killed + [Fate[fate.upper()] for fate, count in others.items() for _ in range(count)]
    return {f"voicedrop_async.{mutation.ROOMS[place % 4]}.x_f__mutmut_{place}": fate for place, fate in enumerate(many)}


def test_nine_of_ten_killed_are_enough_and_one_less_is_not() -> None:
    assert complaints(fates(90, survived=10)) == []
    assert complaints(fates(89, survived=11)) == ["89.0 % killed; wanted: 90 %"]


def test_what_no_test_reaches_is_not_killed() -> None:
    assert percent_killed(fates(50, untested=50)) == 50.0


def test_a_run_that_does_not_end_is_noticed_but_many_of_them_are_a_slow_machine() -> None:
    assert complaints(fates(91, timed_out=9)) == []
    assert "this machine is too slow" in complaints(fates(90, timed_out=10))[0]


def test_a_run_in_which_nothing_was_mutated_has_failed() -> None:
    assert [f"nothing was mutated in {room}" for room in ("calls", "pages", "throttle", "journal")] == complaints({})[:4]


@pytest.mark.parametrize("room", mutation.ROOMS)
def test_a_room_in_which_nothing_was_mutated_is_missed(room: str) -> None:
    others = {name: fate for name, fate in fates().items() if mutation.room_of(name) != room}

    assert complaints(others) == [f"nothing was mutated in {room}"]


@pytest.mark.parametrize("fate", [Fate.SURVIVED, Fate.BROKEN, Fate.TIMED_OUT, Fate.UNTESTED])
def test_a_run_in_which_no_test_failed_has_failed(fate: Fate) -> None:
    assert "no test failed on any mutant: the tests did not see them" in complaints(fates(0, **{fate.name.lower(): 100}))


def test_a_run_whose_tests_fail_without_a_mutant_has_failed() -> None:
    assert "the tests fail without a mutant" in complaints(fates(), ended=1)[0]


def test_runs_that_broke_down_are_counted_out() -> None:
    assert complaints(fates(99, broken=1)) == []
    assert complaints(fates(98, broken=2)) == ["2 runs broke down"]


def test_what_mutmut_wrote_down_is_read_and_what_never_ran_is_broken(tmp_path: Path) -> None:
    codes = {"a": 1, "b": 0, "c": 33, "d": -24, "e": None, "f": 255, "g": 3}
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "calls.py.meta").write_text(json.dumps({"exit_code_by_key": codes}))
    (tmp_path / "calls.py.meta").write_text(json.dumps({"exit_code_by_key": {"h": 1}}))

    assert [read(tmp_path)[name].value for name in "abcdefgh"] == [
        "killed", "survived", "untested", "timed out", "broken", "broken", "broken", "killed",
    ]  # fmt: skip


def test_the_table_counts_each_room_and_all() -> None:
    lines = table(fates(90, survived=6, timed_out=2, untested=1, broken=1))

    assert [line.split() for line in (lines[1], lines[-1])] == [
        ["calls", "25", "23", "1", "1", "0", "0", "96.0"],
        ["all", "100", "90", "2", "6", "1", "1", "92.0"],
    ]


MUTATED = '''
class C:
    def xǁCǁf__mutmut_orig(self):
        """Say so."""
        if self.a:
            return self.b
        return None

    def xǁCǁf__mutmut_12(self):
        """Say so."""
        if not self.a:
            return self.b
        return None
'''


def test_of_a_survivor_the_line_is_shown_that_it_changes() -> None:
    assert changes("voicedrop_async.calls.xǁCǁf__mutmut_12", MUTATED) == ["- if self.a:", "+ if not self.a:"]


def test_the_folder_with_the_mutants_is_no_part_of_the_project() -> None:
    assert "mutants/" in (Path(__file__).parents[2] / ".gitignore").read_text().splitlines()
