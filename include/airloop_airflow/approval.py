"""A person's answer to a promotion, by Airflow's own human-in-the-loop operator: nobody's worker is held meanwhile.

The question waits in the triggerer. It ends by an answer in Airflow, an answer by command (the ledger has it), the
deadline, or because it was overtaken: a newer version passed, another champion is in force, the evidence is too old.

A person may answer within the second in which the task leaves its worker. Airflow's scheduler can then take this for a
task that was killed and start it again, and a question that is asked again loses its answer. So an attempt after the
first asks nothing: it waits for the answer to the question that stands.

On SQLite the number of a trigger that is gone is given to the next one, and a late event of the first wakes the task of
the second. So an event names the decision it answers, and to a task that asks about another it is none.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.providers.standard.triggers.hitl import HITLTrigger
from airflow.sdk.exceptions import AirflowFailException, AirflowRuntimeError
from airflow.sdk.execution_time.hitl import update_hitl_detail_response, upsert_hitl_detail
from airflow.sdk.timezone import utcnow
from airflow.triggers.base import TriggerEvent

from airloop import settings
from airloop.config import Pipeline, load_pipeline
from airloop.errors import AirloopError
from airloop_airflow import outcomes, pipelines
from airloop_airflow.params import Param

logger = logging.getLogger(__name__)

FORM = {"comment": Param("", "Why; kept in the ledger.", type="string", maxLength=1000)}
"""What a person fills in beside the answer: `params` of the operator."""

_ENDED, _UNASKED, _ABOUT = "ended", "unasked", "sequence"
_DEFAULTS = {"approve": ApprovalOperator.APPROVE, "reject": ApprovalOperator.REJECT}
_KINDS = {ApprovalOperator.APPROVE: "approved", ApprovalOperator.REJECT: "rejected"}


class Approval(ApprovalOperator):
    """Ask by the pipeline's `approval` policy whether the decision of the run may be promoted.

    What needs no approval, or has one, goes on at once. A rejection, by a person or the deadline, and a question that
    was overtaken skip what follows; the run is a success.
    """

    def __init__(self, *, pipeline: Pipeline, **kwargs: Any) -> None:
        policy = pipeline.approval
        super().__init__(
            subject=f"Promote a version of {pipeline.name}?",
            defaults=_DEFAULTS[policy.default],
            response_timeout=timedelta(hours=policy.deadline_hours),
            **kwargs,
        )
        self.pipeline_name = pipeline.name

    def execute(self, context: Any) -> Any:
        """Ask, unless there is nothing to ask, or an attempt before this one has asked."""
        deadline = utcnow() + (self.response_timeout or timedelta())
        return self._ask(context, deadline, note="" if context["ti"].try_number == 1 else None)

    def execute_complete(self, context: Any, event: dict[str, Any], deadline: str = "", **_: Any) -> Any:
        """Put the answer on record, or ask again whoever is entitled when the person is not."""
        from airloop.gate import approval

        pipeline, sequence = self._pipeline(), _sequence(context)
        store = settings.load_settings()
        if event.get(_ABOUT) != sequence:
            return self._ask(context, datetime.fromisoformat(deadline), note=None)
        if _UNASKED in event:
            return self._ask(context, datetime.fromisoformat(deadline), note="")
        if _ENDED in event:
            if event[_ENDED]:
                approval.close(pipeline, store, sequence, why=event[_ENDED])
            return self._go_on(context, self._request(context).standing)
        answered = super(ApprovalOperator, self).execute_complete(context, event)
        try:
            entry = approval.answer(pipeline, store, sequence, **self._answer(context, answered))
        except approval.NotEntitled as error:
            return self._ask(context, datetime.fromisoformat(deadline), note=str(error))
        except outcomes.PERMANENT as error:
            entry = approval.close(pipeline, store, sequence, why=str(error))
        return self._go_on(context, entry.kind)

    def _ask(self, context: Any, deadline: datetime, *, note: str | None) -> Any:
        """Ask, and say `note` beside the question; None where the question stands already."""
        request = self._request(context)
        if request.standing:
            return self._go_on(context, request.standing)
        return self._wait(context, request, deadline, note=note)

    def _wait(self, context: Any, request: Any, deadline: datetime, *, note: str | None) -> Any:
        """Show the question and leave the worker; `execute_complete` goes on."""
        ti_id = context["task_instance"].id
        if note is not None:
            self._show(ti_id, request, note)
        self.log.info("%s %s", request.subject, note or "waiting for an answer")
        self.defer(
            trigger=Answers(
                pipeline=self.pipeline_name,
                sequence=_sequence(context),
                ti_id=ti_id,
                options=self.options,
                defaults=self.defaults,
                params=self.serialized_params,
                timeout_datetime=deadline,
                stands=note is None,
            ),
            method_name="execute_complete",
            kwargs={"deadline": deadline.isoformat()},
        )

    def _show(self, ti_id: Any, request: Any, note: str) -> None:
        """Put the question under Required Actions; an answer to one that was there is lost."""
        self.subject, self.body = request.subject, "\n\n".join(filter(None, (note, request.body)))
        upsert_hitl_detail(
            ti_id=ti_id,
            options=self.options,
            subject=self.subject,
            body=self.body,
            defaults=self.defaults,
            multiple=self.multiple,
            params=self.serialized_params,
            assigned_users=[{"id": name, "name": name} for name in request.respondents],
        )

    def _request(self, context: Any) -> Any:
        from airloop_airflow import approval_request

        store, starter = settings.load_settings(), pipelines.person(context)
        try:
            return approval_request.prepare(self._pipeline(), store, _sequence(context), starter=starter)
        except outcomes.PERMANENT as error:
            raise AirflowFailException(f"refused: {error}") from error

    def _answer(self, context: Any, answered: Mapping[str, Any]) -> dict[str, Any]:
        from airloop.records.person_texts import cleaned

        (option,), user = answered["chosen_options"], answered["responded_by_user"]
        comment = cleaned(str(answered["params_input"].get("comment") or ""))
        if user is None:
            hours = f"{self.response_timeout}".removesuffix(":00")
            return {"kind": _KINDS[option], "who": None, "why": f"nobody answered within {hours}"}
        who, starter = str(user["name"] or user["id"]), pipelines.person(context)
        return {"kind": _KINDS[option], "who": who, "why": comment or "no comment", "starter": starter}

    def _go_on(self, context: Any, standing: str) -> str:
        """What stands in the ledger; what follows is skipped unless it is an approval."""
        if standing != "approved":
            self.log.info("%s: nothing is promoted", standing)
            self.skip(ti=context["ti"], tasks=context["task"].get_direct_relatives(upstream=False))
        return standing

    def _pipeline(self) -> Pipeline:
        return load_pipeline(self.pipeline_name, settings.load_settings())


class Answers(HITLTrigger):
    """Airflow's trigger for an answer, which also looks whether the ledger has one, or nobody can answer any more.

    Args:
        stands: The question was asked by an earlier attempt; where it is gone, the task is told to ask.
    """

    def __init__(self, *, pipeline: str, sequence: int, stands: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pipeline, self.sequence, self.stands = pipeline, sequence, stands

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """How the triggerer makes it again."""
        _, kwargs = super().serialize()
        own = {"pipeline": self.pipeline, "sequence": self.sequence, "stands": self.stands}
        return "airloop_airflow.approval.Answers", kwargs | own

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait for whatever ends the question."""
        while True:
            event = await self._answered()
            if event is None and self.timeout_datetime is not None and self.timeout_datetime < utcnow():
                event = await self._handle_timeout()
            if event is None:
                event = await self._ended()
            if event is not None:
                yield TriggerEvent({**event.payload, _ABOUT: self.sequence})  # type: ignore[no-untyped-call]
                return
            await asyncio.sleep(self.poke_interval)

    async def _answered(self) -> TriggerEvent | None:
        try:
            event: TriggerEvent | None = await self._handle_response()  # type: ignore[no-untyped-call]
        except AirflowRuntimeError:
            if not self.stands:
                raise
            return TriggerEvent({_UNASKED: True})  # type: ignore[no-untyped-call]
        return event

    async def _ended(self) -> TriggerEvent | None:
        try:
            ended = await asyncio.to_thread(self.look)
            if ended is None:
                return None
            # So that Airflow's list of open questions does not show it any more.
            closed = [ApprovalOperator.REJECT]
            await asyncio.to_thread(
                update_hitl_detail_response, ti_id=self.ti_id, chosen_options=closed, params_input=self.params.dump()
            )
        except AirloopError as error:
            # A declaration being edited or a store that does not answer must not end the question.
            logger.warning("approval of decision %d of %s: %s", self.sequence, self.pipeline, error)
            return None
        return TriggerEvent({_ENDED: ended})  # type: ignore[no-untyped-call]

    def look(self) -> str | None:
        """Why nobody can answer any more, empty when the ledger has an answer; None while it is open."""
        from airloop.gate import approval
        from airloop.stores import ledger

        store = settings.load_settings()
        pipeline = load_pipeline(self.pipeline, store)
        history = ledger.history(store, pipeline.name)
        decision = history.decision(self.sequence)
        if decision is None or history.answer_to(self.sequence) or history.done_of(self.sequence):
            return ""
        return approval.overtaken(pipeline, history, decision, approval.scored_until(pipeline, store)) or None


def _sequence(context: Mapping[str, Any]) -> int:
    return int(pipelines.read_params(context)["sequence"])
