"""The view that an application has of a district."""

from uuid import UUID, uuid4

import pytest

from sharing_service.delivery.views import Places, visit
from sharing_service.errors import NotFound
from tests.factories.service import District


async def test_an_application_that_is_not_connected_has_no_view(district: District) -> None:
    """Without a grant there is nothing to look at, whatever token was believed.

    Catches a read path that trusts the token alone.
    """
    async with district.service.database.read() as session:
        with pytest.raises(NotFound):
            await visit(session, UUID(district.id), uuid4(), Places())
