"""The DAG `<pipeline>__inbox` of every pipeline. Its tasks are those of the installed airloop."""

from airloop_airflow import pipelines
from airloop_airflow.dags import inbox

pipelines.build_each(inbox.build)
