"""Online features beside offline ones of the same key and instant: silent where they are equal, an alarm where not."""

from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.support import served_toy, toy
from tests.support.served_toy import CUTOFF, NOON, ask

from airloop.config.serving_skew import Skew
from airloop.serving import collect, skew
from airloop.stores import alarms, lake

ENTITIES = [{"job": f"j{CUTOFF:03d}-{number:03d}", "machine": f"m{number % 5}"} for number in range(30)]


@pytest.fixture
def answered(served):
    """The toy that was asked for 30 jobs by their keys, one of them with a feature of its own, and collected."""
    rows = [{"entity": entity, "as_of": NOON.isoformat()} for entity in ENTITIES]
    rows[0]["features"] = {"job_size": 1e3}
    with served_toy.running(served) as client:
        assert ask(client, {"rows": rows}).status_code == 200
    return served


def declared(settings, **values):
    pipeline = toy.toy_pipeline(settings)
    serving = pipeline.serving.model_copy(update={"skew": Skew(**{"min_rows": 10, **values})})
    return pipeline.model_copy(update={"serving": serving})


def checked(settings, **values):
    pipeline = declared(settings, **values)
    days = collect.collect(pipeline, settings).days
    return {one.view: one for one in skew.check(pipeline, days, settings)}


def raised(settings):
    return [item.alarm for item in alarms.raised(toy.toy_pipeline(settings), settings, stages=["serving"])]


def plant(settings, change):
    """Change the feature table of the machines' heat."""
    uri = lake.table_uri(settings, "toy", "features", "machine_heat")
    window = toy.days(CUTOFF, CUTOFF + 1)
    rows = lake.read(uri, settings, where=lake.between("known_at", window))
    rows = rows.drop_columns([name for name in rows.column_names if name == lake.PARTITION])
    lake.replace_window(uri, change(rows), settings, time_column="known_at", window=window, sort_by=["machine"])


def hotter(rows, by=0.5):
    celsius = pc.add(rows["celsius"], by)
    return rows.set_column(rows.column_names.index("celsius"), "celsius", celsius)


def one_hotter(rows):
    of_one = pc.equal(rows["machine"], "m1")
    return pa.concat_tables([hotter(rows.filter(of_one)), rows.filter(pc.invert(of_one))])


def test_equal_features_raise_nothing_and_a_feature_of_the_request_is_not_compared(answered):
    found = checked(answered)
    assert found["machine_heat"].rows == 30
    assert (found["machine_heat"].differing, found["machine_heat"].gone, found["machine_heat"].late) == (0, 0, 0)
    assert (found["job_static"].rows, found["job_static"].differing) == (30, 0)
    assert raised(answered) == []


def test_other_values_of_the_same_instant_are_an_alarm_that_names_one_and_closes_when_they_are_equal_again(answered):
    plant(answered, hotter)
    pipeline = declared(answered)
    days = collect.collect(pipeline, answered).days
    (heat,) = (one for one in skew.check(pipeline, days, answered) if one.view == "machine_heat")
    assert (heat.rows, heat.differing) == (30, 30)
    (alarm,) = raised(answered)
    assert (alarm.kind, alarm.subject, alarm.holds_training) == ("online_offline_skew", "machine_heat", False)
    assert "celsius of m0 at " in alarm.says
    skew.check(pipeline, days, answered)
    assert len(raised(answered)) == 1
    plant(answered, lambda rows: hotter(rows, -0.5))
    skew.check(pipeline, days, answered)
    assert raised(answered) == []


@pytest.mark.parametrize("allowed", [{"min_rows": 31}, {"max_share": 0.2}])
def test_few_rows_or_a_share_that_is_allowed_raise_nothing(answered, allowed):
    plant(answered, one_hotter)
    assert checked(answered, **allowed)["machine_heat"].differing == 6
    assert raised(answered) == []


def test_a_value_that_was_known_by_then_and_not_online_is_late_and_not_skewed(answered):
    def newer(rows):
        later = pc.add(rows["known_at"], pa.scalar(timedelta(minutes=2), pa.duration("us")))
        more = rows.set_column(rows.column_names.index("known_at"), "known_at", later.cast(rows["known_at"].type))
        return pa.concat_tables([rows, more])

    plant(answered, newer)
    found = checked(answered)["machine_heat"]
    assert found.late > 0
    assert found.differing == 0
    assert raised(answered) == []


def test_values_that_are_nowhere_offline_count_as_differing(answered):
    plant(answered, lambda rows: rows.slice(0, 0))
    found = checked(answered)["machine_heat"]
    assert found.gone > 10
    assert [alarm.subject for alarm in raised(answered)] == ["machine_heat"]


def test_a_share_that_is_none_is_refused():
    with pytest.raises(ValueError, match="max_share"):
        Skew(max_share=1.5)
