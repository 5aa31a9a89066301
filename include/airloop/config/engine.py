"""Where features.sql runs: AIRLOOP_ENGINE names a variant of this family."""

from airloop.config.families import Family

ENGINE = Family("engine", "airloop.features.engines.engine:Engine")
