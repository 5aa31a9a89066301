"""The DAG `<pipeline>__scoring` of every pipeline. Its tasks are those of the installed airloop."""

from airloop_airflow import pipelines
from airloop_airflow.dags import scoring

pipelines.build_each(scoring.build)
