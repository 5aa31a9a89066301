"""A review, step by step: check, data, leak check, training, comparison. The first step that fails ends it."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from airloop.authoring.pipeline_check import check_pipeline
from airloop.authoring.review import champion, git
from airloop.authoring.review.backtest import Backtest, Progress, at_work, freeze, train
from airloop.authoring.review.champion import Baseline
from airloop.authoring.review.declaration import Declaration, Files, base_files, current_files, differing, pin
from airloop.authoring.review.differences import Differences, compare_declarations
from airloop.authoring.review.files import gather
from airloop.authoring.review.findings import CHECK, DATA, LEAKS, TRAINING, Failure, Review
from airloop.authoring.review.span import Span
from airloop.config import load_pipeline, pipeline_names
from airloop.errors import AirloopError, ConfigError, GuardRefused
from airloop.features.leak_check import LeakFound
from airloop.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Given:
    """What a review is about.

    Attributes:
        settings: Of the installation: its stores are read, and nothing is written to them.
        folder: Where the review writes.
        base: The commit, or why there is none.
        before: The base's files; empty without a base, or when it does not declare the pipeline.
    """

    name: str
    settings: Settings
    folder: Path
    base: git.Base | str
    before: Files
    days: int | None
    on_progress: Progress


def review_pipeline(
    name: str, settings: Settings, *, base_ref: str | None = None, days: int | None = None, on_progress: Progress
) -> Review:
    """Review a pipeline as the checkout declares it, edits included.

    Everything is written below `<home>/review/<name>`: copies of the declarations and of the files they read, and for
    each declaration a home of its own with lake, state, MLflow and Feast registry. The installation's landing folder,
    ledger and model registry are only read. A second review of the same finds the records of the first.

    Args:
        base_ref: Git ref the change goes to; default is the first of origin/main, main and HEAD that exists.
        days: Of data; default is what one training with its holdout needs.
        on_progress: Gets one short line per step.

    Raises:
        ConfigError: There is no such pipeline, or `base_ref` is not a commit.
    """
    if name not in pipeline_names(settings):
        load_pipeline(name, settings)  # refuses, with the nearest name
    base = _base(settings, base_ref)
    before = {} if isinstance(base, str) else base_files(name, settings.project_dir, base)
    request = _Given(name, settings, settings.home / "review" / name, base, before, days, on_progress)
    title, so_far = CHECK, Review(name, str(base))
    try:
        for comes_next in _steps(request):
            title, so_far = comes_next
    except LeakFound as error:
        return replace(so_far, failure=Failure(LEAKS, str(error)))
    except AirloopError as error:
        return replace(so_far, failure=Failure(title, str(error)))
    except Exception as error:  # whatever a declaration makes a library raise has to reach the comment
        logger.info("review of %s: %s failed", name, title, exc_info=True)
        return replace(so_far, failure=Failure(title, f"{type(error).__name__}: {error}"))
    return so_far


def _base(settings: Settings, ref: str | None) -> git.Base | str:
    try:
        return git.find_base(settings.project_dir, ref)
    except ConfigError as error:
        if ref is not None:
            raise
        return f"none: {error}"


def _steps(request: _Given) -> Iterator[tuple[str, Review]]:
    """The next step with the result so far; at the end the full result."""
    name, settings = request.name, request.settings
    after = current_files(name, settings.project_dir)
    paths = None if isinstance(request.base, str) else differing(request.before, after)
    so_far = Review(name, str(request.base), paths)
    yield CHECK, so_far
    request.on_progress("check")
    so_far = replace(so_far, checked=tuple(check_pipeline(name, settings)))
    declared = pin(name, after, settings, request.folder)
    before, differences = _before(request, declared)
    so_far = replace(so_far, differences=differences)
    yield DATA, so_far
    span = _span(declared, before, request)
    so_far = replace(so_far, span=span)
    yield DATA, so_far
    declared = at_work(declared, span, request.folder)
    snapshot = freeze(declared, span, on_progress=_of("change", request))
    so_far = replace(so_far, snapshot=snapshot)
    yield TRAINING, so_far
    change = train(declared, snapshot, on_progress=_of("change", request))
    so_far = replace(so_far, change=change)
    yield TRAINING, so_far
    measured, without = _champion(change, before, span, request)
    evaluated, decision = champion.judge(change, measured)
    yield TRAINING, replace(so_far, champion=measured, without=without, evaluated=evaluated, decision=decision)


def _before(request: _Given, declared: Declaration) -> tuple[Declaration | str, Differences | None]:
    """The base's declaration and how the change differs from it, or why there is none."""
    if isinstance(request.base, str):
        return f"there is no commit to compare with ({request.base})", None
    if not request.before:
        return f"{request.base} does not declare it", None
    try:
        before = pin(request.name, request.before, request.settings, request.folder)
        return before, compare_declarations(before, declared)
    except AirloopError as error:
        return f"the declaration of {request.base} cannot be read: {error}", None


def _span(declared: Declaration, before: Declaration | str, request: _Given) -> Span:
    request.on_progress("files")
    feeds = before.pipeline.feeds if isinstance(before, Declaration) else {}
    reads = declared.pipeline.model_copy(update={"feeds": {**feeds, **declared.pipeline.feeds}})
    return gather(reads, request.settings, request.folder, days=request.days)


def _champion(
    change: Backtest, before: Declaration | str, span: Span, request: _Given
) -> tuple[Baseline | None, tuple[str, ...]]:
    """The baseline that the change is measured against, and why better baselines were skipped."""
    without: list[str] = []
    looks: tuple[Callable[[], Baseline], ...] = (
        lambda: champion.in_force(change, request.settings),
        lambda: _trained_base(change, before, span, request),
    )
    for look in looks:
        try:
            return look(), tuple(without)
        except AirloopError as error:
            without.append(str(error))
        except Exception as error:  # of the base's declaration, or of an old model: no fault of the change
            logger.info("review of %s: no champion", request.name, exc_info=True)
            without.append(f"{type(error).__name__}: {error}")
    return None, tuple(without)


def _trained_base(change: Backtest, before: Declaration | str, span: Span, request: _Given) -> Baseline:
    if isinstance(before, str):
        raise GuardRefused(before)
    if not differing(before.files, change.declared.files):
        raise GuardRefused(
            f"no file of the declaration differs from {request.base}: the same model would be trained again"
        )
    who = f"the declaration of {request.base}, trained over the same span"
    declared, say = at_work(before, span, request.folder), _of("base", request)
    try:
        base = train(declared, freeze(declared, span, on_progress=say), on_progress=say)
    except AirloopError as error:
        raise GuardRefused(f"{who}: {error}") from error
    return champion.of_base(change, base, who)


def _of(whose: str, request: _Given) -> Progress:
    return lambda line: request.on_progress(f"{whose}: {line}")
