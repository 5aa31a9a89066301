"""The ids of a pipeline's DAGs: `<pipeline>__<group>`, like `shop__data`."""

_BETWEEN = "__"


def dag_of(pipeline: str, group: str) -> str:
    """The id of a DAG of the pipeline of this name; the group is `data`, `scoring`, `monitoring`, `training`, ..."""
    return f"{pipeline}{_BETWEEN}{group}"


def pipeline_and_group(dag_id: str) -> tuple[str, str]:
    """What `dag_of` made the id of; both empty for a DAG of somebody else."""
    pipeline, between, group = dag_id.rpartition(_BETWEEN)
    return (pipeline, group) if between else ("", "")
