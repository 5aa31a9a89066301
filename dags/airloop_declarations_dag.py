"""Show refused declarations where a person looks first: in Airflow's list of import errors.

This file makes no DAG, so its import error stops none. The DAGs of a refused pipeline are there and say the same.
"""

from airloop.errors import ConfigError
from airloop_airflow import pipelines

refused = pipelines.refusals()
if refused:
    raise ConfigError("\n".join(refused))
