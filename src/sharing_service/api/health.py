"""Open routes of operations: is the process alive, is it ready, what does it measure."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from sharing_service import schema
from sharing_service.api.dependencies import ReadSession
from sharing_service.errors import Unavailable

router = APIRouter(tags=["operations"])


class Health(BaseModel):
    """The service answers."""

    status: str = "ok"


@router.get("/health/live")
async def live() -> Health:
    """Whether the process answers at all."""
    return Health()


@router.get("/health/ready", responses={503: {"description": "Not ready."}})
async def ready(session: ReadSession) -> Health:
    """Whether the database answers and stands at the newest migration."""
    if not await schema.is_current(session):
        raise Unavailable("The database is not at the newest migration. Run `sharing-service migrate`.")
    return Health()


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Measurements of this process in Prometheus' text format."""
    return Response(generate_latest(request.app.state.measures.registry), media_type=CONTENT_TYPE_LATEST)
