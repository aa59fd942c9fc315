"""Laws of the catalogue: every table of a district stands behind its policy, and nobody who serves can move it."""

from typing import Any

import pytest
from sqlalchemy import text

from sharing_service.database import Database, DatabaseRole

FURTHER = {
    ("tokens", "service"): "from within the service its operators see the tokens of all districts",
    ("tokens", "presented"): "a partner sees the token that it presents",
    ("grants", "presented"): "a partner sees the grant of its application",
    ("ledgers", "presented"): "a partner sees the ledgers of its application",
    ("feed", "presented"): "a partner sees the feed of its application",
    ("audit_entries", "audit"): "an auditor reads the trail of all districts",
    ("disclosures", "audit"): "an auditor reads the disclosures of all districts",
    ("revisions", "audit"): "an auditor reads the revisions of all districts",
}
"""Policies beside that of the district, by table."""
SERVING = [role for role in DatabaseRole if role is not DatabaseRole.OWNER]
DISTRICT_OF_TRANSACTION = "(district_id = ( SELECT (current_setting('app.district_id'::text))::uuid"
OF_DISTRICTS = """
select c.relname, c.relrowsecurity and c.relforcerowsecurity as walled from pg_class c
where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace and exists (
    select from pg_attribute a where a.attrelid = c.oid and a.attname = 'district_id' and not a.attisdropped
)
"""


async def asked(by_hand: Database, query: str) -> list[Any]:
    """The rows of a query."""
    async with by_hand.read() as session:
        return list(await session.execute(text(query)))


@pytest.mark.asvs("V8.4.1")
async def test_every_table_of_a_district_has_row_level_security(by_hand: Database) -> None:
    """Each table with `district_id` has row level security, enabled, and forced for its owner as well."""
    found = await asked(by_hand, OF_DISTRICTS)

    assert len(found) >= 25
    assert [row.relname for row in found if not row.walled] == []


async def test_every_table_has_the_same_policy(by_hand: Database) -> None:
    """Everybody reads and writes the rows of the transaction's district; a policy beside it is on the list."""
    policies = await asked(by_hand, "select * from pg_policies where schemaname = 'public'")
    districts = [policy for policy in policies if policy.policyname == "district"]

    assert {policy.tablename for policy in districts} == {row.relname for row in await asked(by_hand, OF_DISTRICTS)}
    assert len({(policy.qual, policy.with_check) for policy in districts}) == 1
    for policy in districts:
        assert policy.qual == policy.with_check
        # In a query of its own: read once a statement, not once a row.
        assert policy.qual.startswith(DISTRICT_OF_TRANSACTION), policy
        assert (policy.permissive, policy.roles, policy.cmd) == ("PERMISSIVE", ["public"], "ALL")
    others = {(policy.tablename, policy.policyname) for policy in policies if policy.policyname != "district"}
    assert others == FURTHER.keys()


async def test_no_policy_lets_all_pass_but_to_the_auditor(by_hand: Database) -> None:
    """Only the policies of the auditor, who reads and nothing else, look at no setting."""
    policies = await asked(by_hand, "select * from pg_policies where schemaname = 'public'")
    blind = {(p.policyname, *p.roles, p.cmd) for p in policies if "current_setting" not in p.qual}

    assert blind == {("audit", DatabaseRole.AUDIT.value, "SELECT")}


@pytest.mark.asvs("V13.2.2")
async def test_who_serves_owns_nothing(by_hand: Database) -> None:
    """No role of the service is a superuser, passes by row level security or logs in, and only one owns anything.

    Catches a table that belongs to the login of a migration, who could take its policies away.
    """
    names = ", ".join(f"'{role.value}'" for role in DatabaseRole)
    roles = await asked(by_hand, f"select * from pg_roles where rolname in ({names})")
    owners = await asked(
        by_hand,
        "select distinct tableowner as owner from pg_tables where schemaname = 'public'"
        " union select proowner::regrole::text from pg_proc where prosecdef and pronamespace = 'public'::regnamespace",
    )

    assert {role.rolname for role in roles} == {role.value for role in DatabaseRole}
    for role in roles:
        powers = (role.rolsuper, role.rolbypassrls, role.rolcreaterole, role.rolcreatedb, role.rolreplication)
        assert not any((*powers, role.rolcanlogin)), role.rolname
    assert [row.owner for row in owners] == [DatabaseRole.OWNER.value]
    assert await asked(by_hand, f"select 1 from pg_auth_members where member::regrole::text in ({names})") == []


@pytest.mark.asvs("V16.4.2")
async def test_nobody_who_serves_goes_round_the_policies(by_hand: Database) -> None:
    """TRUNCATE asks no policy, a foreign key tells what another district has, and nobody edits the trail."""
    for role in SERVING:
        round_them = f"has_table_privilege('{role}', c.oid, 'TRUNCATE, REFERENCES, TRIGGER')"
        found = await asked(by_hand, f"select relname from pg_class c where relkind = 'r' and {round_them}")
        assert found == [], role
        edit = f"select has_table_privilege('{role}', 'audit_entries', 'UPDATE, DELETE') as may"
        assert [row.may for row in await asked(by_hand, edit)] == [False], role


@pytest.mark.asvs("V13.2.2")
async def test_the_auditor_only_reads(by_hand: Database) -> None:
    """The auditor changes no table, and reads neither roster, secrets nor what is shared."""
    write = f"has_table_privilege('{DatabaseRole.AUDIT}', c.oid, 'INSERT, UPDATE, DELETE')"
    read = f"has_any_column_privilege('{DatabaseRole.AUDIT}', c.oid, 'SELECT')"
    ours = "select relname from pg_class c where relkind = 'r' and relnamespace = 'public'::regnamespace and"

    assert await asked(by_hand, f"{ours} {write}") == []
    assert {row.relname for row in await asked(by_hand, f"{ours} {read}")} == {
        "audit_entries",
        "disclosures",
        "revisions",
        "districts",
        "applications",
    }
