"""Site selections as the district lists them."""

from tests.factories.service import District
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render


async def test_a_school_that_selects_nothing_shares_nothing(district: District) -> None:
    """`nothing` is what a school that never chose shares, too; the list of sites is read page by page."""
    await district.publish(render(SMALL_DISTRICT))
    ids = await district.ids()
    application = await district.connect()
    await application.share({"mode": "school_site"})
    everyone = {"share": "everyone"}
    await district.call("PUT", f"{application.path}/sites/{ids['schools', 'N']}", everyone)
    chosen = await district.call("PUT", f"{application.path}/sites/{ids['schools', 'N']}", {"share": "nothing"})
    assert chosen["changes"]["schools"] == {"added": 0, "removed": 1}
    assert await application.records("/users") == []
    first = await district.get(f"{application.path}/sites", limit=2)
    second = await district.get(f"{application.path}/sites", limit=2, after=first["next"])
    assert [site["name"] for site in (*first["data"], *second["data"])] == ["North", "South", "West"]
    assert second["next"] is None
    assert {site["selection"]["share"] for site in (*first["data"], *second["data"])} == {"nothing"}
