# SPDX-License-Identifier: MIT
"""oidc-provider's signatures: every algorithm that is believed, keys that change while people sign in, clients without a secret,
and a clock of ours that is off."""
import pytest

from fake_time import Clock
from harness.client import Client
from steps import assert_refused, at_openid, begin, finish, query_of, sign_in, who_is

PROVIDERS = ("openid",)
BELIEVED = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]


@pytest.fixture(scope="module", autouse=True)
def alice(site, openid):
    return openid.account("alice")


@pytest.fixture(autouse=True)
def registered_as_ever(site, openid):
    openid.register(site.url)


@pytest.mark.parametrize("alg", BELIEVED)
def test_an_algorithm_is_believed(site, openid, alg):
    openid.register(site.url, alg)
    client, answer = sign_in(site, openid, "alice")
    assert answer.status_code == 302 and who_is(client) == "alice"


def test_another_algorithm_is_not(site, openid):
    openid.register(site.url, "EdDSA")
    client, answer = sign_in(site, openid, "alice")
    assert_refused(client, answer, 502)
    assert "EdDSA" in site.notes.wait_log(event="auth.provider_refused", via="oidc")["why"]


def test_a_wrong_secret_is_our_fault_and_says_so_in_the_log(make_site, openid):
    site = make_site(openid, OIDC_CLIENT_SECRET="not the secret of it")
    client, answer = sign_in(site, openid, "alice")
    page = assert_refused(client, answer, 502)
    assert "invalid_client" not in page.source
    assert "401 invalid_client" in site.notes.wait_log(event="auth.provider_refused")["why"]


def test_a_client_without_a_secret(make_site, openid):
    site = make_site(openid, OIDC_CLIENT_ID="notes-public", OIDC_CLIENT_SECRET=None)
    client, _ = sign_in(site, openid, "alice")
    assert who_is(client) == "alice"


def test_keys_change_with_the_old_ones_still_shown(anew, openid):
    assert who_is(sign_in(anew, openid, "alice")[0]) == "alice"
    openid.rotate_keys(keeps_old=True)
    assert who_is(sign_in(anew, openid, "alice")[0]) == "alice"


def test_all_keys_change_between_two_sign_ins(anew, openid):
    assert who_is(sign_in(anew, openid, "alice")[0]) == "alice"
    openid.rotate_keys()
    assert who_is(sign_in(anew, openid, "alice")[0]) == "alice"


def test_all_keys_change_in_the_middle_of_a_sign_in(anew, openid):
    client = Client(anew.url)
    location = begin(client, "oidc")
    openid.rotate_keys()
    assert finish(client, at_openid(openid, location, "alice")).status_code == 302
    assert who_is(client) == "alice"


def test_keys_change_again_when_the_last_change_is_long_ago(site, openid, tmp_path):
    """New keys at once, then no sooner than a minute later."""
    clock = Clock(tmp_path, is_monotonic_too=True)
    site.notes.restart(**clock.settings)
    try:
        for shift, status in ((0, 302), (1, 302), (2, 502), (90, 302)):
            openid.rotate_keys()
            clock.move(shift)
            client, answer = sign_in(site, openid, "alice")
            assert answer.status_code == status, shift
        assert who_is(client) == "alice"
    finally:
        site.notes.restart(LD_PRELOAD=None, ASAN_OPTIONS=None)


@pytest.mark.parametrize("shift", [+100, -100])
def test_a_clock_a_little_off_is_no_matter(site, openid, tmp_path, shift):
    clock = Clock(tmp_path)
    clock.move(shift)
    site.notes.restart(**clock.settings)
    try:
        assert who_is(sign_in(site, openid, "alice")[0]) == "alice"
    finally:
        site.notes.restart(LD_PRELOAD=None, ASAN_OPTIONS=None)


@pytest.mark.parametrize("shift", [+2000, -2000])
def test_a_clock_that_is_off_is_named(site, openid, tmp_path, shift):
    clock = Clock(tmp_path)
    clock.move(shift)
    site.notes.restart(**clock.settings)
    try:
        client, answer = sign_in(site, openid, "alice")
        assert_refused(client, answer, 502, "clock")
    finally:
        site.notes.restart(LD_PRELOAD=None, ASAN_OPTIONS=None)


def test_a_sign_in_that_took_too_long_begins_anew(site, openid, tmp_path):
    clock = Clock(tmp_path)
    site.notes.restart(**clock.settings)
    try:
        client = Client(site.url)
        location = begin(client, "oidc")
        clock.move(+601)
        back = at_openid(openid, location, "alice")
        cookies = {"notesprovider": client.http.cookies.get("notesprovider", path="/users/auth")}
        assert_refused(client, finish(client, back), 400)
        clock.move(0)
        assert openid.is_code_good(query_of(back)["code"]), "it was refused before the provider was asked"
        assert cookies["notesprovider"]
    finally:
        site.notes.restart(LD_PRELOAD=None, ASAN_OPTIONS=None)
