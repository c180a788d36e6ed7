"""What the policy would choose: nothing is spent, and no carrier is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic_core import to_json

from bridge.errors import SettingsError, Unreadable
from bridge.lifecycle import Clock
from bridge.model import OrganizationId, ShipmentId
from bridge.purchasing.policy import Policy, decide
from bridge.purchasing.policy.document import Document, Verdict, again, of_offers, verdict
from bridge.purchasing.policy.rule import Rule
from bridge.purchasing.shipment import Shipment
from bridge.store.decisions import Decided
from bridge.store.evaluable import Evaluable, SqlEvaluable
from bridge.web.fields import Moment, Number
from bridge.web.kinds import FORBIDDEN, NO_POLICY, NOT_KEPT, UNPROCESSABLE
from bridge.web.problems import FieldError, Problem, not_found

Read = Callable[[bytes, datetime], Shipment]
Faults = Callable[[bytes], Sequence[tuple[str, str, str]]]
Sees = Callable[[int], bool]
"""Whether whoever asks may see an organization's data."""


class EvaluationRequest(BaseModel):
    """A shipment as the carrier's GET answers, or the number of one that the bridge knows.

    Of that the last decision is looked at, or where there is none its offers as they were last told.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid")

    organization_id: Number | None = None
    shipment: Annotated[dict[str, JsonValue] | None, Field(repr=False)] = None
    shipment_id: Number | None = None
    at: Moment | None = None


class Evaluation(Verdict):
    """What the policy with this hash would choose, and why nothing else."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    policy_sha256: str


class Evaluator:
    """Evaluates. `read` and `faults` know how the carrier writes a shipment.

    `policy` reads the policy's file, so that a change can be tried before the buyer is started with it; the answer says
    by its hash which one it was.
    """

    def __init__(
        self,
        known: SqlEvaluable,
        *,
        policy: Callable[[OrganizationId | None], Awaitable[Policy]],
        read: Read,
        faults: Faults,
        clock: Clock,
    ) -> None:
        self._known = known
        self._policy = policy
        self._read = read
        self._faults = faults
        self._clock = clock

    async def evaluate(self, asked: EvaluationRequest, sees: Sees) -> Evaluation:
        """Say what the policy would choose and why nothing else. Raises a Problem."""
        _check(asked)
        if asked.shipment:
            policy = await self._present(OrganizationId(asked.organization_id or 0))
            found = self._given(sees, asked, policy)
        else:
            one = _only(sees, asked, await self._known.find(ShipmentId(asked.shipment_id or 0)))
            policy = await self._present(one.organization)
            found = _again(one, policy)
        return Evaluation(**dict(found), policy_sha256=policy.sha256)

    async def _present(self, organization: OrganizationId) -> Policy:
        try:
            return await self._policy(organization)
        except SettingsError as error:
            raise Problem(NO_POLICY, str(error)) from error

    def _given(self, sees: Sees, asked: EvaluationRequest, policy: Policy) -> Verdict:
        """Decide about a shipment that came with the request."""
        organization = OrganizationId(asked.organization_id or 0)
        if not sees(organization):
            raise Problem(FORBIDDEN, "This token is not for this organization.")
        body = to_json(asked.shipment)
        try:
            shipment = self._read(body, asked.at or self._clock())
        except Unreadable as error:
            raise _refused(
                *(FieldError(f"shipment.{at}", code, told) for at, code, told in self._faults(body))
            ) from error
        return verdict(shipment, decide(shipment, policy, organization))


def _again(one: Evaluable, policy: Policy) -> Verdict:
    """Decide once more about the offers of the last decision, or about those last told. Raises a Problem."""
    if one.decided is not None:
        told = _decided(one.decided, policy)
    elif one.offered is not None:
        told = of_offers(one.shipment, one.offered.offers, one.offered.at, policy, one.organization)
    else:
        raise Problem(
            NOT_KEPT, "No decision about this shipment is kept, nor any offers: ask with the shipment itself."
        )
    if isinstance(told, Rule):
        raise Problem(NOT_KEPT, f"The rule {told.id} goes by what is not kept: ask with the shipment itself.")
    return told


def _decided(last: Decided, policy: Policy) -> Verdict | Rule:
    kept = Document.model_validate_json(last.body)
    return kept.verdict if last.policy_sha256 == policy.sha256 else again(kept, policy, last.organization)


def _check(asked: EvaluationRequest) -> None:
    """Refuse what does not go together. Raises a Problem."""
    if bool(asked.shipment) == (asked.shipment_id is not None):
        raise _refused(FieldError("shipment", "invalid", "either a shipment, or the shipment_id of one that is known"))
    if asked.shipment and asked.organization_id is None:
        raise _refused(FieldError("organization_id", "missing", "whose shipment it is"))
    if asked.at is not None and asked.shipment_id is not None:
        raise _refused(
            FieldError("at", "invalid", "goes with a shipment: what is kept is looked at as of its own time")
        )


def _only(sees: Sees, asked: EvaluationRequest, found: Sequence[Evaluable]) -> Evaluable:
    """Give the one shipment that is meant; of several, those of which something is kept. Raises a Problem."""
    known = [one for one in found if sees(one.organization) and asked.organization_id in (None, int(one.organization))]
    if not known:
        raise not_found("shipment")
    wanted = [one for one in known if one.decided or one.offered] or known[:1]
    if len(wanted) > 1:
        raise _refused(FieldError("organization_id", "missing", "several organizations have a shipment of this number"))
    return wanted[0]


def _refused(*errors: FieldError) -> Problem:
    return Problem(UNPROCESSABLE, "; ".join(f"{one.field}: {one.message}" for one in errors), errors)
