"""Show refused declarations where a person looks first: in Airflow's list of import errors.

This file makes no DAG, so its import error stops none. The DAGs of a refused pipeline are there and say the same.
"""

import dag_kit
from airloop.errors import ConfigError

refused = dag_kit.refusals()
if refused:
    raise ConfigError("\n".join(refused))
