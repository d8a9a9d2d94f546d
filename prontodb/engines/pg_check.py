"""Whether a PostgreSQL database keeps what it is given, and keeps tenants apart: one finding for each thing that this rests on."""

from .pg_admin import Admin
from .pg_link import gate
from .pg_roles import owner_of, role_of
from .pg_schema import TABLES, VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

POLICY = "(meta = CURRENT_USER)"

_GATE = """SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('synchronous_standby_names'),
current_setting('full_page_writes')"""
_LINE = """SELECT coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false),
coalesce(host(inet_server_addr()), ''), coalesce(host(inet_client_addr()), '')"""
_GUARDED = """SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'prontodb' AND c.relname = ANY(%s)
AND c.relrowsecurity AND c.relforcerowsecurity AND (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) = 1
AND EXISTS (SELECT 1 FROM pg_policies p WHERE p.schemaname = 'prontodb' AND p.tablename = c.relname AND p.permissive = 'PERMISSIVE'
    AND p.cmd = 'ALL' AND p.qual = %s AND p.with_check = %s)"""
_OWNERS = """SELECT DISTINCT pg_get_userbyid(c.relowner) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'prontodb' AND c.relkind = 'r'"""
# From 16 on, whoever makes a role is its member, but may neither be it nor use its rights.
_OWNER = """SELECT r.rolcanlogin OR r.rolsuper OR r.rolbypassrls, ARRAY(SELECT pg_get_userbyid(m.member)::text FROM pg_auth_members m
WHERE m.roleid = r.oid
    AND (coalesce((to_jsonb(m)->>'set_option')::bool, true) OR (to_jsonb(m)->>'inherit_option')::bool))
FROM pg_roles r WHERE r.rolname = %s"""
_PUBLIC = """SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
WHERE n.nspname = 'prontodb' AND a.grantee = 0"""
_LOGIN = "SELECT session_user::text, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = session_user"
_LOOSE = """SELECT r.rolname::text FROM pg_roles r WHERE starts_with(r.rolname, %s) AND (r.rolcanlogin OR r.rolsuper OR r.rolbypassrls
OR EXISTS (SELECT 1 FROM pg_auth_members m WHERE m.member = r.oid)) AND r.rolname <> %s ORDER BY 1"""
_MEMBER = "SELECT pg_has_role(session_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = %s"


class Finding:
    """One thing that was looked at: how it is, and what to do where that is not well ("": nothing)."""

    __slots__ = ("check", "cure", "state")

    def __init__(self, check: str, state: str, cure: str = "") -> None:
        self.check = check
        self.state = state
        self.cure = cure


def findings(admin: Admin, meta: str) -> "Iterator[Finding]":
    """All of them, for the login of the URL and a meta. Raises `ProntoError` where the server cannot be asked."""
    yield Finding("server", f"PostgreSQL {admin.number // 10000}")
    yield _durability(admin)
    yield _encryption(admin)
    yield _login(admin)
    if not admin.run("SELECT 1 FROM pg_namespace WHERE nspname = 'prontodb'"):
        yield Finding("schema", "missing", "prontodb admin postgres init")
        return
    current = admin.run("SELECT to_regclass('prontodb.past') IS NOT NULL")[0][0]
    yield (
        Finding("schema", f"version {VERSION}") if current else Finding("schema", "version 1, an older one", "prontodb admin postgres init")
    )
    yield _policies(admin)
    yield _owner(admin)
    yield _public(admin)
    yield _roles(admin)
    yield _meta(admin, meta)


def _durability(admin: Admin) -> Finding:
    fsync, commit, standbys, pages = admin.run(_GATE)[0]
    wrong = gate(admin.target.durability, fsync, commit, standbys)
    if pages != "on":
        wrong.append(f"full_page_writes is {pages}")
    if wrong:
        return Finding("durability", ", ".join(wrong), "set it at the server; durability=local in the URL is for a single one")
    return Finding("durability", f"standbys {standbys}" if standbys else "one server")


def _encryption(admin: Admin) -> Finding:
    encrypted, server, client = admin.run(_LINE)[0]
    near = server == client or server.startswith("127.")
    verified = all(host.get("sslmode") == "verify-full" for host in admin.target.hosts)
    state = "encrypted" if encrypted else "not encrypted"
    if near or (encrypted and verified):
        return Finding("line", f"{state}, this machine" if near else f"{state}, the server's name checked")
    return Finding("line", state, "sslmode=verify-full in the URL, and sslrootcert=FILE")


def _login(admin: Admin) -> Finding:
    name, mighty = admin.run(_LOGIN)[0]
    # It is the right one to look with, and the wrong one to work with.
    return Finding("login", f"{name}, whom no policy stops: use it for administration only" if mighty else name)


def _policies(admin: Admin) -> Finding:
    guarded = {row[0] for row in admin.run(_GUARDED, (list(TABLES), POLICY, POLICY))}
    open_ = [table for table in TABLES if table not in guarded]
    if open_:
        return Finding("row-level security", f"not as it was made: {', '.join(open_)}", "ENABLE and FORCE it, with the policy `own` alone")
    return Finding("row-level security", "enabled and forced")


def _owner(admin: Admin) -> Finding:
    wanted = owner_of(admin.target.database)
    owners = [row[0] for row in admin.run(_OWNERS)]
    rows = admin.run(_OWNER, (wanted,))
    if owners != [wanted] or not rows or rows[0][0]:
        return Finding("owner", ", ".join(owners), f'the tables must belong to "{wanted}", NOLOGIN and without rights of its own')
    if rows[0][1]:
        return Finding("owner", f"{wanted}, and these are members: {', '.join(rows[0][1])}", f'REVOKE "{wanted}" FROM each of them')
    return Finding("owner", wanted)


def _public(admin: Admin) -> Finding:
    count = admin.run(_PUBLIC)[0][0]
    return (
        Finding("public", f"{count} rights on the tables", "REVOKE ALL ON ALL TABLES IN SCHEMA prontodb FROM PUBLIC")
        if count
        else Finding("public", "no rights")
    )


def _roles(admin: Admin) -> Finding:
    loose = [row[0] for row in admin.run(_LOOSE, (f"{admin.target.database}:", owner_of(admin.target.database)))]
    if loose:
        return Finding("tenants' roles", f"with more rights than a tenant's: {', '.join(loose)}", "NOLOGIN, and member of nothing")
    return Finding("tenants' roles", "none with rights of its own")


def _meta(admin: Admin, meta: str) -> Finding:
    role = role_of(admin.target.database, meta)
    rows = admin.run(_MEMBER, (role,))
    shown = f"meta '{meta}'" if meta else "no meta"
    if not rows:
        return Finding("meta", f"{shown}: no role", "prontodb admin postgres grant LOGIN makes it")
    return Finding(
        "meta", f"{shown}: granted" if rows[0][0] else f"{shown}: not granted to this login", "" if rows[0][0] else "admin postgres grant"
    )
