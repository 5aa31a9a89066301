"""The DAG `<pipeline>__alerts` of every live pipeline. Its tasks are those of the installed airloop."""

from airloop_airflow import pipelines
from airloop_airflow.dags import alerts

pipelines.build_each(alerts.build)
