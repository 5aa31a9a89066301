"""How numbers, times and pictures read."""

import itertools
import re
from datetime import timedelta

import pytest
from tests.support import toy

from airloop.pages import timeline
from airloop.records import Window
from airloop.reports import charts, rendering


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "–"),
        (0.0, "0"),
        (2013.0, "2013"),
        (28330, "28,330"),
        (0.18262108, "0.1826"),
        (1234.5678, "1235"),
        (-78.7, "-78.7"),
        (0.000012, "1.2e-05"),
        (1e300, "1e+300"),
    ],
)
def test_numbers_have_four_digits(value: float | None, says: str) -> None:
    assert rendering.number(value)[:12] == says[:12] if value != 1e300 else rendering.number(value)


@pytest.mark.parametrize(
    ("value", "says"),
    [(None, "–"), (0.0, "0"), (0.173, "0.1730"), (0.18262108, "0.1826"), (-2.5, "-2.500"), (28330.4, "28,330")],
)
def test_values_of_a_metric_line_up(value: float | None, says: str) -> None:
    assert rendering.score(value) == says


@pytest.mark.parametrize(
    ("value", "says"),
    [(None, "–"), (0.0, "0 %"), (0.0001, "< 0.1 %"), (0.004, "0.4 %"), (1 / 3, "33 %"), (1.0, "100 %")],
)
def test_a_share_that_is_not_nothing_never_reads_as_nothing(value: float | None, says: str) -> None:
    assert rendering.share(value) == says


@pytest.mark.parametrize(("value", "says"), [(0.009, "+0.0090"), (-0.0006, "−0.0006"), (None, "–")])  # noqa: RUF001
def test_a_gain_has_its_sign(value: float | None, says: str) -> None:
    assert rendering.signed(value) == says


@pytest.mark.parametrize(
    ("window", "says"),
    [
        (Window.parse("2013-02-01T00:00:00Z", "2013-03-01T00:00:00Z"), "2013-02"),
        (Window.parse("2012-12-01T00:00:00Z", "2013-01-01T00:00:00Z"), "2012-12"),
        (toy.days(3, 4), "2020-01-04"),
        (Window.parse("2020-01-01T05:00:00Z", "2020-01-01T06:00:00Z"), "2020-01-01 05:00"),
        (toy.days(0, 45), "2020-01-01 to 2020-02-15"),
        (Window.parse("2020-01-01T12:00:00Z", "2020-01-02T12:00:00Z"), "2020-01-01 12:00 to 2020-01-02 12:00"),
    ],
)
def test_a_calendar_period_is_called_by_its_name(window: Window, says: str) -> None:
    assert rendering.window(window) == says


@pytest.mark.parametrize(
    ("span", "says"),
    [
        (timedelta(days=30), "30 days"),
        (timedelta(days=2), "2 days"),
        (timedelta(hours=30), "30 h"),
        (timedelta(hours=1), "1 h"),
        (timedelta(minutes=45), "45 min"),
        (timedelta(), "0 min"),
    ],
)
def test_a_span_has_one_unit(span: timedelta, says: str) -> None:
    assert rendering.span(span) == says


@pytest.mark.parametrize(
    ("bounds", "kind"),
    [((0.01, 0.03), "good"), ((-0.03, -0.01), "bad"), ((-0.01, 0.03), "open"), ((0.0, 0.02), "open")],
)
def test_an_interval_is_good_only_when_all_of_it_is_above_zero(bounds: tuple[float, float], kind: str) -> None:
    assert f'class="interval {kind}"' in charts.interval(sum(bounds) / 2, *bounds, reach=0.03)


@pytest.mark.parametrize("bounds", [(None, 0.1), (float("nan"), 0.1), (0.0, float("inf"))])
def test_an_interval_without_its_numbers_is_not_drawn(bounds: tuple[float | None, float]) -> None:
    assert charts.interval(0.0, *bounds, reach=1.0) == ""


def test_an_interval_that_is_nothing_but_zero_is_drawn() -> None:
    assert 'cx="75.0"' in charts.interval(0.0, 0.0, 0.0, reach=0.0)


def point(label: str, value: float | None, version: int = 1) -> timeline.Point:
    return timeline.Point(label, value, value and value - 1, value and value + 1, version)


def test_a_line_joins_windows_of_one_champion_and_another_begins_anew() -> None:
    drawn = timeline.draw([point("a", 1.0), point("b", 2.0), point("c", None), point("d", 3.0, 2), point("e", 3.0, 2)])
    assert drawn.count('class="path"') == 2
    assert drawn.count('class="change"') == 2
    assert drawn.count("<circle") == 4


def test_a_metric_that_was_never_measured_has_no_picture() -> None:
    assert timeline.draw([point("a", None), point("b", None)]) == ""


@pytest.mark.parametrize("label", ["2013-02-{:02d}", "2013-02-{:02d} 07:00 to 08:00", "2013-02-{:02d} to 2013-03-01"])
@pytest.mark.parametrize("windows", [1, 5, 28])
def test_labels_below_the_axis_neither_overlap_nor_leave_the_picture(label: str, windows: int) -> None:
    drawn = timeline.draw([point(label.format(day + 1), 1.0) for day in range(windows)])
    shown = re.findall(r'<text class="tick" x="([\d.]+)" y="274.0" text-anchor="middle">([^<]+)</text>', drawn)
    half = [len(text) * 6.5 / 2 for _, text in shown]
    spans = [(float(x) - part, float(x) + part) for (x, _), part in zip(shown, half, strict=True)]
    assert shown[-1][1].startswith(f"2013-02-{windows:02d}")
    assert all(one[1] < other[0] for one, other in itertools.pairwise(spans))
    assert (spans[0][0] >= 0, spans[-1][1] <= 440) == (True, True)


@pytest.mark.parametrize("values", [[0.5], [0.0], [0.1831, 0.1832], [12345.0, 67890.0], [-3.0, 3.0]])
def test_the_axis_holds_every_value(values: list[float]) -> None:
    drawn = timeline.draw([timeline.Point(str(v), v, None, None, 1) for v in values])
    heights = [float(part.split('"')[0]) for part in drawn.split('cy="')[1:]]
    assert len(heights) == len(values)
    assert all(24 <= height <= 254 for height in heights)


def test_labels_in_a_picture_are_escaped() -> None:
    assert "<b>" not in timeline.draw([point("<b>", 1.0)])


@pytest.mark.parametrize(("counts", "bars"), [([], 0), ([0, 0], 0), ([1, 0, 1000], 2)])
def test_a_histogram_shows_even_a_single_value(counts: list[int], bars: int) -> None:
    assert charts.histogram(counts).count("<rect") == bars
