"""Running a stage: the table of stages and groups, the input key, the record that says it was done."""
