"""The DAG `<pipeline>__rollback` of every pipeline. Its tasks are those of the installed airloop."""

from airloop_airflow import pipelines
from airloop_airflow.dags import rollback

pipelines.build_each(rollback.build)
