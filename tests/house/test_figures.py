"""The figures of the benchmarks: how they are kept, when one counts as worse, and that the README's tables say the same."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

sys.path.insert(0, str(BENCHMARKS))
try:
    import kept
    import readme
    from figures import GOALS, Goal, Results, Spread
finally:
    sys.path.remove(str(BENCHMARKS))

RATIO = Goal("D1", "decoding over dictionaries", 1.8)
RUN = kept.Run("2026-11-22", "d7b16c3", "2 cores", "3.11.7", "aiohttp 3.14.5", 7, {})


def test_the_readme_and_the_kept_figures_say_the_same() -> None:
    """``python benchmarks/readme.py`` writes the tables, as ``nox -s bench -- --keep`` does."""
    figures = {name: was for name, (_, was) in kept.latest(kept.load(kept.COMMITTED)).items()}
    text = readme.README.read_text()

    assert readme.written(text, figures) == text


def test_every_figure_with_a_goal_is_kept() -> None:
    assert {goal.name for goal in GOALS} <= set(kept.latest(kept.load(kept.COMMITTED)))


def test_a_figure_is_kept_as_of_the_last_run_that_had_it(tmp_path: Path) -> None:
    """A run of some parts takes their figures over from earlier ones; of which nothing is left, that run goes."""
    one, other, again = Spread(1.5, 1.25, 2.0), Spread(3, 3, 3), Spread(1.75, 1.5, 2.5)
    file = tmp_path / "figures.json"
    first, second, third = RUN, replace(RUN, commit="423b3bb"), replace(RUN, commit="6d85275")

    kept.keep(file, replace(first, figures={"D1": one}))
    kept.keep(file, replace(second, figures={"D2": other, "D1": again}))
    kept.keep(file, replace(third, figures={"D1": one}))

    assert kept.load(file) == [replace(second, figures={"D2": other}), replace(third, figures={"D1": one})]


@pytest.mark.parametrize(
    ("least", "was", "now", "is_worse"),
    [
        (False, (1.5, 1.4, 1.6), (1.7, 1.65, 1.8), True),
        (False, (1.5, 1.4, 1.6), (1.58, 1.57, 1.59), False),
        (False, (1.5, 1.4, 1.6), (1.7, 1.45, 1.8), False),
        (False, (1.5, 1.4, 1.75), (1.7, 1.65, 1.8), False),
        (False, (1.5, 1.4, 1.6), (1.2, 1.1, 1.3), False),
        (True, (5, 4.9, 5.1), (4, 3.9, 4.1), True),
        (True, (5, 4.9, 5.1), (6, 5.9, 6.1), False),
    ],
    ids=[
        "worse",
        "by less than the noise",
        "its range holds the kept one",
        "the kept range holds it",
        "better",
        "less, of least",
        "more, of least",
    ],
)
def test_worse_is_by_more_than_the_noise_and_apart(
    least: bool, was: tuple[float, float, float], now: tuple[float, float, float], is_worse: bool
) -> None:
    assert kept.is_worse(replace(RATIO, least=least), Spread(*now), Spread(*was)) is is_worse


def test_one_more_where_there_is_no_noise_is_worse() -> None:
    sure = Goal("X1", "requests beyond the pages", 0, sure=True)

    assert kept.is_worse(sure, Spread(1, 1, 1), Spread(0, 0, 0))


@pytest.mark.parametrize(("now", "is_worse"), [(0.5, False), (1.5, True)])
def test_a_difference_about_zero_is_worse_by_more_than_its_own_noise(now: float, is_worse: bool) -> None:
    """Of peaks of memory: a share of next to nothing says nothing."""
    assert kept.is_worse(Goal("E2", "peak over peak, MiB", 16, noise=5), Spread(now, now, now), Spread(-4, -4, -4)) is is_worse


@pytest.mark.parametrize(("machine", "loud"), [("2 cores", ["D1", "I2"]), ("64 cores", ["D1"])])
def test_what_got_worse_is_said_loudly_and_times_of_another_machine_are_not_compared(
    machine: str, loud: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = replace(RUN, figures={"D1": Spread(1.5, 1.4, 1.6), "I2": Spread(120, 110, 130), "M2": Spread(0.4, 0.4, 0.4)})
    now = Results({"D1": Spread(1.7, 1.65, 1.75), "I2": Spread(140, 135, 145), "M2": Spread(0.4, 0.4, 0.4)})

    kept.show(now, replace(RUN, machine=machine), [before])

    table, _, end = capsys.readouterr().out.partition("!!! WORSE THAN LAST KEPT")
    assert [line.split(":")[0].strip() for line in end.splitlines()[1:]] == loud
    assert table.count("other machine") == (0 if "I2" in loud else 1)
    assert "Times (~) do not" in table
