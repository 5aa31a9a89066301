"""What identifies one training, in MLflow and wherever a retry has to find what an earlier try made."""

from airloop.config import Pipeline
from airloop.records import Snapshot
from airloop.records.digests import digest
from airloop.run.code_digest import code_digest


def training_key(pipeline: Pipeline, snapshot: Snapshot) -> str:
    """32 hexadecimal digits of its data, what the features mean, what asked, how it is declared, and the code."""
    declared = pipeline.training.model_dump(mode="json")
    data = [snapshot.digest, snapshot.feature_fingerprint, snapshot.cutoff.isoformat(), snapshot.reason_key]
    return digest([*data, declared, code_digest("models")])[:32]
