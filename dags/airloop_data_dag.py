"""The DAG `<pipeline>__data` of every pipeline. Its tasks are those of the installed airloop."""

from airloop_airflow import pipelines
from airloop_airflow.dags import data

pipelines.build_each(data.build)
