"""The one border to MLflow: every call to it is made inside `answering`, which turns its errors into airloop's."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from airloop.errors import GuardRefused, UpstreamUnavailable
from airloop.settings import Settings

_ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
_SHOWN_CHARACTERS = 500


@contextmanager
def answering(settings: Settings, doing: str) -> Iterator[None]:
    """Say in one line, without a password, that MLflow lacks what is asked for, or does not answer.

    Args:
        doing: What is tried, to complete "cannot ...".

    Raises:
        GuardRefused: What is asked for does not exist; a retry would meet the same.
        UpstreamUnavailable: Anything else MLflow, its database or its file store raises; a retry may succeed.
    """
    try:
        yield
    except MlflowException as error:
        if error.error_code in _ABSENT:
            raise GuardRefused(f"cannot {doing}: MLflow says {in_one_line(error)}") from error
        raise _unavailable(settings, doing, error) from error
    except (SQLAlchemyError, OSError) as error:
        raise _unavailable(settings, doing, error) from error


def _unavailable(settings: Settings, doing: str, error: Exception) -> UpstreamUnavailable:
    place = _without_password(settings.mlflow_tracking_uri)
    return UpstreamUnavailable(f"MLflow at {place}: {in_one_line(error)} (cannot {doing})")


def in_one_line(error: Exception) -> str:
    """The first line of an error, without user and password of the URLs in it."""
    text = str(getattr(error, "orig", None) or getattr(error, "message", None) or error).strip()
    first = (text or type(error).__name__).splitlines()[0]
    return _without_password(first)[:_SHOWN_CHARACTERS]


def _without_password(text: str) -> str:
    return re.sub(r"//[^/\s]*@", "//", text)
