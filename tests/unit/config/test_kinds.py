"""`kind:` is a shipped name or a class of the pipeline's own; what is wrong in it is said when the file is read."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.support import toy
from tests.support.gate_cases import GATE, evaluated

from airloop.config import load_pipeline
from airloop.config.gate_rules import RuleDeclaration
from airloop.errors import ConfigError
from airloop.gate.judge import judge
from airloop.models.rules_measured import ERROR
from airloop.settings import Settings

OWN = '''
from airloop.gate.rules.rule import Rule, verdict


class Rows(Rule):
    """At least so many rows."""

    at_least: int

    def measure(self, holdout):
        return {"rows": len(holdout.rows)}

    def check(self, measured):
        return verdict("rows", f"{measured['rows']} rows", measured["rows"], passed=measured["rows"] >= self.at_least)
'''


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ({"kind": "slicess", "columns": ["x"]}, "there is no rule 'slicess'; did you mean 'slices'?"),
        ({"kind": "slices", "column": ["x"]}, "column: unknown key; did you mean 'columns'?"),
        ({"kind": "slices", "columns": []}, "rule slices: columns: Tuple should have at least 1 item"),
        ({"kind": "behaviour"}, "give at least one case: invariance, direction or minimum"),
    ],
)
def test_a_mistake_is_refused_with_the_nearest_word(declared, says):
    with pytest.raises(ValidationError) as refused:
        RuleDeclaration.model_validate(declared)
    assert says in str(refused.value)


def test_the_file_and_the_line_of_a_mistake_are_named(tmp_path: Path):
    settings = toy.write_project(tmp_path / "project", Settings().project_dir)
    path = settings.pipelines_dir / "toy" / "pipeline.yaml"
    floors = "  floors: [{metric: roc_auc, at_least: 0.7}]\n"
    path.write_text(path.read_text().replace(floors, floors + "  rules: [{kind: latncy}]\n"))
    with pytest.raises(
        ConfigError, match=r"pipeline.yaml:\d+: gate.rules.0: there is no rule 'latncy'; did you mean 'latency'"
    ):
        load_pipeline("toy", settings)


def test_a_rule_of_the_pipelines_own_is_found_and_judges(tmp_path: Path, monkeypatch):
    (tmp_path / "own_rules_of_the_test.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    declared = RuleDeclaration.model_validate({"kind": "own_rules_of_the_test:Rows", "at_least": 10})
    gate = GATE.model_copy(update={"rules": (declared,)})
    key = "1 own_rules_of_the_test:Rows"
    assert judge(evaluated(measured={key: {"rows": 10}}), gate).passed
    assert judge(evaluated(measured={key: {"rows": 9}}), gate).why == "refused: 9 rows"
    assert "could not be measured: no luck" in judge(evaluated(measured={key: {ERROR: "no luck"}}), gate).why
    assert "nothing was measured for rule" in judge(evaluated(), gate).why
    wrong = RuleDeclaration.model_validate({"kind": "own_rules_of_the_test:Rowz"})
    with pytest.raises(ConfigError, match="cannot be imported"):
        wrong.build()
