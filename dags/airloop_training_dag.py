"""The DAG `<pipeline>__training` of every pipeline. Its tasks are those of the installed airloop."""

from airloop_airflow import pipelines
from airloop_airflow.dags import training

pipelines.build_each(training.build)
