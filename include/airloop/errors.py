"""What can go wrong, and who has to act.

    AirloopError
    ├── ConfigError          the author's mistake in a declaration: fix the file, do not retry
    ├── DataContractError    the data is wrong: do not retry, nothing is published downstream
    ├── GuardRefused         a guard refused to act (a model of the future, a changed fingerprint): do not retry
    └── UpstreamUnavailable  a store or service did not answer: retry

include/airloop_airflow/outcomes.py alone maps these to Airflow's outcomes; the CLI prints them as one line.
"""


class AirloopError(Exception):
    """The base of every error airloop raises on purpose; its message is complete and fit for a person."""


class ConfigError(AirloopError):
    """A declaration is wrong; the message names the file, the key and the nearest valid key."""


class DataContractError(AirloopError):
    """The data breaks its declared contract; a retry would meet the same data."""


class GuardRefused(AirloopError):
    """A guard refused; the message says what it saw and what would make it pass."""


class UpstreamUnavailable(AirloopError):
    """A store, file system or service did not answer; a retry may succeed."""
