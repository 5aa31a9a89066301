"""The DAG `<pipeline>__monitoring` of every pipeline. Its tasks are those of the installed airloop."""

from airloop_airflow import pipelines
from airloop_airflow.dags import monitoring

pipelines.build_each(monitoring.build)
