# SPDX-License-Identifier: MIT
"""The edge of docker/compose.yaml with compose.tls.yaml, by itself: which versions and ciphers it takes, and where plain HTTP is led.
Pages are not asked for: without a replica behind it the edge answers what it is asked by itself."""
import shutil
import socket
import ssl

import pytest
import requests

from harness import programs
from harness.certificates import Authority
from harness.docker import Project
from harness.ports import free_port
from harness.wait import until

CIPHERS = ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305")
OLD_CIPHERS = ("ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-CCM8", "ECDHE-ECDSA-NULL-SHA")


@pytest.fixture(scope="module")
def edge(engine, images, tmp_path_factory):
    """The edge alone: `port` is that of https, `plain_url` that of http, `authority` who has signed its certificate."""
    folder = tmp_path_factory.mktemp("tls")
    copy = folder / "docker"  # compose.tls.yaml reads the certificate beside itself
    shutil.copytree(programs.ROOT / "docker", copy, ignore=shutil.ignore_patterns("secrets", "tls", ".env"))
    authority = Authority(folder / "authority")
    key, certificate = authority.sign("localhost", "DNS:localhost", "IP:127.0.0.1")
    (copy / "tls").mkdir()
    (copy / "tls" / "site.pem").write_bytes(certificate.read_bytes() + key.read_bytes())
    (copy / "tls" / "site.pem").chmod(0o444)
    for outer in (folder, copy, copy / "tls"):
        outer.chmod(0o755)
    plain_port, port = free_port(), free_port()
    with Project(engine, copy / "compose.yaml", copy / "compose.tls.yaml", HTTP_PORT=plain_port, HTTPS_PORT=port,
                 PUBLIC_URL=f"https://localhost:{port}", HAPROXY_IMAGE=images["HAPROXY_IMAGE"]) as project:
        project.settings["EDGENET_SUBNET"] = project.place.subnet
        project.port, project.plain_url, project.authority = port, f"http://127.0.0.1:{plain_port}", authority
        project.up("--no-deps", "edge")
        until(lambda: takes(project, ssl.TLSVersion.TLSv1_3), "the edge answers", 30)
        yield project


def shake_hands(edge, version, ciphers=None):
    """(version, cipher) that a client settles on which offers this version, as low as it can be asked for, and these ciphers only."""
    context = ssl.create_default_context(cafile=edge.authority.certificate)
    context.set_ciphers((ciphers or "ALL") + ":@SECLEVEL=0")  # else the client's own library would not offer old ones
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", edge.port), timeout=10) as plain, \
            context.wrap_socket(plain, server_hostname="localhost") as secure:
        return secure.version(), secure.cipher()[0]


def takes(edge, version):
    try:
        return bool(shake_hands(edge, version))
    except OSError:
        return False


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_old_versions_are_refused_by_the_edge(edge, version):
    with pytest.raises(ssl.SSLError) as refused:
        shake_hands(edge, ssl.TLSVersion[version])
    assert refused.value.reason == "TLSV1_ALERT_PROTOCOL_VERSION", "the edge says so, and not the client to itself"


@pytest.mark.parametrize("version, name", [("TLSv1_2", "TLSv1.2"), ("TLSv1_3", "TLSv1.3")])
def test_versions_of_today_are_taken(edge, version, name):
    assert shake_hands(edge, ssl.TLSVersion[version])[0] == name


def test_who_can_do_both_gets_the_newer(edge):
    context = ssl.create_default_context(cafile=edge.authority.certificate)
    with socket.create_connection(("127.0.0.1", edge.port), timeout=10) as plain, \
            context.wrap_socket(plain, server_hostname="localhost") as secure:
        assert secure.version() == "TLSv1.3"


@pytest.mark.parametrize("cipher", CIPHERS)
def test_ciphers_that_authenticate_are_taken(edge, cipher):
    assert shake_hands(edge, ssl.TLSVersion.TLSv1_2, cipher) == ("TLSv1.2", cipher)


@pytest.mark.parametrize("cipher", OLD_CIPHERS)
def test_other_ciphers_are_refused_by_the_edge(edge, cipher):
    with pytest.raises(ssl.SSLError) as refused:
        shake_hands(edge, ssl.TLSVersion.TLSv1_2, cipher)
    assert refused.value.reason == "SSLV3_ALERT_HANDSHAKE_FAILURE", "the edge says so, and not the client to itself"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/", "/notes/view?key=a", "/users/login", "/socket.io/?EIO=4&transport=polling", "/assets/x.css"])
def test_plain_http_is_led_to_https_whatever_is_asked_for(edge, method, path):
    answer = requests.request(method, edge.plain_url + path, allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["Location"]) == (308, f"https://localhost:{edge.port}{path}")
    assert "Strict-Transport-Security" not in answer.headers


def test_what_the_edge_says_itself_over_https_has_hsts(edge):
    answer = requests.get(f"https://localhost:{edge.port}/", verify=edge.authority.certificate, timeout=10)
    assert answer.status_code == 503
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
