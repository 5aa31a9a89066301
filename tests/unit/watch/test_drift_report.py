"""The drift report: Evidently's page with the scores of all rows, and none of what it would compute by itself."""

import numpy as np
import pandas as pd
from tests.support.drift_sides import ROWS, side

from airloop.watch import drift_report
from airloop.watch.drift import MIN_ROWS, Sides, measure
from airloop.watch.drift import reference as reference_of


def page(reference: Sides, current: Sides, *, ignore: tuple[str, ...] = ()) -> str:
    return drift_report.page(
        measure(reference_of(reference), current, ignore=ignore, threshold=0.2),
        (reference, current),
        ignore=ignore,
        threshold=0.2,
        sample_rows=MIN_ROWS,
        seed=1,
        headline={"champion": "version <7>"},
    )


def test_the_report_is_evidentlys_with_our_headline_and_without_the_network() -> None:
    shown = page(side(1), side(2, shift=1.0))
    assert "Drift is detected for 33.333% of columns (1 out of 3)." in shown
    assert "champion" in shown
    assert 'src="http' not in shown
    assert drift_report.METHOD in shown


def test_it_shows_what_all_rows_gave_and_not_what_its_sample_would() -> None:
    reference, current = side(1), side(2)
    reference.features.loc[ROWS // 2 :, "city"] = "d"
    assert "Drift is detected for 33.333% of columns (1 out of 3)." in page(reference, current)
    current.features.loc[ROWS // 2 :, "city"] = "d"
    assert "Drift is detected for 0.0% of columns (0 out of 3)." in page(reference, current)


def test_empty_constant_and_endless_columns_and_flags_break_no_report() -> None:
    sides = (side(1), side(2))
    for one in sides:
        one.features["nothing"] = np.nan
        one.features["constant"] = 5.0
        one.features["endless"] = np.inf
        one.features["flag"] = pd.Series(np.arange(ROWS) % 2 == 0).astype("object").where(one.features["steady"] > 0)
    flags = tuple(Sides(one.features, one.predictions, ("city", "flag")) for one in sides)
    assert "(0 out of 5)" in page(flags[0], flags[1])
    sides[1].features["steady"] = np.nan
    assert "(0 out of 4)" in page(flags[0], Sides(sides[1].features, sides[1].predictions, ("city", "flag")))


def test_ignored_features_are_drawn_beside_the_table() -> None:
    shown = page(side(1), side(2, shift=1.0), ignore=("shifted",))
    assert "(0 out of 2)" in shown
    assert "shifted" in shown


def test_without_a_feature_that_can_be_judged_there_is_no_report() -> None:
    assert page(side(1), side(2, rows=MIN_ROWS - 1)) == ""


def test_of_many_features_the_worst_are_drawn_and_every_score_is_told() -> None:
    sides = (side(1), side(2, shift=1.0))
    for number in range(drift_report.MOST_PICTURES + 1):
        for one in sides:
            one.features[f"feature_{number}"] = one.features["steady"] + number
    shown = page(*sides)
    assert f"PSI of all {drift_report.MOST_PICTURES + 5} columns" in shown
    assert shown.count("Drift in column") == drift_report.WORST + 1


HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)><a href='http://evil.test'>x</a>"


def test_no_text_of_the_data_is_markup_of_the_report() -> None:
    sides = (side(1), side(2, shift=1.0))
    plain = page(*sides)
    for one in sides:
        one.features["city"] = one.features["city"].map(lambda value: f"{value}{HOSTILE}", na_action="ignore")
        one.features.rename(columns={"shifted": HOSTILE}, inplace=True)
    shown = page(*sides)
    assert "alert(1)" in shown
    assert shown.count("</script>") == plain.count("</script>")
    assert "<img src=x" not in shown
    assert "<a href='http://evil" not in shown
    # Every text of the data, and every label Plotly draws of it, is without the beginning of a tag.
    data = [line for line in shown.splitlines() if line.lstrip().startswith("var ") and "alert" in line]
    assert data
    assert all("<" not in line for line in data)


def test_the_scripts_of_the_report_stay_what_they_are() -> None:
    shown = page(side(1), side(2, shift=1.0))
    assert "window.drawDashboard(" in shown
    assert (
        drift_report.without_markup("<script>\n    var a = 1 < 2;\n</script>")
        == "<script>\n    var a = 1 < 2;\n</script>"
    )
