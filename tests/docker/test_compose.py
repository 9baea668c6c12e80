# SPDX-License-Identifier: MIT
"""The deployment as data: what docker/compose.yaml, its additions and docker/stack.yaml ask of an engine."""
import base64
import hashlib
import json
import os
import pathlib
import re
import subprocess

import pytest

DOCKER = pathlib.Path(__file__).resolve().parents[2] / "docker"
SERVICES = {"db-userauth", "svc-userauth", "db-notes", "redis", "svc-notes", "edge"}
NETWORKS = {
    "db-userauth": {"authnet"},
    "svc-userauth": {"authnet", "svcnet"},
    "db-notes": {"frontnet"},
    "redis": {"frontnet"},
    "svc-notes": {"frontnet", "svcnet", "edgenet"},
    "edge": {"edgenet"},
}
# Of what docs/DESIGN.md, "Memory", tells: pages that are made, large saves, what is kept and was, connections and the program itself.
OTHER_MIB = 384 + 150 + 34 + 34 + 256
CLOSED = {"authnet", "frontnet", "svcnet"}
OURS = re.compile(r"(HTTPS?_PORT|USERS_PORT|EDGENET_SUBNET|PUBLIC_URL|OIDC_[A-Z_]+|SECRETS_VERSION|SECRETS_DIR|CONFIGS_VERSION|COMPOSE_.*|[A-Z_]+_IMAGE)$")
STACK_VARIABLES = {"NOTES_SVC_IMAGE": "registry.test/notes-svc:1", "USERAUTH_SVC_IMAGE": "registry.test/userauth-svc:1"}


@pytest.fixture(scope="module")
def ask(engine):
    """A command of docker without any variable of ours but the given ones; CompletedProcess."""
    environment = {name: value for name, value in {**os.environ, **engine.settings}.items() if not OURS.match(name)}
    return lambda *words, **variables: subprocess.run(["docker", *words], capture_output=True, text=True, check=False,
                                                      env={**environment, **variables})


@pytest.fixture(scope="module")
def configuration(ask):
    def read(*files, **variables):
        told = ask("compose", *(word for name in files for word in ("-f", str(DOCKER / name))), "config", "--format", "json", **variables)
        assert told.returncode == 0, told.stderr
        return json.loads(told.stdout)

    return read


@pytest.fixture(scope="module")
def compose(configuration):
    return configuration("compose.yaml")


@pytest.fixture(scope="module")
def stack(ask, configuration):
    """As a Swarm reads it: by `docker stack`, which knows fewer words than compose and refuses others."""
    told = ask("stack", "config", "-c", str(DOCKER / "stack.yaml"), **STACK_VARIABLES)
    assert told.returncode == 0, told.stderr
    return configuration("stack.yaml", **STACK_VARIABLES)


def each(services):
    return [(name, services[name]) for name in sorted(services)]


def test_services_are_on_the_networks_of_the_design(compose):
    assert {name: set(service["networks"]) for name, service in each(compose["services"])} == NETWORKS


def test_all_networks_but_the_edges_are_internal(compose):
    assert {name for name, network in compose["networks"].items() if network.get("internal")} == CLOSED
    assert set(compose["networks"]) == CLOSED | {"edgenet"}


def test_only_the_edge_publishes_a_port_and_only_one(compose):
    published = {name: service["ports"] for name, service in each(compose["services"]) if service.get("ports")}
    assert set(published) == {"edge"}
    assert [(port["published"], "host_ip" in port) for port in published["edge"]] == [("80", False)]


def test_http_port_changes_the_published_port(configuration):
    assert configuration("compose.yaml", HTTP_PORT="8080")["services"]["edge"]["ports"][0]["published"] == "8080"


@pytest.mark.parametrize("variables", [{}, {"EDGENET_SUBNET": "10.77.0.0/24"}], ids=["default", "another"])
def test_the_edges_network_is_the_one_that_the_pages_trust(configuration, variables):
    config = configuration("compose.yaml", **variables)
    subnet = config["networks"]["edgenet"]["ipam"]["config"][0]["subnet"]
    assert config["services"]["svc-notes"]["environment"]["TRUSTED_PROXIES"] == subnet
    assert subnet == variables.get("EDGENET_SUBNET", subnet)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_each_container_has_no_more_rights_than_it_needs(compose, name):
    service = compose["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"] and "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged") and "devices" not in service
    assert {"pid", "ipc", "network_mode", "userns_mode"}.isdisjoint(service)
    assert re.match(r"[1-9][0-9]*(:[1-9][0-9]*)?$", service["user"]) if "build" not in service else "user" not in service


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_each_container_has_bounds_and_comes_back(compose, name):
    service = compose["services"][name]
    assert int(service["mem_limit"]) > 0 and service["pids_limit"] > 0
    assert service["memswap_limit"] == service["mem_limit"], "swap would come on top of it"
    assert service["restart"] == "unless-stopped"
    assert service["logging"]["driver"] == "json-file" and service["logging"]["options"]["max-size"]
    assert int(service["logging"]["options"]["max-file"]) > 1
    assert "container_name" not in service and "hostname" not in service


def test_all_that_has_a_limit_in_memory_fits_at_once_in_the_memory_of_the_pages(compose):
    headers = "".join((DOCKER.parent / name).read_text() for name in ("common/http/http_server.h", "notes-svc/live/hub.h"))
    budgets = [int(re.search(rf"#define {name}_MAX_BYTES[\\\s]*\(\(size_t\)(\d+) \* 1024 \* 1024\)", headers)[1])
               for name in ("HTTP_BODIES", "HTTP_ANSWERS", "HUB_WAITING", "HUB_UNREAD")]
    assert int(compose["services"]["svc-notes"]["mem_limit"]) >= (sum(budgets) + OTHER_MIB) * 1024 * 1024


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_each_container_says_whether_it_is_well_soon(compose, name):
    check = compose["services"][name]["healthcheck"]
    assert check["test"][0] == "CMD" and check["interval"] in ("3s", "5s"), "the first one comes after it"
    assert "start_interval" not in check, "engines before 25 refuse it"


def test_each_container_waits_for_what_it_needs_to_be_well(compose):
    waits = {name: {other: wait["condition"] for other, wait in service.get("depends_on", {}).items()}
             for name, service in each(compose["services"])}
    healthy = "service_healthy"
    assert waits == {
        "db-userauth": {}, "db-notes": {}, "redis": {}, "svc-userauth": {"db-userauth": healthy},
        "svc-notes": {"db-notes": healthy, "redis": healthy, "svc-userauth": healthy}, "edge": {"svc-notes": healthy},
    }


def test_nothing_is_mounted_but_data_temporary_files_configuration_and_secrets(compose):
    for name, service in each(compose["services"]):
        for mount in service.get("volumes", []):
            assert mount["type"] in ("volume", "tmpfs"), (name, mount)
        assert all(pathlib.Path(compose["configs"][item["source"]]["file"]).is_relative_to(DOCKER) for item in service.get("configs", []))
    volumes = {mount["source"]: name for name, service in each(compose["services"])
               for mount in service.get("volumes", []) if mount["type"] == "volume"}
    assert volumes == {"db-userauth-data": "db-userauth", "db-notes-data": "db-notes", "redis-data": "redis"}


def test_secrets_are_files_and_each_container_has_only_its_own(compose):
    assert all(pathlib.Path(secret["file"]).parent == DOCKER / "secrets" for secret in compose["secrets"].values())
    held = {name: {item["source"] for item in service.get("secrets", [])} for name, service in each(compose["services"])}
    assert held == {
        "db-userauth": {"db_userauth_password", "db_userauth_root_password"},
        "svc-userauth": {"db_userauth_password", "userauth_api_keys", "userauth_key"},
        "db-notes": {"db_notes_password", "db_notes_root_password"},
        "redis": {"redis_password"},
        "svc-notes": {"db_notes_password", "redis_password", "userauth_key"},
        "edge": set(),
    }


def test_no_secret_is_in_an_environment_or_on_a_command_line(compose):
    for name, service in each(compose["services"]):
        for variable, value in service.get("environment", {}).items():
            is_secret = re.search("PASSWORD|KEY|SECRET", variable)
            assert not is_secret or re.match(r"/run/secrets/\w+$", value), (name, variable)
            assert not re.search(r"//[^/]*:[^/]*@", value or ""), (name, variable)
        assert "requirepass" not in json.dumps(service), name


def test_files_of_secrets_and_certificates_are_not_in_git():
    ignored = ["docker/secrets/redis_password", "docker/tls/site.pem", "docker/.env", "docker/own.yaml"]
    told = subprocess.run(["git", "check-ignore", "--no-index", *ignored], cwd=DOCKER.parent, capture_output=True, text=True)
    if "not a git repository" in told.stderr:
        pytest.skip("this is no git repository")
    assert told.stdout.split() == ignored


def test_databases_are_told_what_both_kinds_of_server_understand(compose):
    for name in ("db-userauth", "db-notes"):
        service = compose["services"][name]
        assert "--socket=/tmp/mysql.sock" in service["command"]
        assert service["environment"]["MYSQL_ROOT_HOST"] == "localhost"
        assert service["environment"]["MYSQL_DATABASE"] == service["environment"]["MYSQL_USER"]
    assert "character-set-server = utf8mb4" in (DOCKER / "mysql.cnf").read_text()


def test_images_have_names_that_variables_change(configuration, compose):
    images = {name: service["image"] for name, service in each(compose["services"])}
    assert images["db-notes"] == images["db-userauth"] == "mysql:8.4"
    assert (images["redis"], images["edge"]) == ("redis:8", "haproxy:3.0")
    variables = ("MYSQL_IMAGE", "REDIS_IMAGE", "HAPROXY_IMAGE", "NOTES_SVC_IMAGE", "USERAUTH_SVC_IMAGE")
    changed = configuration("compose.yaml", **{name: f"{name.lower()}:1" for name in variables})
    assert {service["image"] for service in changed["services"].values()} == {f"{name.lower()}:1" for name in variables}
    assert not [image for image in images.values() if image.endswith(":latest") or ":" not in image]


def test_the_base_of_our_images_is_a_build_argument(configuration):
    config = configuration("compose.yaml", DEBIAN_IMAGE="debian:other")
    for name in ("svc-notes", "svc-userauth"):
        build = config["services"][name]["build"]
        assert build["args"] == {"DEBIAN_IMAGE": "debian:other"}
        assert (pathlib.Path(build["context"]) / build["dockerfile"]).name == f"{name.removeprefix('svc-')}-svc.Dockerfile"


def test_a_leaving_replica_has_time_to_be_noticed_and_to_end(compose):
    for name in ("svc-notes", "svc-userauth"):
        service = compose["services"][name]
        delay_ms = int(service["environment"].get("DRAIN_DELAY_MS", 0)) + int(service["environment"]["DRAIN_WAIT_MS"])
        assert delay_ms < 10_000 < int(service["stop_grace_period"].removesuffix("s")) * 1000
    assert int(compose["services"]["svc-notes"]["environment"]["DRAIN_DELAY_MS"]) >= 2000


def test_for_development_only_the_users_port_is_published_on_loopback(configuration):
    config = configuration("compose.yaml", "compose.dev.yaml")
    users = config["services"]["svc-userauth"]
    assert [(port["host_ip"], port["published"], port["target"]) for port in users["ports"]] == [("127.0.0.1", "5858", 5858)]
    assert set(users["networks"]) == {"authnet", "svcnet", "devnet"}
    assert not config["networks"]["devnet"].get("internal")
    assert {name for name, service in each(config["services"]) if service.get("ports")} == {"svc-userauth", "edge"}


def test_https_needs_the_public_address_and_adds_its_port_and_certificate(ask, configuration):
    files = ("compose.yaml", "compose.tls.yaml")
    config = configuration(*files, PUBLIC_URL="https://notes.example.org")
    edge = config["services"]["edge"]
    assert sorted(port["published"] for port in edge["ports"]) == ["443", "80"]
    assert pathlib.Path(config["secrets"]["site_pem"]["file"]) == DOCKER / "tls/site.pem"
    assert config["services"]["svc-notes"]["environment"]["PUBLIC_URL"] == "https://notes.example.org"
    refused = ask("compose", *(word for name in files for word in ("-f", str(DOCKER / name))), "config")
    assert refused.returncode != 0 and re.search("PUBLIC_URL.*https://notes.example.org", refused.stderr)


@pytest.mark.parametrize("name, secrets", [("oidc", {"oidc_client_secret"}),
                                           ("twitter", {"twitter_consumer_key", "twitter_consumer_secret"})])
def test_signing_in_elsewhere_adds_its_secrets_and_a_way_out_for_the_pages_only(configuration, compose, name, secrets):
    config = configuration("compose.yaml", f"compose.{name}.yaml", OIDC_ISSUER="https://login.example.org", OIDC_CLIENT_ID="notes")
    notes = config["services"]["svc-notes"]
    assert {item["source"] for item in notes["secrets"]} == {"db_notes_password", "redis_password", "userauth_key"} | secrets
    assert {pathlib.Path(config["secrets"][secret]["file"]) for secret in secrets} == {DOCKER / "secrets" / secret for secret in secrets}
    for variable, value in notes["environment"].items():
        assert not re.search("SECRET|KEY", variable) or value.startswith("/run/secrets/"), variable
    assert set(notes["networks"]) == NETWORKS["svc-notes"] | {"awaynet"}
    assert not config["networks"]["awaynet"].get("internal")
    # Of several with a way out the engine takes the first by name.
    assert min(name for name, network in config["networks"].items() if not network.get("internal")) == "awaynet"
    for other, service in each(config["services"]):
        assert other == "svc-notes" or service == compose["services"][other]


# ---- Swarm ----


@pytest.mark.parametrize("name, secrets", [("oidc", {"oidc_client_secret"}),
                                           ("twitter", {"twitter_consumer_key", "twitter_consumer_secret"})])
def test_the_stack_signs_in_elsewhere_by_secrets_that_the_swarm_keeps(ask, name, secrets):
    variables = {**STACK_VARIABLES, "OIDC_ISSUER": "https://login.example.org", "OIDC_CLIENT_ID": "notes", "SECRETS_VERSION": "7"}
    told = ask("stack", "config", "-c", str(DOCKER / "stack.yaml"), "-c", str(DOCKER / f"stack.{name}.yaml"), **variables)
    assert told.returncode == 0, told.stderr
    for secret in secrets:
        assert re.search(rf"{secret}:\n +name: notes_{secret}_7\n +external: true", told.stdout), told.stdout


def test_the_stack_has_the_same_services_networks_and_secrets(compose, stack):
    assert set(stack["services"]) == SERVICES
    for name, service in each(stack["services"]):
        assert set(service["networks"]) == NETWORKS[name]
        assert [item["source"] for item in service.get("secrets", [])] == [item["source"] for item in compose["services"][name].get("secrets", [])]
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
        assert service.get("user") == compose["services"][name].get("user")
        assert service["deploy"]["resources"]["limits"]["memory"] == compose["services"][name]["mem_limit"]
        assert service["deploy"]["resources"]["limits"]["pids"] == compose["services"][name]["pids_limit"]


def test_services_of_the_stack_have_the_settings_of_compose(compose, stack):
    own = {"svc-userauth": {"DRAIN_DELAY_MS", "DRAIN_WAIT_MS"}, "edge": {"NOTES_NAME"}}
    for name in sorted(SERVICES):
        here, there = (config["services"][name].get("environment", {}) for config in (stack, compose))
        differ = {variable for variable in {*here, *there} if here.get(variable) != there.get(variable)}
        assert differ == own.get(name, set()), name


def test_networks_of_the_stack_are_encrypted_and_closed_to_others(stack):
    for name, network in stack["networks"].items():
        assert network["driver"] == "overlay" and network["driver_opts"] == {"encrypted": "true"}
        assert not network.get("attachable")
        assert bool(network.get("internal")) == (name in CLOSED)


def test_replicas_of_the_stack_are_replaced_one_by_one_and_rolled_back(stack):
    for name, count in (("svc-notes", 3), ("svc-userauth", 2)):
        deploy = stack["services"][name]["deploy"]
        assert deploy["replicas"] == count
        update = deploy["update_config"]
        assert (update["parallelism"], update["order"], update["failure_action"]) == (1, "start-first", "rollback")
        assert update["monitor"] and deploy["rollback_config"]["order"] == "start-first"


def test_what_holds_data_runs_once_at_a_place_and_ends_before_its_successor_starts(stack):
    for name in ("db-userauth", "db-notes", "redis"):
        deploy = stack["services"][name]["deploy"]
        assert deploy["replicas"] == 1 and deploy["update_config"]["order"] == "stop-first"
        assert deploy["placement"]["constraints"] == [f"node.labels.notes.{name} == true"]


def test_the_edge_of_the_stack_sees_its_clients_addresses_and_all_replicas(stack):
    edge = stack["services"]["edge"]
    assert [(port["mode"], port["published"]) for port in edge["ports"]] == [("host", "80")]
    assert edge["environment"]["NOTES_NAME"] == "tasks.svc-notes"


def test_no_service_of_the_stack_needs_a_virtual_address(stack):
    """It forgets quiet connections, and not every kernel has it."""
    assert {service["deploy"]["endpoint_mode"] for service in stack["services"].values()} == {"dnsrr"}


# ---- the edge ----


def test_the_page_of_the_edge_allows_its_own_style_and_nothing_else():
    page = (DOCKER / "unavailable.http").read_text()
    head, _, body = page.partition("\n\n")
    style = re.search(r"<style>(.*?)</style>", body, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in head and "default-src 'none'" in head
    assert head.startswith("HTTP/1.1 503 ") and "\nRetry-After: " in head and "\nCache-Control: no-store" in head
    assert not re.search(r"<script|style=|https?://(?!www\.w3\.org/2000/svg)", body)
    assert len(page.encode()) < 15_000, "must fit in a buffer of HAProxy"
