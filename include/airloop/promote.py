"""Promotion: the alias `champion` follows a decision that passed. There is no force flag."""

import logging
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from airloop import ledger, registry
from airloop.config import Pipeline
from airloop.errors import GuardRefused, UpstreamUnavailable
from airloop.ledger import Entry
from airloop.records import Decision, Promoted, Window
from airloop.settings import Settings

logger = logging.getLogger(__name__)

_CHECK_SECONDS = 300


def promote(pipeline: Pipeline, window: Window, upstream: Mapping[str, Any], settings: Settings) -> Promoted:
    """Put a version that passed in force for windows that start at or after the decision's `effective_at`.

    Appends `intended`, moves the alias, appends `done`. A second call returns the same record and changes nothing;
    after a kill at any point a second call, or `reconcile`, completes it.

    Raises:
        GuardRefused: The decision did not pass, is not in the ledger as given, or was superseded; the champion is no
            longer the one it was judged against; a promotion with a later `effective_at` happened; another promotion is
            unfinished; the ledger does not verify; the model does not load and predict in a fresh process.
        UpstreamUnavailable: MLflow does not answer, or the check takes longer than 300 s.
    """
    decision: Decision = upstream["decide"]
    ledger.require_intact(settings, pipeline.name)
    seen = ledger.entries(settings, pipeline.name)
    sequence = _require_recorded(seen, decision)
    if _begun(seen, decision, sequence) is None:
        check_model(settings, decision.model_name, decision.version)
    intended = ledger.append_once(
        settings,
        pipeline.name,
        kind="intended",
        effective_at=decision.effective_at,
        payload={
            "model_name": decision.model_name,
            "version": decision.version,
            "previous_version": decision.champion_version,
            "decision_sequence": sequence,
        },
        existing=lambda entries: _begun(entries, decision, sequence),
    )
    done = registry.finish_promotion(settings, intended)
    logger.info("%s %s: version %d promoted", pipeline.name, window, decision.version)
    return Promoted(
        model_name=decision.model_name,
        version=decision.version,
        previous_version=decision.champion_version,
        decision_sequence=sequence,
        sequence=done.sequence,
        effective_at=done.effective_at,
    )


def check_model(settings: Settings, model_name: str, version: int) -> None:
    """Load a version in a fresh process and predict on its input example.

    Raises:
        GuardRefused: It does not load, or predicts no probabilities.
        UpstreamUnavailable: Its files cannot be read, or the process takes longer than 300 s.
    """
    with tempfile.TemporaryDirectory(prefix="airloop-model-") as folder:
        path = registry.download_model(settings, model_name, version, folder=Path(folder))
        command = [sys.executable, "-m", "airloop.model_check", str(path)]
        # Started there, the new process imports this very airloop, installed or not.
        root = Path(__file__).parents[1]
        try:
            result = subprocess.run(
                command, capture_output=True, text=True, check=False, cwd=root, timeout=_CHECK_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise UpstreamUnavailable(f"{model_name} version {version}: no answer in {_CHECK_SECONDS} s") from error
    if result.returncode != 0:
        said = (result.stderr.strip().splitlines() or [f"exit code {result.returncode}"])[-1]
        raise GuardRefused(f"{model_name} version {version} does not predict in a fresh process: {said}")


def _require_recorded(seen: Sequence[Entry], decision: Decision) -> int:
    """The number of a decision that may be acted on."""
    if not decision.passed:
        raise GuardRefused(f"version {decision.version} was not passed by the gate: {decision.why}")
    recorded = [entry for entry in seen if entry.kind == "decision" and entry.payload["version"] == decision.version]
    found = next((entry for entry in recorded if entry.sequence == decision.sequence), None)
    if found is None or found.payload != ledger.payload_of(decision):
        raise GuardRefused(f"the ledger holds no such decision on version {decision.version}: run decide")
    if found is not recorded[-1]:
        raise GuardRefused(f"version {decision.version} was judged again: {recorded[-1].payload['why']}")
    return found.sequence


def _begun(seen: Sequence[Entry], decision: Decision, sequence: int) -> Entry | None:
    """The `intended` entry of this decision, or None when a promotion may begin now.

    Raises:
        GuardRefused: See `promote`.
    """
    mine = [entry for entry in seen if entry.kind == "intended" and entry.payload["decision_sequence"] == sequence]
    if mine:
        return mine[-1]
    unfinished = registry.open_promotion(seen)
    if unfinished is not None:
        raise GuardRefused(
            f"the promotion of version {unfinished.payload['version']} is unfinished: run reconcile first"
        )
    champion, last = registry.in_force(seen), ledger.latest(seen, "done")
    if champion != decision.champion_version:
        raise GuardRefused(
            f"version {decision.version} was judged against {_named(decision.champion_version)}, but "
            f"{_named(champion)} is in force meanwhile: evaluate and decide again"
        )
    if last is not None and last.effective_at > decision.effective_at:
        raise GuardRefused(
            f"version {champion} is in force from {last.effective_at:%Y-%m-%d} on, later than this decision's "
            f"{decision.effective_at:%Y-%m-%d}: history is not rewritten"
        )
    return None


def _named(version: int | None) -> str:
    return "no champion" if version is None else f"champion {version}"
