# SPDX-License-Identifier: MIT
"""No statement of the stores walks a whole table that grows: the server is asked how it would run each of them."""
import re
import shutil
import subprocess

import pytest

from harness import mariadb, programs

pytestmark = pytest.mark.server_only

ROWS = 4000
# Statements that may walk a table, and why.
WALKS = {"throttle_store.c-COUNT": "of a table whose rows are limited, by housekeeping",
         "note_store.c-LIST": "entries of the index that lie before the page; no row is read for them, which is looked at below"}
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
TABLE_FREE = ("home_list", "site_values", "service_values", "schema_migrations")


def sources(folder):
    return [str(path.relative_to(programs.ROOT)) for path in sorted((programs.ROOT / folder).rglob("*.c"))
            if "static const struct db_statement" in path.read_text()]


SOURCES = {"notes": sources("notes-svc"), "userauth": sources("userauth-svc")}


def statements(path):
    """What the source holds as struct db_statement, in MySQL's words; macros are resolved by the preprocessor."""
    folders = [f"-I{programs.ROOT / name}" for name in ("common", path.split("/")[0])]
    compiler = shutil.which("gcc") or shutil.which("cc")
    text = subprocess.run([compiler, "-E", "-P", '-DNOTES_VERSION="x"', *folders, programs.ROOT / path],
                          check=True, capture_output=True, text=True).stdout
    found = {}
    for start in re.finditer(r"struct db_statement (\w+) = \{", text):
        end = text.index("};", start.end())
        own, _, mysql = text[start.end():end].partition(".mysql =")
        found[start[1]] = "".join(LITERAL.findall(mysql or own))
    return found


def explainable(sql):
    """The statement with values in it; None for one whose plan says nothing, such as a plain INSERT."""
    if not re.match(r"SELECT|UPDATE|DELETE|INSERT.* SELECT ", sql, re.S):
        return None
    sql = re.sub(r"LIMIT \?", "LIMIT 10", sql)
    sql = re.sub(r"OFFSET \?", f"OFFSET {ROWS - 100}", sql)  # a server goes another way for a page that is far behind
    return sql.replace("?", "'17'")


def fill(server, database, table):
    """Rows that differ in every column."""
    columns = server.root("SELECT column_name, data_type, character_maximum_length FROM information_schema.columns "
                          f"WHERE table_schema = '{database}' AND table_name = '{table}' AND extra NOT LIKE '%GENERATED%'")
    names = ",".join(f"`{name}`" for name, _, _ in columns)
    values = []
    for name, kind, size in columns:
        if kind in ("tinyint",):
            values.append("n % 2")
        elif kind in ("bigint", "int"):
            values.append("n")
        elif kind == "binary":
            values.append(f"RPAD(n, {size}, 'x')")
        else:
            values.append("CONCAT('k', n)")
    server.root(f"USE {database}", "SET foreign_key_checks = 0", f"DELETE FROM {table}",
                f"INSERT INTO {table} ({names}) WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers "
                f"WHERE n < {ROWS}) SELECT {','.join(values)} FROM numbers", f"ANALYZE TABLE {table}")


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Database of each service, with many rows in each table that grows."""
    from harness.site import Site
    site = Site(tmp_path_factory.mktemp("plans"))
    site.start()
    names = {"notes": site.notes.database.name, "userauth": site.userauth.database.name}
    site.stop()
    server = mariadb.shared()
    deep = "max_recursive_iterations" if mariadb.engine() == "mariadb" else "cte_max_recursion_depth"
    server.root(f"SET GLOBAL {deep} = {ROWS + 1}")
    for database in names.values():
        for table, in server.root(f"SHOW TABLES FROM {database}"):
            if table not in TABLE_FREE and not table.startswith("schema_"):
                fill(server, database, table)
    return names


CASES = [(service, path, name, sql) for service, paths in SOURCES.items() for path in paths for name, sql in statements(path).items()
         if explainable(sql)]


def plan_of(database, sql):
    connection = mariadb.shared().connect(database)
    try:
        with connection.cursor() as cursor:
            cursor.execute(("EXPLAIN FORMAT=TRADITIONAL " if mariadb.engine() == "mysql" else "EXPLAIN ") + explainable(sql))
            columns = [column[0] for column in cursor.description]
            return [dict(zip(columns, row)) for row in cursor.fetchall()]
    finally:
        connection.close()


def walked_of(plan):
    return [row for row in plan if row["type"] in ("ALL", "index") and row["table"] not in TABLE_FREE
            and not str(row["table"]).startswith("<") and int(row["rows"] or 0) > ROWS / 10]


@pytest.mark.parametrize("service, path, name, sql", CASES, ids=[f"{path.split('/')[-1]}-{name}" for _, path, name, _ in CASES])
def test_statement_walks_no_table_that_grows(filled, service, path, name, sql):
    walked = walked_of(plan_of(filled[service], sql))
    reason = WALKS.get(f"{path.split('/')[-1]}-{name}")
    assert reason or not walked, (sql, walked)


def test_a_page_of_the_list_far_behind_reads_and_sorts_no_rows_before_it(filled):
    """The ids of the page come from the index, in its order; the rows of these only are read."""
    plan = plan_of(filled["notes"], statements("notes-svc/note/note_store.c")["LIST"])
    walked = walked_of(plan)
    assert [(row["table"], row["type"], row["key"]) for row in walked] == [("notes", "index", "notes_by_change")], plan
    assert "Using index" in walked[0]["Extra"] and "filesort" not in walked[0]["Extra"], plan
    assert [(row["type"], row["key"]) for row in plan if row["table"] == "n"] == [("eq_ref", "PRIMARY")], plan


@pytest.fixture(scope="module")
def two_notes(filled):
    """Database in which two notes have ROWS comments together, by turns."""
    server = mariadb.shared()
    server.root(f"USE {filled['notes']}", "CREATE TABLE comments_elsewhere LIKE comments", "RENAME TABLE comments TO comments_of_many",
                "RENAME TABLE comments_elsewhere TO comments",
                "INSERT INTO comments (note_id, author, message, made_unix_ms) WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL "
                f"SELECT n + 1 FROM numbers WHERE n < {ROWS}) SELECT n % 2, 'a', REPEAT('m', 200), n FROM numbers", "ANALYZE TABLE comments")
    yield filled["notes"]
    server.root(f"USE {filled['notes']}", "DROP TABLE comments", "RENAME TABLE comments_of_many TO comments")


@pytest.mark.parametrize("name", ["LIST", "NEWER_BEFORE"])
@pytest.mark.parametrize("before", [2, ROWS // 20, ROWS // 3, ROWS * 2 // 3, ROWS - 2, 2 ** 63 - 1])
def test_a_page_of_comments_reads_its_own_and_no_others(two_notes, name, before):
    """However far behind it is: the plan does not tell, so the server's count of rows that it read is asked for."""
    connection = mariadb.shared().connect(two_notes)
    try:
        with connection.cursor() as cursor:
            sql = statements("notes-svc/comment/comment_store.c")[name]
            cursor.execute("FLUSH STATUS")
            cursor.execute(sql.replace("?", "%s"), (1, before, 20))
            found = len(cursor.fetchall())
            cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
            read = sum(int(count) for _, count in cursor.fetchall())
    finally:
        connection.close()
    assert read <= 25, (read, found, sql)


def test_statements_were_found():
    assert len(CASES) > 30 and {path for _, path, _, _ in CASES} == {path for paths in SOURCES.values() for path in paths}
    assert len(SOURCES["notes"]) >= 3 and len(SOURCES["userauth"]) >= 2
