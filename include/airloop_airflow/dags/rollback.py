"""Go back to a former champion, or lock and unlock promotions: a person decides, and says why.

`roll_back` loads the former champion, lets it predict, puts it in force from a data time on, and locks promotions.
Windows that were scored keep their predictions. Who started the run and the reason stand in the ledger. The same by
command: `airloop rollback`, `airloop lock`, `airloop unlock`.

**Triage.** Refused: the version was never champion, does not load, or its features mean something else now (the log
says which, and what else there is); or a promotion is unfinished: `airloop ledger reconcile`. Killed half-way: clear
the task, it finishes the move. Cleared after a success it changes nothing.
"""

from collections.abc import Mapping
from typing import Any

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowFailException

from airloop.config import Pipeline
from airloop_airflow import outcomes, pipelines, stage, windows
from airloop_airflow.params import Param, dag
from airloop_airflow.stage import Json

_ACTIONS = ("roll_back", "lock", "unlock")
# Something beside blanks and control characters.
_TEXT = r"^(?![\s\S]*[\u0000-\u001f\u007f])[\s\S]*\S"


def _params() -> dict[str, Param]:
    what = "What to do: `roll_back`, or only `lock` or `unlock` promotions."
    which = "A former champion, e.g. 2. Empty: the one before the champion in force."
    since = "Data time it takes effect, e.g. 2013-06-01T00:00:00Z. Empty: the end of the newest window that was scored."
    why = "The reason, e.g. it predicts nonsense for the new terminal. Kept in the ledger."
    return {
        "action": Param("roll_back", what, type="string", enum=list(_ACTIONS)),
        "version": Param(None, which, type=["null", "integer"], minimum=1, maximum=10**9),
        "effective_at": windows.optional_instant(since),
        "reason": Param(description=why, type="string", minLength=1, maxLength=1000, pattern=_TEXT),
    }


def _roll_back(pipeline: Pipeline, context: Mapping[str, Any]) -> Json:
    from airloop import settings
    from airloop.gate import roll_back
    from airloop.records import parse_instant

    params, request = pipelines.read_params(context), context["run_id"]
    since = parse_instant(params["effective_at"]) if params["effective_at"] else None
    version, store = params["version"], settings.load_settings()
    plan = roll_back.plan(pipeline, store, request=request, version=version, since=since)
    options = {"version": plan.version, "instead_of": plan.instead_of, "request": request}
    options |= {"why": params["reason"], "who": pipelines.starter(context)}
    return stage.run("roll_back", pipeline, plan.window, **options)


def _set_lock(pipeline: Pipeline, context: Mapping[str, Any]) -> Json:
    from airloop import settings
    from airloop.gate import lock

    params = pipelines.read_params(context)
    act = {"lock": lock.lock, "unlock": lock.unlock}[params["action"]]
    entry = act(settings.load_settings(), pipeline.name, why=params["reason"], who=pipelines.starter(context))
    return entry.to_json()


def build(pipeline: Pipeline) -> None:
    """The DAG `<pipeline>__rollback`."""

    @dag(schedule=None, **pipelines.defaults(pipeline, "rollback", doc=__doc__, params=_params()))
    def rollback() -> None:
        @task
        def act(**context: Any) -> Json:
            run = _roll_back if context["params"]["action"] == "roll_back" else _set_lock
            try:
                return run(pipeline, context)
            except outcomes.PERMANENT as error:
                raise AirflowFailException(str(error)) from error

        act()

    rollback()
