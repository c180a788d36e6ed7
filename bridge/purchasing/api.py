"""What the policy would choose, over HTTP: nothing is spent, and no carrier is asked."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.purchasing.evaluation import Evaluation, EvaluationRequest, Evaluator
from bridge.web import bodies, endpoint
from bridge.web.access import Access, Client
from bridge.web.endpoint import JSON, Answer, guarded
from bridge.web.kinds import NO_POLICY, NOT_FOUND, NOT_KEPT


class EvaluationApi:
    """`/v1/offers/evaluate`."""

    def __init__(self, evaluator: Evaluator, access: Access) -> None:
        self._evaluator = evaluator
        self._access = access

    def routes(self) -> list[Route]:
        """Give the route."""
        return endpoint.routes(self, self._access)

    @guarded(
        "POST",
        "/v1/offers/evaluate",
        "read",
        body=EvaluationRequest,
        answers={200: Answer("What it would choose.", Evaluation)},
        problems=(NOT_FOUND, NOT_KEPT, NO_POLICY),
    )
    async def evaluate(self, request: Request, client: Client) -> Response:
        """Say what the policy would choose and why nothing else; spends nothing and asks no carrier."""
        found = await self._evaluator.evaluate(await bodies.read(request, EvaluationRequest), client.sees)
        return Response(found.model_dump_json(), media_type=JSON)
