"""airloop: the whole life of a machine-learning model, run as Airflow DAGs. Plain Python: imports no Airflow."""
