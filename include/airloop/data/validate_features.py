"""validate_features: features are computed, so one bad row fails the window."""

from airloop.data import verdict
from airloop.data.expectations import check_tables, load_expectations
from airloop.data.judgement import judge
from airloop.deployment import Deployment
from airloop.records import BuiltFeatures, Validated, Window
from airloop.stores import lake


def validate_features(at: Deployment, window: Window, *, built: BuiltFeatures) -> Validated:
    """Judge the feature rows whose known_at lies in the window; one bad row is a failure.

    Returns:
        Checks of every view; `tables` are the views as they were built.

    Raises:
        ConfigError: expectations.yaml is wrong, or a view has no rules.
        DataContractError: A critical rule breaks or cannot be computed.
    """
    pipeline, settings = at.pipeline, at.settings
    rules = load_expectations(pipeline, settings).features
    tables = {view.table: lake.read(view.uri, settings, where=lake.between("known_at", window)) for view in built.views}
    check_tables(
        rules,
        {name: rows.schema.names for name, rows in tables.items()},
        place=f"{settings.pipelines_dir / pipeline.name / 'expectations.yaml'}: features",
    )
    parameters = verdict.parameters(window, {name: rows.num_rows for name, rows in tables.items()})
    judgements = [
        judge(name, rows, rules[name], key=(rows.schema.names[0], "known_at"), parameters=parameters, max_bad_share=0.0)
        for name, rows in tables.items()
    ]
    page = verdict.report(at, window, "features", judgements)
    return Validated(window, "features", tuple(judged.check for judged in judgements), built.views, page)
