# SPDX-License-Identifier: MIT
"""A newer database image on the volumes of an older one, MariaDB 10.11 and 11.8; and the way back. Of MySQL there is only
one version among the packages that stand-ins are made of."""
import os

import pytest

from harness.client import Client
from harness.deployment import Deployment
from harness.docker import CommandFailed, Missing
from harness.wait import until
from notes_verbs import comment, create_note, edit_note, view_path
from viewers import read_all_comments, read_note_page

if os.environ.get("NOTES_TEST_ENGINE") != "mariadb":
    pytest.skip("a newer database image: there is only one version of MySQL; MariaDB's run has two", allow_module_level=True)

DATABASES = ("db-userauth", "db-notes")
NAME = "alice"
KEY = "older"
BODY = "Grüße, **世界** 🐋\n\n| a | b |\n| - | - |\n| 1 | 2 |"
# A column that the older one's system tables lack.
IS_UPGRADED = ("SELECT VERSION(), COUNT(*) FROM information_schema.columns "
               "WHERE table_schema = 'mysql' AND table_name = 'db' AND column_name = 'Show_create_routine_priv'")


def ask_root(site, service, statement):
    script = """printf '[client]\\nuser=root\\npassword=%s\\n' "$(cat "$MYSQL_ROOT_PASSWORD_FILE")" |
        mariadb --defaults-extra-file=/dev/stdin --socket=/tmp/mysql.sock -N -e "$0" """
    return site.one(service).exec("sh", "-c", script, statement).split("\t")


def server(site, service):
    """Its version, and whether its system tables are those of the newer one."""
    version, count = ask_root(site, service, IS_UPGRADED)
    return version.split("-")[0].rsplit(".", 1)[0], int(count) == 1


def sign_in(site, name):
    client = Client(site.url)
    answer = client.login(name, site.passwords[name])
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    return client


def told(site):
    """What readers see of the note, and all users."""
    page = read_note_page(site.url, KEY)
    return {"title": page.title, "body": page.body, "comments": read_all_comments(site.url, KEY), "users": site.cli("list-users")}


def volumes(site):
    return set(site.engine.names("volume", f"label=com.docker.compose.project={site.name}"))


@pytest.fixture(scope="module")
def site(engine, site_images, tmp_path_factory):
    """On the older image, with what people wrote; then brought to the newer one. Keeps what was seen before and after."""
    try:
        older = engine.image("mariadb-10.11")
    except Missing as reason:
        pytest.skip(str(reason))
    folder = tmp_path_factory.mktemp("newer-database")
    with Deployment(engine, folder, **{**site_images, "MYSQL_IMAGE": older}) as site:
        site.images = {"older": older, "newer": site_images["MYSQL_IMAGE"]}
        site.backups = {"older": folder / "older", "newer": folder / "newer"}
        site.up()
        site.add_user("bob")
        site.person = site.sign_in(NAME)
        create_note(site.person, KEY, "A first title", "A first body")
        edit_note(site.person, KEY, title="Before <the> upgrade", body=BODY)
        for number in range(30):
            comment(site.person, KEY, f"comment {number} ☃")
        site.servers = [server(site, service) for service in DATABASES]
        site.before, site.volumes = told(site), volumes(site)
        site.dev("backup", str(site.backups["older"]))
        site.down()
        site.settings["MYSQL_IMAGE"] = site.images["newer"]
        site.up()
        yield site


# In the order of a deployment's life.


def test_the_newer_server_has_brought_its_own_tables_up_to_date_on_the_same_volumes(site):
    assert site.servers == [("10.11", False)] * 2
    assert [server(site, service) for service in DATABASES] == [("11.8", True)] * 2
    assert volumes(site) == site.volumes
    for service in DATABASES:
        noted = site.one(service).exec("sh", "-c", "cat /var/lib/mysql/*_upgrade_info")
        assert noted.startswith("11.8."), noted


def test_what_people_wrote_is_there_and_they_are_still_signed_in(site):
    assert len(site.before["comments"]) == 30 and len(site.before["users"]) == 2
    assert told(site) == site.before
    assert site.person.get("/notes/add").status_code == 200


def test_people_sign_in_and_write_and_new_ones_come(site):
    alice = sign_in(site, NAME)
    edit_note(alice, KEY, title="After the upgrade")
    comment(alice, KEY, "written on the newer one")
    carol = site.sign_in("carol")
    create_note(carol, "newer")
    assert carol.get(view_path("newer")).status_code == 200
    now = told(site)
    assert now["title"] == "After the upgrade"
    assert "written on the newer one" in now["comments"] and len(now["comments"]) == 31
    assert [user["username"] for user in now["users"]] == [NAME, "bob", "carol"]
    site.dev("backup", str(site.backups["newer"]))


def test_a_backup_of_the_older_one_is_restored_into_the_newer_one(site):
    site.dev("restore", str(site.backups["older"]), "--yes")
    until(lambda: read_note_page(site.url, KEY).title == site.before["title"], "the pages show what was restored")
    assert told(site) == site.before
    comment(sign_in(site, "bob"), KEY, "after the restore")


def test_an_older_server_on_newer_data_does_not_start_and_says_what_to_do(site):
    """MariaDB itself would take the data for damaged, and serve them."""
    was = told(site)
    site.settings["MYSQL_IMAGE"] = site.images["older"]
    site.down()
    with pytest.raises(CommandFailed) as failed:
        site.dev("up")
    assert "the data are of MariaDB 11.8." in failed.value.stderr and "A newer database image" in failed.value.stderr, failed.value
    assert not any(site.one(service).is_ready for service in DATABASES)
    assert not any(one.is_running for service in ("svc-notes", "edge") for one in site.containers(service))
    site.settings["MYSQL_IMAGE"] = site.images["newer"]
    site.dev("up")
    assert told(site) == was, "nothing was damaged by the attempt"


def test_the_way_back_is_new_volumes_and_a_backup(site):
    """That of the newer one, which has all; the older one reads it."""
    site.settings["MYSQL_IMAGE"] = site.images["older"]
    site.down()
    site.engine.docker("volume", "rm", *[name for name in volumes(site) if name.endswith(("db-notes-data", "db-userauth-data"))])
    site.dev("up")
    site.dev("restore", str(site.backups["newer"]))
    until(lambda: Client(site.url).get(view_path(KEY)).status_code == 200, "the pages show what was restored")
    now = told(site)
    assert [server(site, service) for service in DATABASES] == [("10.11", False)] * 2
    assert now["title"] == "After the upgrade" and "written on the newer one" in now["comments"]
    comment(sign_in(site, "carol"), KEY, "on the older one again")
