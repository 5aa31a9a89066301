"""What a domain error means to Airflow: fail at once, wait for a store, or try again.

This file is imported at every parse, so it imports nothing heavy.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import RetryDecision, RetryPolicy

from airloop.errors import ConfigError, DataContractError, GuardRefused, UpstreamUnavailable

PERMANENT = (DataContractError, ConfigError, GuardRefused)
RETRIES = 2
# Scoring and monitoring of a period start together with its data run and wait for it: 21 minutes in all.
WAITING_RETRIES = 8
RETRY_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(minutes=15)


class Outcomes(RetryPolicy):
    """Fail at once what a retry would meet again; give a store time to come back; retry the unexpected twice.

    DataContractError, ConfigError, GuardRefused fail at the first try. UpstreamUnavailable is retried after 5, 10,
    20 ... seconds as often as the task allows. Anything else is tried 3 times. A killed process raises nothing: Airflow
    tries it again as often as the task allows.
    """

    def __init__(self, retries: int) -> None:
        self.retries = retries

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        """Airflow asks this in the worker after a failed try."""
        # A cleared task goes on counting: max_tries - retries of its tries were made before it was cleared.
        attempt = try_number - max(max_tries - self.retries, 0)
        if isinstance(exception, PERMANENT):
            return RetryDecision.fail(str(exception))
        if isinstance(exception, UpstreamUnavailable):
            return RetryDecision.retry(min(RETRY_DELAY * 2 ** (attempt - 1), LONGEST_DELAY), str(exception))
        if attempt > RETRIES:
            return RetryDecision.fail(f"unexpected {type(exception).__name__} in {attempt} tries")
        return RetryDecision.default()
