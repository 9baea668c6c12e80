# SPDX-License-Identifier: MIT
"""The images of the two services: what is in them, what they promise, and how they live as the first process of a container."""
import json
import re
import stat
import struct
import tarfile

import pytest
import requests

from harness import docker, programs
from harness.client import Client
from harness.live import Raw
from harness.raw import Connection, request_bytes
from harness.wait import until

SIZE_MAX_BYTES = 30 * 1000 * 1000
USER = 65532
PT_INTERP = 3
PROGRAMS = {"users": {"userauth-svc", "userauth-cli"}, "notes": {"notes-svc"}}
PORTS = {"users": 5858, "notes": 3000}
MADE_BY_ENGINE = {".dockerenv", "dev", "proc", "sys", "etc/hostname", "etc/hosts", "etc/resolv.conf", "etc/mtab"}
both_images = pytest.mark.parametrize("kind", ["users", "notes"])


@pytest.fixture(scope="module")
def alone(engine, images, tmp_path_factory):
    """The project of alone.yaml, both images built; nothing runs yet."""
    folder = tmp_path_factory.mktemp("alone")
    folder.chmod(0o755)
    key = programs.new_password("key")
    for name, text in {"keys": f"them:{key}", "key": key, "password": programs.new_password("database")}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o444)
    with docker.Project(engine, "tests/docker/alone.yaml", SECRETS_DIR=folder, **images) as project:
        project.settings["COMPOSE_PROJECT_NAME"] = project.name
        project.profiles = lambda *names: [word for name in names for word in ("--profile", name)]
        project.compose(*project.profiles("embedded"), "build", "--quiet", timeout_s=docker.UP_TIMEOUT_S)
        yield project


def start(project, profile, *services):
    """Starts services of a profile; the containers, once they are ready."""
    project.compose(*project.profiles(profile), "up", "--detach", *services, timeout_s=docker.UP_TIMEOUT_S)
    return [project.wait_healthy(service)[0] for service in services]


@pytest.fixture
def embedded(alone):
    """(container of users, container of notes), running, their databases in volumes."""
    yield start(alone, "embedded", "users", "notes")
    alone.compose(*alone.profiles("embedded"), "down", "--volumes")


@pytest.fixture(scope="module")
def built(alone):
    """What the engine knows of each image, by kind."""
    names = {"users": "userauth-svc", "notes": "notes-svc"}
    return {kind: alone.engine.inspect("image", f"notes-test/{name}:{alone.name}") for kind, name in names.items()}


def members_of(project, image, folder):
    """All members of an image's root folder, with their bytes, without those that the engine puts into every container."""
    path = folder / "image.tar"
    container = project.engine.docker("create", "--label", f"{docker.PROJECT_LABEL}={project.name}", image).strip()
    project.engine.docker("export", "--output", path, container)
    project.engine.docker("rm", container)
    with tarfile.open(path) as tar:
        return [(member, tar.extractfile(member).read() if member.isfile() else b"") for member in tar
                if member.name not in MADE_BY_ENGINE and not member.name.startswith("dev/")]


@pytest.fixture(scope="module")
def files(alone, built, tmp_path_factory):
    """The members of each image, by kind."""
    return {kind: members_of(alone, image["Id"], tmp_path_factory.mktemp("export")) for kind, image in built.items()}


def records_in(members):
    """The packages that an image says its libraries are from: text of the record by name."""
    return {member.name.removeprefix("var/lib/dpkg/status.d/"): data.decode() for member, data in members
            if member.isfile() and member.name.startswith("var/lib/dpkg/status.d/")}


def versions_in(members):
    return {name: re.search(r"^Version: (\S+)$", text, re.M)[1] for name, text in records_in(members).items()}


@pytest.fixture(scope="module")
def offered(engine, images, files):
    """The newest version of each package of the images that the Debian which they are built on offers, security archive included."""
    names = sorted({name for members in files.values() for name in records_in(members)})
    script = 'apt-get update >&2; apt-cache policy; echo; apt-cache policy "$@"'
    told = engine.docker("run", "--rm", images["DEBIAN_IMAGE"], "sh", "-ec", script, "sh", *names, timeout_s=docker.UP_TIMEOUT_S)
    if "l=Debian-Security" not in told:
        pytest.skip("this machine has no source of Debian's security archive")
    found = dict(re.findall(r"^(\S+):\n  Installed: .*\n  Candidate: (\S+)$", told, re.M))
    assert set(found) == set(names), told
    return found


def names_a_loader(data):
    """Is this an ELF file (64 bits, little-endian) with a program header PT_INTERP?"""
    if data[:6] != b"\x7fELF\x02\x01":
        return False
    start, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    return any(struct.unpack_from("<I", data, start + size * number)[0] == PT_INTERP for number in range(count))


def url_of(container):
    port = container.inspect()["NetworkSettings"]["Ports"]["3000/tcp"][0]["HostPort"]
    return f"http://127.0.0.1:{port}"


def events(container):
    """The log's lines as dicts."""
    return [json.loads(line) for line in container.logs().splitlines() if line.startswith("{")]


def sign_in(users, notes, name="alice"):
    """A client that is signed in as a new user, who was made by userauth-cli in its container."""
    password = programs.new_password()
    users.exec("userauth-cli", "add", name, "--password-stdin", stdin=password + "\n")
    client = Client(url_of(notes))
    assert client.login(name, password).status_code == 302
    assert client.is_signed_in
    return client


def save(client, key):
    answer = client.post("/notes/save", {"docreate": "create", "notekey": key, "title": f"Title of {key}", "body": "text"})
    assert answer.status_code == 302, answer


# --- what the engine is told ---

@both_images
def test_image_is_small(built, kind):
    assert built[kind]["Size"] <= SIZE_MAX_BYTES


@both_images
def test_image_runs_one_program_as_a_numeric_user_without_a_shell(built, kind):
    config = built[kind]["Config"]
    service = "userauth-svc" if kind == "users" else "notes-svc"
    assert config["User"] == f"{USER}:{USER}"
    assert config["Entrypoint"] == [f"/usr/bin/{service}"] and not config["Cmd"]
    assert config["StopSignal"] == "SIGTERM"
    assert set(config["ExposedPorts"]) == {f"{PORTS[kind]}/tcp"}
    assert not config.get("Volumes"), "with databases on servers there is nothing to keep"
    assert config["Healthcheck"]["Test"] == ["CMD", f"/usr/bin/{service}", "--healthcheck"]


@both_images
def test_image_says_what_it_is(built, kind):
    labels = built[kind]["Config"]["Labels"]
    told = {name: labels[f"org.opencontainers.image.{name}"]
            for name in ("title", "description", "licenses", "version", "revision", "source")}
    version = re.search(r"^  version: '([^']+)'", (programs.ROOT / "meson.build").read_text(), re.M)[1]
    assert told["title"] == ("userauth-svc" if kind == "users" else "notes-svc")
    assert told["description"] and told["licenses"] == "MIT" and told["version"] == version
    assert told["revision"] == "0123abcd" and told["source"] == "https://notes.example.org/source"


@both_images
def test_image_has_no_secret_in_its_environment_and_history(alone, built, kind):
    environment = dict(text.split("=", 1) for text in built[kind]["Config"]["Env"])
    assert environment == {"PATH": "/usr/bin", "LISTEN": "0.0.0.0", "STATE_DIR": "/var/lib/notes"}
    history = alone.engine.docker("image", "history", "--no-trunc", "--format", "{{.CreatedBy}}", built[kind]["Id"])
    assert re.findall(r"^COPY .*", history, re.M) == ["COPY /root-folder/ / # buildkit"], history
    assert set(re.findall(r"^ARG (\w+)", history, re.M)) == {"VERSION", "REVISION", "SOURCE"}, history


# --- what is in them ---

@both_images
def test_image_holds_no_other_program(files, kind):
    runnable = {member.name for member, data in files[kind] if member.isfile() and (member.mode & 0o111 or data[:2] == b"#!")}
    loaders = {name for name in runnable if re.fullmatch(r"usr/lib(64|/[^/]+)?/ld-linux[^/]*", name)}
    assert len(loaders) == 1, runnable
    assert runnable - loaders == {f"usr/bin/{name}" for name in PROGRAMS[kind]}


@both_images
def test_files_are_roots_and_nobody_else_may_write_them(files, kind):
    state = [member for member, _ in files[kind] if member.name.rstrip("/") == "var/lib/notes"]
    assert [(member.uid, member.gid, stat.S_IMODE(member.mode)) for member in state] == [(USER, USER, 0o700)]
    others = [member for member, _ in files[kind] if member not in state]
    assert len(others) > 50
    assert [member.name for member in others if (member.uid, member.gid) != (0, 0)] == []
    assert [member.name for member in others if not member.issym() and member.mode & 0o7022] == []
    assert {stat.S_IMODE(member.mode) for member in others if not member.issym()} == {0o755, 0o644}
    assert all(member.isfile() or member.isdir() or member.issym() for member in others)


@both_images
def test_scanners_find_the_packages_that_the_libraries_come_from(files, kind):
    records = records_in(files[kind])
    assert {"libc6", "libssl3t64", "libsqlite3-0", "libmariadb3", "ca-certificates"} <= set(records)
    for name, text in records.items():
        assert re.search(rf"^Package: {re.escape(name)}$", text, re.M) and re.search(r"^Version: \S+$", text, re.M), name
    licences = {member.name.split("/")[3] for member, _ in files[kind] if re.fullmatch(r"usr/share/doc/[^/]+/copyright", member.name)}
    assert licences == set(records) | {"notes"}


@both_images
def test_packages_are_the_newest_that_the_release_offers(alone, built, files, offered, kind, tmp_path):
    """What a cache of the engine has kept from before the newest version is no fault of the image: it is built again without."""
    newest = {name: offered[name] for name in records_in(files[kind])}
    found = versions_in(files[kind])
    if found != newest:
        alone.compose(*alone.profiles("embedded"), "build", "--quiet", "--no-cache", kind, timeout_s=docker.UP_TIMEOUT_S)
        found = versions_in(members_of(alone, built[kind]["RepoTags"][0], tmp_path))
    assert found == newest


@both_images
def test_nothing_else_can_be_started_by_the_loader_whatever_its_mode(files, kind):
    """The loader runs any file that names it, executable or not: a shell or an interpreter would."""
    startable = {member.name for member, data in files[kind] if names_a_loader(data)}
    libc = {name for name in startable if name.endswith("/libc.so.6")}
    assert startable - libc == {f"usr/bin/{name}" for name in PROGRAMS[kind]} and len(libc) == 1


@both_images
def test_image_holds_the_ways_to_log_in_to_a_database_and_the_authorities(files, kind):
    names = {member.name for member, data in files[kind] if data}
    assert any(name.endswith("/plugin/caching_sha2_password.so") for name in names)
    assert any(name.endswith("/plugin/client_ed25519.so") for name in names)
    assert {"etc/ssl/certs/ca-certificates.crt", "etc/passwd", "etc/group", "etc/nsswitch.conf"} <= names


def test_build_sends_only_what_is_named():
    lines = [line for line in (programs.ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*", "all is left out that is not named after"
    assert "!docker" not in lines, "its folder of secrets"


# --- how they live ---

def test_embedded_databases_live_in_volumes_with_nothing_else_to_write_to(alone, embedded):
    users, notes = embedded
    client = sign_in(users, notes)
    save(client, "kept")
    alone.compose(*alone.profiles("embedded"), "rm", "--force", "--stop", "users", "notes")
    users, notes = start(alone, "embedded", "users", "notes")
    assert Client(url_of(notes)).html("/notes/view?key=kept").text("notetitle").strip() == "Title of kept"
    assert "alice" in users.exec("userauth-cli", "list-users")


def test_with_databases_on_servers_nothing_is_writable(alone):
    try:
        container, = start(alone, "servers", "database", "redis", "notes-on-servers")[2:]
        inside = container.inspect()
        assert inside["HostConfig"]["ReadonlyRootfs"] and not inside["HostConfig"].get("Tmpfs")
        assert [mount["Destination"] for mount in inside["Mounts"] if mount["RW"]] == []
        state = requests.get(url_of(container) + "/readyz", timeout=10).json()["dependencies"]
        assert (state["database"], state["redis"]) == ("ok", "ok")
    finally:
        alone.compose(*alone.profiles("servers"), "down", "--volumes")


def test_main_process_is_the_first_one_and_holds_no_rights(alone, embedded):
    for container in embedded:
        assert [line["pid"] for line in events(container) if line["event"] == "service.started"] == [1]
        status = alone.engine.docker("run", "--rm", "--pid", f"container:{container.id}", "--network", "none",
                                     alone.engine.image("debian"), "cat", "/proc/1/status")
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert fields["Uid"].split() == [str(USER)] * 4 and fields["Gid"].split() == [str(USER)] * 4
        assert int(fields["CapEff"], 16) == int(fields["CapPrm"], 16) == 0
        assert fields["NoNewPrivs"] == "1", "alone.yaml does not ask for it: the program does"


def test_healthcheck_is_the_programs_own(embedded):
    for container, program in zip(embedded, ("userauth-svc", "notes-svc")):
        assert container.health == "healthy"
        assert container.exec(program, "--healthcheck").strip() == "ready"
        assert container.exec_run(program, "--healthcheck", "--more").returncode == 2


def test_healthcheck_works_where_the_service_listens_on_all_ipv6_addresses(alone):
    try:
        container, = start(alone, "embedded", "everywhere")
        assert container.exec("userauth-svc", "--healthcheck").strip() == "ready"
    finally:
        alone.compose(*alone.profiles("embedded"), "down", "--volumes")


def test_stop_drains_and_ends_in_time_with_open_sockets_and_kept_connections(embedded):
    users, notes = embedded
    save(sign_in(users, notes), "open")
    url = url_of(notes)
    kept = Connection(int(url.rsplit(":", 1)[1]))
    kept.send(request_bytes("GET", "/healthz"))
    assert kept.answer().status == 200
    with Raw(url) as live:
        live.join(key="open")
        assert notes.stop() == 0
        assert live.is_ended()
    assert kept.is_closed()
    assert users.stop() == 0
    for container in (users, notes):
        told = [line["event"] for line in events(container)]
        assert told[-1] == "service.stopped" and "service.drain_incomplete" not in told


@pytest.mark.parametrize("service", ["users-waiting", "notes-waiting"])
def test_stop_ends_a_start_that_waits_for_its_database(alone, service):
    try:
        alone.compose(*alone.profiles("waiting"), "up", "--detach", service)
        container = alone.one(service)
        until(lambda: any(line["event"] == "service.waiting" for line in events(container)), "it waits")
        assert container.stop() == 0
        assert events(container)[-1]["event"] == "service.stopped"
    finally:
        alone.compose(*alone.profiles("waiting"), "down", "--volumes")
