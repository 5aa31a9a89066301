"""Check a declaration deeper than its YAML: SQL, expectations, Feast definitions, every name it resolves."""

from functools import partial

from airloop.authoring import landed_check
from airloop.authoring.known_connections import unknown_connections
from airloop.authoring.pipeline_check.declared import declared_values
from airloop.authoring.pipeline_check.looks import labels_of_inputs, labels_without_rule, looks
from airloop.authoring.pipeline_check.refusals import raise_all, refusals
from airloop.config import Pipeline, load_pipeline, text_file
from airloop.config.nearest import nearest
from airloop.config.positions import with_line
from airloop.config.prediction import PREDICTION
from airloop.data import expectations
from airloop.errors import ConfigError
from airloop.features import engine_check, feature_store, sections, sql_check, transforms
from airloop.serving import declaration
from airloop.settings import Settings

_OWN_COLUMNS = ("decision_time", "label", "part", PREDICTION)


def check_pipeline(name: str, settings: Settings) -> list[str]:
    """Check one pipeline; returns a line per part that was found good, then what is allowed and worth a look.

    Raises:
        ConfigError: All that is wrong, a line each with file and place. Of a file that cannot be read nothing else can
            be said.
    """
    pipeline = load_pipeline(name, settings)
    declared = settings.pipelines_dir / name / "pipeline.yaml"
    lines: list[str] = []
    wrong: list[str] = []
    for check in (declared_values, _sql, _features, _expectations):
        try:
            lines += check(pipeline, settings)
        except ConfigError as error:
            wrong += str(error).split("\n")
    if wrong:
        text = text_file.read(declared)
        own = f"{name}/pipeline.yaml: "
        raise ConfigError(
            "\n".join(with_line(line, text) if line.startswith(own) else line for line in dict.fromkeys(wrong))
        )
    suites = expectations.load_expectations(pipeline, settings)
    return [
        *lines,
        *looks(pipeline),
        *landed_check.looks(pipeline, settings),
        *unknown_connections(pipeline, settings),
        *labels_of_inputs(pipeline, settings),
        *labels_without_rule(pipeline, suites, settings),
    ]


def _sql(pipeline: Pipeline, settings: Settings) -> list[str]:
    views = set(sections.view_names(pipeline, settings))
    known = feature_store.view_keys(pipeline, settings)
    wrong, _ = sql_check.problems(pipeline, settings)
    wrong += _views_apart(pipeline, settings, set(known))
    wrong += engine_check.problems(pipeline, settings)
    functions: tuple[str, ...] = ()
    try:
        functions = transforms.check(pipeline, settings)
    except ConfigError as error:
        wrong.append(str(error))
    raise_all(wrong)
    through = [f"transforms.py: {', '.join(functions)}"] if functions else []
    return [f"features.sql: {len(views)} views, known to Feast", *through]


def _views_apart(pipeline: Pipeline, settings: Settings, known: set[str]) -> list[str]:
    """Views that only one of features.sql and Feast's definitions has."""
    written = {section.name: section for section in sections.feature_sections(pipeline, settings)}
    views = {name for name, section in written.items() if section.kind == "view"}
    repository = f"feature_repo/{pipeline.name}.py"
    wrong = [
        f"{pipeline.name}/features.sql:{written[name].line}: view {name} is not known to Feast{nearest(name, known)}: "
        f"add a FeatureView to {repository}"
        for name in sorted(views - known)
    ]
    return wrong + [
        f"{feature_store.place(pipeline, settings, name)}: features.sql has no view {name}{nearest(name, views)}: "
        "add a section `-- view: ...`, or take the FeatureView away"
        for name in sorted(known - views)
    ]


def _features(pipeline: Pipeline, settings: Settings) -> list[str]:
    name = pipeline.name
    features = feature_store.feature_names(pipeline, settings)
    service = pipeline.features.service
    empty = (
        f"{feature_store.place(pipeline, settings, service)}: feature service {service!r} has no feature to learn from"
    )
    reserved = sorted({*_OWN_COLUMNS, pipeline.prediction.entity_key} & set(features))
    wrong = [
        f"{feature_store.place(pipeline, settings, item)}: feature {item!r} has the name of a column airloop adds; "
        "give it another name"
        for item in reserved
    ]
    wrong += [] if features else [empty]
    wrong += refusals(feature_store.ignored_in_drift, pipeline, settings)
    wrong += refusals(feature_store.refuse_unfit_texts, pipeline, settings)
    wrong += refusals(declaration.check, pipeline, settings)
    raise_all(wrong)
    return [f"feature_repo/{name}.py: service {pipeline.features.service} with {len(features)} features"]


def _expectations(pipeline: Pipeline, settings: Settings) -> list[str]:
    suites = expectations.load_expectations(pipeline, settings)
    path = settings.pipelines_dir / pipeline.name / "expectations.yaml"
    _, columns = sql_check.problems(pipeline, settings)
    bound = {table: rules for table, rules in suites.features.items() if table in columns}
    wrong = refusals(partial(expectations.check_tables, place=f"{path}: features"), bound, columns)
    views = sections.view_names(pipeline, settings)
    wrong += [
        f"{path}: features.{table}: there is no such view (views: {', '.join(views)})"
        for table in suites.features
        if table not in views
    ]
    text = text_file.read(path)
    raise_all([with_line(line, text) for line in wrong])
    count = sum(len(rules) for layer in (suites.raw, suites.features) for rules in layer.values())
    return [f"expectations.yaml: {count} expectations"]
