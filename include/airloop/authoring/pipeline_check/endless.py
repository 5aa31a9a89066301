"""A check comes to its end: what a project's own Python never gives back is one line with the place where it was."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType

from airloop.errors import ConfigError
from airloop.settings import Settings

# A check takes a few seconds of either; what a loop takes is the processor's, what waits takes the clock's.
SECONDS = {signal.ITIMER_PROF: 60.0, signal.ITIMER_REAL: 300.0}
_SIGNALS = {signal.ITIMER_PROF: signal.SIGPROF, signal.ITIMER_REAL: signal.SIGALRM}
_AGAIN_SECONDS = 1.0
# Where none of the project's files is at work, a slow machine is the likelier cause.
_ELSEWHERE = 5
# In a clone of airloop they lie beside the project's own modules.
_LIBRARY = ("airloop", "airloop_airflow", "airloop_platform")


class _Endless(BaseException):
    """Not an Exception: a loop that catches those goes on after them."""


@contextmanager
def in_time(name: str, settings: Settings) -> Iterator[None]:
    """Stop a block that does not end; in another thread than the main one it is not stopped.

    Raises:
        ConfigError: It did not end; says the file and the line of the project where it was.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    fired = dict.fromkeys(SECONDS, 0)

    def stop(timer: int, _number: int, frame: FrameType | None) -> None:
        fired[timer] += 1
        place = _own_place(frame, settings)
        if place or fired[timer] * _AGAIN_SECONDS > SECONDS[timer] * (_ELSEWHERE - 1):
            raise _Endless(place)

    before = {timer: signal.signal(number, partial(stop, timer)) for timer, number in _SIGNALS.items()}
    try:
        for timer, seconds in SECONDS.items():
            signal.setitimer(timer, seconds, _AGAIN_SECONDS)
        yield
    except _Endless as error:
        raise ConfigError(_says(name, str(error), settings)) from None
    finally:
        for timer, handler in before.items():
            signal.setitimer(timer, 0)
            signal.signal(_SIGNALS[timer], handler)


def _own_place(frame: FrameType | None, settings: Settings) -> str:
    """`path:line` of the innermost frame in a file of the project; empty when none of its files is at work."""
    include = settings.pipelines_dir.parent
    libraries = [include / name for name in _LIBRARY]
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        own = path.is_relative_to(include) or path.is_relative_to(settings.feature_repo_dir)
        if own and not any(path.is_relative_to(library) for library in libraries):
            return f"{path}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def _says(name: str, place: str, settings: Settings) -> str:
    if place:
        return (
            f"{place}: does not come to its end: the check of {name} was stopped here. Every check, task and service "
            "loads this file: let it define, and leave computing and waiting to functions that are called"
        )
    return (
        f"{settings.pipelines_dir / name}: its check did not end within {SECONDS[signal.ITIMER_REAL]:.0f} s, and none "
        "of the project's files was at work then: is the machine busy, or a store not answering? Try again"
    )
