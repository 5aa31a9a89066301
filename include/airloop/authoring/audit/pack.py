"""`airloop pack`: what an auditor needs of a version, in one archive."""

import json
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import fsspec

from airloop.authoring.audit import archive, proof, sbom
from airloop.config import Pipeline
from airloop.errors import ConfigError
from airloop.features import catalogue
from airloop.records import Window
from airloop.reports import card
from airloop.run.stage_groups import TO_FEATURES
from airloop.settings import Settings
from airloop.stores import state
from airloop.stores.mlflow import provenance, tag_names

_README = """{name} version {version}: what it is, on what it rests, and who let it in
{line}

card/           the model card as a page and as JSON
ledger/         every decision of the pipeline as it was appended; `python ledger/check_ledger.py` recomputes the chain
                and compares its end with head.json; verification.json is what airloop itself found: {verified}
records/        what the stages recorded of this version's training, promotion, and of the windows it was in force for
reports/        validation of the windows it learned from, monitoring and drift of those it scored
lineage.json    landed files (SHA-256), tables and their versions, training set, model: how one came of the other
environment/    lock file, code commit, Python; sbom.cdx.json is a CycloneDX {spec} bill of materials
SHA256SUMS      `sha256sum -c SHA256SUMS`
"""


def write(pipeline: Pipeline, version: int, settings: Settings, path: Path) -> dict[str, Any]:
    """Write the archive; the same state gives the same bytes.

    Returns:
        `files`, how many there are; `sha256` of the archive; `problems` of the ledger, which are in it too.

    Raises:
        ConfigError: `path` is not a .zip file, or cannot be written.
        GuardRefused: No such version.
        UpstreamUnavailable: A store does not answer.
    """
    if path.suffix != ".zip" or not path.absolute().parent.is_dir():
        raise ConfigError(f"--out {path}: name a .zip file in a folder that is there")
    files = contents(pipeline, version, settings)
    problems = json.loads(files["ledger/verification.json"])["problems"]
    return {"files": len(files), "sha256": archive.write(path, files), "problems": problems}


def contents(pipeline: Pipeline, version: int, settings: Settings) -> dict[str, bytes]:
    """Name in the archive -> content."""
    card_content = card.content(pipeline, version, settings, catalogue=catalogue.read(pipeline.name, settings))
    known = proof.files(settings, pipeline.name)
    verified = "it verifies" if json.loads(known["ledger/verification.json"])["verifies"] else "IT DOES NOT VERIFY"
    title = {"name": pipeline.name, "version": version, "spec": sbom.SPEC, "verified": verified}
    model = {"name": pipeline.name, "version": version, "digest": card_content["version"]["model_digest"]}
    records = _records(pipeline, card_content, settings)
    return {
        "README.txt": _README.format(**title, line="=" * 60).encode(),
        "card/card.html": card.page(card_content).encode(),
        "card/card.json": _json(card_content),
        **known,
        **{f"records/{stage}.json": _json(of_stage) for stage, of_stage in records.items() if of_stage},
        **dict(_reports(records, settings)),
        "lineage.json": _json(_lineage(card_content, records)),
        **_environment(card_content, settings),
        "environment/sbom.cdx.json": _json(sbom.bill(model | {"purpose": pipeline.description})),
    }


_ABOUT_A_VERSION = (
    *("train", "evaluate", "decide", "describe", "refit", "describe_refit"),
    *("promote", "roll_back", "score", "monitor"),
)


def _records(
    pipeline: Pipeline, card_content: Mapping[str, Any], settings: Settings
) -> dict[str, list[dict[str, Any]]]:
    """Stage -> its records about the version, its training set's windows, and the windows it was in force for."""
    versions = {card_content["version"]["number"], card_content["version"]["judged"]}
    by_stage = {
        stage: [record for record in state.latest_records(settings, pipeline.name, stage) if _about(record, versions)]
        for stage in _ABOUT_A_VERSION
    }
    data = card_content["data"]
    if data:
        snapshots = state.latest_records(settings, pipeline.name, "snapshot")
        by_stage["snapshot"] = [record for record in snapshots if record.get("digest") == data["digest"]][-1:]
        learned = Window.parse(data["train"]["start"], data["holdout"]["end"])
        for stage in TO_FEATURES:
            by_stage[stage] = state.latest_records(settings, pipeline.name, stage, overlapping=learned)
    return by_stage


def _about(record: Mapping[str, Any], versions: set[int]) -> bool:
    return bool(versions & {record.get("version"), record.get("judged_version")})


def _reports(records: Mapping[str, list[dict[str, Any]]], settings: Settings) -> Iterator[tuple[str, bytes]]:
    """The files that the records name, by their place below the reports; one that is gone is left out."""
    named = [
        record.get(key) for of_stage in records.values() for record in of_stage for key in ("report_uri", "metrics_uri")
    ]
    for uri in sorted({uri for uri in named if uri and uri.startswith(f"{settings.reports_uri}/")}):
        system, place = fsspec.core.url_to_fs(uri, **settings.storage_options)
        if system.isfile(place):
            yield f"reports/{uri.removeprefix(f'{settings.reports_uri}/')}", system.cat_file(place)


def _lineage(card_content: Mapping[str, Any], records: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    data = card_content["data"]
    files = {file["uri"]: file for record in records.get("ingest", ()) for file in record.get("files", ())}
    return {
        "landed_files": [files[uri] for uri in sorted(files)],
        "windows": [
            {"stage": stage, "window": record["window"], "tables": record.get("tables") or record.get("views") or []}
            for stage in TO_FEATURES
            for record in records.get(stage, ())
        ],
        "table_versions": data.get("table_versions", {}),
        "training_set": {name: data.get(name) for name in ("uri", "digest", "train", "holdout", "feature_fingerprint")},
        "model": {
            name: card_content["version"][name] for name in ("number", "judged", "candidate", "params", "model_digest")
        },
    }


def _environment(card_content: Mapping[str, Any], settings: Settings) -> dict[str, bytes]:
    """The lock file here, and which lock and commit the version's training ran with."""
    now = provenance.provenance(settings)
    then = provenance.run_tags(settings, card_content["version"]["run_id"])
    lock = provenance.lock_file(settings)
    trained = {name: then.get(name, "") for name in now}
    about = {
        "now": now,
        "trained_with": trained,
        "same_lock": trained.get(tag_names.LOCK_SHA256) == now[tag_names.LOCK_SHA256],
    }
    about |= {"python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    files = {"environment/environment.json": _json(about)}
    return files | ({"environment/base.lock": lock.read_bytes()} if lock else {})


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
