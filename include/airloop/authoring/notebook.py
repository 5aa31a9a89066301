"""For notebooks: the training set of a cutoff as a DataFrame. Looking at it leaves no trace in MLflow or the ledger."""

from datetime import datetime
from typing import TYPE_CHECKING

from airloop.records import parse_instant
from airloop.settings import apply_quiet_environment, load_settings

if TYPE_CHECKING:
    import pandas as pd

    from airloop.models.training_rows import TrainingRows


def training_frame(pipeline: str, *, cutoff: str | datetime) -> "pd.DataFrame":
    """The rows a training of this cutoff would freeze: the same ones in the same order, with the same digest.

    Features are as known at each row's decision time, and sampled ones are rebuilt to prove it, as a training does.
    No MLflow run, model version, ledger entry or file of the lake is written, and calling it again changes nothing.

    Args:
        pipeline: Name of a declared pipeline whose features are built and validated up to the cutoff.
        cutoff: Instant with its UTC offset, like 2013-03-01T00:00:00Z. Rows decided before cutoff - label delay are in.

    Returns:
        Columns: entity key, decision_time (UTC), the feature service's features, label (NaN without outcome), part
        ('train', or 'holdout' for the newest holdout_days; the embargo between them is left out). Sorted by
        decision_time, then key.

    Raises:
        ConfigError: No such pipeline; names the nearest one.
        DataContractError: The cutoff has no offset or leaves too few training rows, an outcome feed has not landed up
            to it, or a feature leaks.
        UpstreamUnavailable: The features are not built and validated up to the cutoff; names the instant and the DAG.
    """
    return training_rows(pipeline, cutoff=cutoff).frame


def training_rows(pipeline: str, *, cutoff: str | datetime) -> "TrainingRows":
    """`training_frame` with its parts, its digest and the decision times that were rebuilt."""
    # Before the libraries below are imported: they read it then.
    apply_quiet_environment()
    from airloop.config import load_pipeline
    from airloop.deployment import Deployment
    from airloop.models import training_rows as rows

    settings = load_settings()
    declared = load_pipeline(pipeline, settings)
    instant = parse_instant(cutoff.isoformat() if isinstance(cutoff, datetime) else cutoff)
    return rows.training_rows(Deployment(declared, settings), instant)
