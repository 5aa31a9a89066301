"""The DAGs of a pipeline, one module per stage group; the files of a project's dags/ build them for every pipeline."""
