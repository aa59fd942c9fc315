"""The routes of a district's own staff, below /v1/districts/{district_id}."""

from fastapi import APIRouter, Depends

from sharing_service.api import blocks, connected, fields, roster, shared, sharing, sites, syncs, trail
from sharing_service.api.dependencies import audit_reader_of, district_admin_of, district_staff_of

router = APIRouter(prefix="/v1/districts/{district_id}")

router.include_router(sites.router, dependencies=[Depends(district_staff_of)])
router.include_router(trail.router, dependencies=[Depends(audit_reader_of)])
# The roster comes last: its paths begin with any word.
for part in (syncs, connected, fields, sharing, shared, blocks, roster):
    router.include_router(part.router, dependencies=[Depends(district_admin_of)])
