"""The view that an application has of a district."""

from uuid import UUID

from sqlalchemy import text

from tests.factories.service import District


async def test_an_application_that_is_not_connected_has_no_view(district: District) -> None:
    """Without a grant there is nothing to look at, whatever token was believed.

    Catches a read path that trusts the token alone.
    """
    application = await district.connect()
    async with district.service.by_hand.write() as session:
        where = {"district": UUID(district.id), "application": UUID(application.id)}
        await session.execute(text("select set_config('app.district_id', :id, true)"), {"id": district.id})
        await session.execute(
            text("delete from grants where district_id = :district and application_id = :application"), where
        )
    assert await application.read("/users", 404) == {"message": "Resource not found"}
