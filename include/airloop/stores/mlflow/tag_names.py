"""Tags of MLflow that one module writes and another reads; they stand in people's registries, so no name changes."""

CANDIDATE = "airloop.candidate"
"""Of a version, and of the run of a search: the name in training.candidates."""

CODE_COMMIT = "airloop.code_commit"
"""Of runs and versions: the project's git commit, with `-dirty`."""

EVIDENCE = "airloop.evidence"
"""JSON: of a training's run all that evaluate measured; of a version what fits of the decision's."""

FEATURE_FINGERPRINT = "airloop.feature_fingerprint"
"""Of a version: what its features meant when it was trained."""

HOLDOUT_URI = "airloop.holdout_uri"
"""Of a version that was evaluated: the file of its predictions on the holdout."""

LOCK_SHA256 = "airloop.lock_sha256"
"""Of runs and versions: the digest of the lock file."""

PARAMS = "airloop.params"
"""Of a version: its parameters as JSON."""

REASON = "airloop.reason"
"""Of runs and versions: why the training was asked for."""

REASON_KEY = "airloop.reason_key"
"""Of the snapshot's run and of versions: what asked for it."""

REFIT_OF = "airloop.refit_of"
"""Of a version: the judged one that it is a refit of."""

SNAPSHOT = "airloop.snapshot"
"""Of the snapshot's run its digest; of a version of an older airloop the whole record as JSON."""
