"""Figures of one process in Prometheus' text format: requests, latency, versions, ages, the log."""

import os
import resource
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airloop.serving.champions import Slot
    from airloop.serving.logged import Answered, Logged

_BUCKETS_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_WHOSE = attrgetter("pipeline", "version")


class Metrics:
    """Counters that only grow while the process lives."""

    def __init__(self) -> None:
        """All zero."""
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str]] = Counter()
        self._errors: Counter[str] = Counter()
        self._buckets = [0] * (len(_BUCKETS_SECONDS) + 1)
        self._seconds = 0.0
        self._predictions: Counter[tuple[str, int]] = Counter()
        self._compared: Counter[str] = Counter()
        self._canary: Counter[str] = Counter()
        self._apart: dict[str, float] = {}
        self._flags: Counter[tuple[str, str, str]] = Counter()
        self._oldest: dict[tuple[str, str], float] = {}

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count one request that was answered."""
        with self._lock:
            self._requests[route, str(status)] += 1
            self._buckets[bisect_left(_BUCKETS_SECONDS, seconds)] += 1
            self._seconds += seconds

    def error(self, code: str) -> None:
        """Count one refusal."""
        with self._lock:
            self._errors[code] += 1

    def answered(self, records: "Answered") -> None:
        """Count the predictions of one answer."""
        with self._lock:
            if not isinstance(records, Sequence):
                self._predictions[records.pipeline, records.version] += len(records)
                return
            self._predictions.update(map(_WHOSE, records))
            for record in filter(_notable, records):
                self._canary[record.pipeline] += bool(record.role)
                if record.other is not None:
                    self._compared[record.pipeline] += 1
                    more = apart(record.prediction, record.other.prediction)
                    self._apart[record.pipeline] = self._apart.get(record.pipeline, 0.0) + more
                for view, flag in record.flags.items():
                    self._flags[record.pipeline, view, flag] += 1
                for view, age in record.ages.items():
                    self._oldest[record.pipeline, view] = age

    def text(self, slots: Mapping[str, "Slot"], log_records: int) -> str:
        """All figures; `worker` is the process, where the service has several."""
        with self._lock:
            return "\n".join(self._lines(slots, log_records)) + "\n"

    def _lines(self, slots: Mapping[str, "Slot"], log_records: int) -> Iterator[str]:
        worker = f'worker="{os.getpid()}"'
        yield "# TYPE airloop_serving_requests_total counter"
        for (route, status), count in sorted(self._requests.items()):
            yield f'airloop_serving_requests_total{{{worker},route="{route}",status="{status}"}} {count}'
        yield "# TYPE airloop_serving_refused_total counter"
        for code, count in sorted(self._errors.items()):
            yield f'airloop_serving_refused_total{{{worker},code="{code}"}} {count}'
        yield "# TYPE airloop_serving_request_seconds histogram"
        total = 0
        for bound, count in zip((*_BUCKETS_SECONDS, "+Inf"), self._buckets, strict=True):
            total += count
            yield f'airloop_serving_request_seconds_bucket{{{worker},le="{bound}"}} {total}'
        yield f"airloop_serving_request_seconds_sum{{{worker}}} {self._seconds}"
        yield f"airloop_serving_request_seconds_count{{{worker}}} {total}"
        yield "# TYPE airloop_serving_predictions_total counter"
        for (pipeline, version), count in sorted(self._predictions.items()):
            yield f'airloop_serving_predictions_total{{{worker},pipeline="{pipeline}",version="{version}"}} {count}'
        yield "# TYPE airloop_serving_flagged_views_total counter"
        for (pipeline, view, flag), count in sorted(self._flags.items()):
            labels = f'{worker},pipeline="{pipeline}",view="{view}",flag="{flag}"'
            yield f"airloop_serving_flagged_views_total{{{labels}}} {count}"
        yield "# TYPE airloop_serving_feature_age_seconds gauge"
        for (pipeline, view), age in sorted(self._oldest.items()):
            yield f'airloop_serving_feature_age_seconds{{{worker},pipeline="{pipeline}",view="{view}"}} {age}'
        yield "# TYPE airloop_serving_version gauge"
        for name, slot in sorted(slots.items()):
            version = slot.served.version if slot.served else 0
            yield f'airloop_serving_version{{{worker},pipeline="{name}"}} {version}'
        yield "# TYPE airloop_serving_problem gauge"
        for name, slot in sorted(slots.items()):
            yield f'airloop_serving_problem{{{worker},pipeline="{name}"}} {int(bool(slot.problem))}'
        yield from self._challengers(worker, slots)
        yield "# TYPE airloop_serving_log_records_total counter"
        yield f"airloop_serving_log_records_total{{{worker}}} {log_records}"
        yield "# TYPE airloop_serving_max_resident_bytes gauge"
        largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        yield f"airloop_serving_max_resident_bytes{{{worker}}} {largest}"

    def _challengers(self, worker: str, slots: Mapping[str, "Slot"]) -> Iterator[str]:
        kinds: tuple[tuple[str, str, Mapping[str, float]], ...] = (
            ("challenger_version", "gauge", {name: slot.beside.version for name, slot in slots.items() if slot.beside}),
            (
                "challenger_problem",
                "gauge",
                {n: bool(slot.beside and slot.beside.problem) for n, slot in slots.items()},
            ),
            ("canary_share", "gauge", {name: slot.beside.share for name, slot in slots.items() if slot.beside}),
            ("canary_answers_total", "counter", self._canary),
            ("compared_answers_total", "counter", self._compared),
            ("compared_difference_total", "counter", self._apart),
        )
        for name, kind, values in kinds:
            yield f"# TYPE airloop_serving_{name} {kind}"
            for pipeline in sorted(slots):
                yield f'airloop_serving_{name}{{{worker},pipeline="{pipeline}"}} {float(values.get(pipeline, 0)):g}'


def _notable(record: "Logged") -> bool:
    """Whether more than the champion and sent features was asked."""
    return bool(record.role or record.other is not None or record.flags or record.ages)


def apart(one: float | list[float], other: float | list[float]) -> float:
    """How far two predictions are apart: of class probabilities the largest difference."""
    if isinstance(one, list) and isinstance(other, list):
        return max(abs(mine - theirs) for mine, theirs in zip(one, other, strict=True))
    return abs(float(one) - float(other)) if isinstance(one, int | float) and isinstance(other, int | float) else 0.0
