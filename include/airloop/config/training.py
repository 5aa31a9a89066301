"""How candidates are made: what is learned from, which families are searched, and what a search costs."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from airloop.config.balance import Balance
from airloop.config.calibration import Calibration
from airloop.config.ensemble import FEATURES_AT_A_SPLIT, Ensemble, features_at_a_split
from airloop.config.metric import MetricName
from airloop.config.node import AttributePath, Name, Node
from airloop.config.refit import Refit
from airloop.config.selection import Selection
from airloop.config.trusted_type import TrustedType
from airloop.config.unlabelled import Unlabelled

_FEWEST_FOLDS_TO_PRUNE = 2


class Range(Node):
    """A numeric search range; integers stay integers."""

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high or (self.log and self.low <= 0):
            raise ValueError(
                f"low={self.low}, high={self.high}: low must not pass high, and a log range starts above 0"
            )
        return self


class Candidate(Node):
    """One family of models to tune."""

    estimator: AttributePath
    """`module:attribute` of a scikit-learn classifier, or regressor by the task, resolved on the worker."""
    encoder: Literal["one_hot", "ordinal", "target"]
    """How text features reach the estimator; `one_hot` also imputes and scales numbers. `target`: by the mean label of
    their value, cross-fitted within the rows of a fit; for texts of very many values."""
    params: dict[str, Any] = Field(default_factory=dict)
    search: dict[str, Range | Annotated[tuple[Any, ...], Field(min_length=1)]] = Field(default_factory=dict)
    """Parameter -> range, or the list of values to choose from."""
    trusted_types: tuple[TrustedType, ...] = ()
    """Classes of the project's own, `module:Class`, that a saved model may hold: each is imported and given its state
    when the model is loaded, so name only what a person has read."""


class Budget(Node):
    """What tuning one candidate costs: trials x folds fits on rows. The same on every machine."""

    trials: int = Field(gt=0)
    folds: int = Field(gt=0)
    rows: int = Field(gt=0)
    """Rows that a fold's fit, and its validation, see at most; of more rows, so many evenly spread over time."""
    seconds: float = Field(default=3600, gt=0)
    """When tuning is given up as an error; it never ends a search with the trials so far."""
    prune: Literal["none", "median"] = "none"
    """`median`: a trial that is behind the median of the earlier ones on the folds so far is given up before its last
    fold; the first four go to their end. The same on every machine. Pays from ten trials on three folds on."""

    @model_validator(mode="after")
    def _has_folds_to_leave_out(self) -> Self:
        if self.prune != "none" and self.folds < _FEWEST_FOLDS_TO_PRUNE:
            raise ValueError(f"prune: {self.prune} gives a trial up after a fold, and there is one: raise folds")
        return self


class Training(Node):
    """How candidates are made."""

    holdout_days: int = Field(gt=0)
    embargo_days: int = Field(ge=0)
    metric: MetricName
    """What tuning optimises."""
    seed: int = Field(ge=0, lt=2**32)
    min_train_rows: int = Field(gt=0)
    budget: Budget
    candidates: dict[Name, Candidate] = Field(min_length=1)
    group: str | None = None
    """Feature, or the entity key, whose rows belong together (a patient, a machine): no group is on both sides of a
    fold. Default: rows stand for themselves."""
    text: tuple[str, ...] = ()
    """Features that hold free text: each is read by its words (TF-IDF), and not as one of so many categories. A missing
    text has no words."""
    leak_check_times: int = Field(gt=0)
    """Decision times the leak check samples per snapshot."""
    refit: Refit = Refit()
    balance: Balance = Balance()
    unlabelled: Unlabelled = Unlabelled()
    selection: Selection = Selection()
    calibration: Calibration = Calibration()
    ensemble: Ensemble = Ensemble()
    memory_gib: float | None = Field(default=None, gt=0)
    """A training that would take more memory than this is refused before its features are read. Default: what the
    machine, or its container, has."""
    history_days: int | None = Field(default=None, gt=0)
    """Days before the holdout's embargo that are learned from; older rows are left out. Default: all since
    coverage.start."""
    max_train_rows: int | None = Field(default=None, gt=0)
    """More examples before the holdout than this are thinned, evenly over time, before their features are read: it
    bounds memory. Default: all."""
    half_life_days: float | None = Field(default=None, gt=0)
    """A row this much older than the newest one weighs half as much in a fit. Default: all weigh the same."""

    reserve_days: int | None = Field(default=None, ge=3)
    """Every so many days (UTC) no model learns from, in no fold, refit or probe: the gate's rule `forgetting` compares
    models on them. 10 keeps back a tenth of the past. Default: none."""

    @model_validator(mode="after")
    def _names_a_text_once(self) -> Self:
        twice = [name for place, name in enumerate(self.text) if name in self.text[:place]]
        if twice:
            raise ValueError(f"text: {twice[0]!r} stands in it twice: name each feature once")
        return self

    @model_validator(mode="after")
    def _reserves_every_weekday(self) -> Self:
        if self.reserve_days is not None and self.reserve_days % 7 == 0:
            raise ValueError(
                f"reserve_days: {self.reserve_days} days are whole weeks, and always one weekday would be kept back: "
                f"write {self.reserve_days + 3}"
            )
        return self

    @model_validator(mode="after")
    def _has_fits_that_differ(self) -> Self:
        estimators = [candidate.estimator for candidate in self.candidates.values()]
        if self.ensemble.fits > 1 and not any(map(features_at_a_split, estimators)):
            raise ValueError(
                f"ensemble.fits is {self.ensemble.fits}, and no candidate has fits to average, which boosting has "
                f"({', '.join(FEATURES_AT_A_SPLIT)}): leave it out, or name such a candidate"
            )
        return self

    @property
    def reviewed_types(self) -> frozenset[str]:
        """The trusted types of all candidates, `module.Class` as model files name them."""
        named = (name for candidate in self.candidates.values() for name in candidate.trusted_types)
        return frozenset(name.replace(":", ".") for name in named)
