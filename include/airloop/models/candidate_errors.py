"""What a candidate's own code raises, told as one error: which candidate, what it was doing, what it said."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airloop.config import Pipeline
from airloop.errors import AirloopError, ConfigError
from airloop.problems import Floats, task_of

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def told(pipeline: Pipeline, candidate: str, doing: str) -> Iterator[None]:
    """Errors of an estimator, and of what encodes its rows, become a ConfigError; airloop's own pass as they are.

    Another try would end the same way. A class that ends the process (SystemExit) ends no training either.

    Args:
        doing: What the candidate was asked for, to follow its name: "fit on 966 rows".

    Raises:
        ConfigError: Names the candidate, its estimator, the error and the way out.
    """
    try:
        yield
    except AirloopError:
        raise
    except MemoryError as error:
        raise ConfigError(
            f"{_place(pipeline, candidate)} ran out of memory when it was to {doing}: set training.max_train_rows "
            "(thinned evenly over time), or training.history_days"
        ) from error
    except (Exception, SystemExit) as error:
        says = " ".join(str(error).split()) or "it says no more"
        raise ConfigError(
            f"{_place(pipeline, candidate)} could not {doing}: {type(error).__name__}: {says}; mend its params, its "
            "search or the class itself, or take it out of training.candidates"
        ) from error


def predictions(pipeline: Pipeline, candidate: str, model: Any, rows: "pd.DataFrame") -> Floats:
    """What a fitted candidate predicts for rows of its features, sound as the task asks for.

    Raises:
        ConfigError: It raised, or predicts other shapes, gaps or values than the task has.
    """
    task, doing = task_of(pipeline), f"predict {len(rows)} rows"
    with told(pipeline, candidate, doing):
        predicted = task.predict(model, rows)
        if problem := task.prediction_problem(predicted):
            raise ValueError(problem)
    return predicted


def _place(pipeline: Pipeline, candidate: str) -> str:
    estimator = pipeline.training.candidates[candidate].estimator
    return f"{pipeline.name}/pipeline.yaml: training.candidates.{candidate}: {estimator}"
