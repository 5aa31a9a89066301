"""Predictions of a month in batch, as scoring makes them, against scikit-learn's own of the same frame."""

import numpy as np

from airloop.errors import DataContractError
from airloop.features.examples import feature_frame
from airloop.models import model_version
from benchmarks import prediction_services
from benchmarks.row import Row, interleaved
from benchmarks.session import Session

NAME = "a month's batch predictions / predict_proba"
BOUND = 1.3
UNIT = "s"


def measure(session: Session) -> Row:
    """Every prediction of one side has to be that of the other."""
    flights = prediction_services.trained(session)
    pipeline, settings = flights.pipeline, flights.settings
    frame = feature_frame(pipeline, flights.windows[-1], settings, with_labels=False)
    version = model_version.load_champion(pipeline, prediction_services.champion(flights), settings)
    features = frame[list(version.features)]
    ours = lambda: version.predict(pipeline, frame)  # noqa: E731
    peer = lambda: version.model.predict_proba(features)[:, 1]  # noqa: E731
    if not np.array_equal(ours(), peer()):
        raise DataContractError("scoring and scikit-learn predict the same rows differently")
    seconds = interleaved(lambda: ours, lambda: peer)
    note = f"{len(frame):,} rows; ours checks features, task and predictions too. Reading features is not in it"
    return Row(NAME, *seconds, bound=BOUND, unit=UNIT, note=note)
