"""The operator with which one DAG asks another for a run, and says why where a person looks: in the run's note.

This file is imported at every parse, so it imports nothing heavy.
"""

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator


class TriggerWithNote(TriggerDagRunOperator):
    """Airflow's operator; `note` is a template too."""

    template_fields = (*TriggerDagRunOperator.template_fields, "note")
