"""The DAG `<pipeline>__promotion` of every pipeline. Its tasks are those of the installed airloop."""

from airloop_airflow import pipelines
from airloop_airflow.dags import promotion

pipelines.build_each(promotion.build)
