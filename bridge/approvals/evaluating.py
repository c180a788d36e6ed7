"""The command `policy.evaluate`: what the policy would choose, for programs that ask over the bus."""

from __future__ import annotations

from bridge.commands.handling import Hand
from bridge.commands.models import Body, done
from bridge.commands.refusing import refused, unprocessable
from bridge.model import ClaimedCommand, Outcome
from bridge.purchasing.evaluation import EvaluationRequest, Evaluator
from bridge.web.kinds import UNPROCESSABLE
from bridge.web.problems import Problem


class EvaluateOffers(Body, EvaluationRequest):
    """Say what the policy would choose and why nothing else; spends nothing and asks no carrier."""

    operation = "policy.evaluate"


class Evaluating:
    """Carries it out. Whoever may give commands sees every organization."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    async def __call__(self, claimed: ClaimedCommand, _hand: Hand) -> Outcome:
        """Evaluate. Raises Unreadable."""
        asked = EvaluateOffers.read(claimed.body)
        try:
            found = await self._evaluator.evaluate(asked, lambda _: True)
        except Problem as problem:
            if problem.kind is UNPROCESSABLE:
                return unprocessable(problem.errors, problem.detail)
            return refused(problem.kind.name, problem.detail, problem.errors)
        return done(**dict(found))
