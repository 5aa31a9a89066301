"""The DAG `<pipeline>__maintenance` of every live pipeline. Its tasks are those of the installed airloop."""

from airloop_airflow import pipelines
from airloop_airflow.dags import maintenance

pipelines.build_each(maintenance.build)
