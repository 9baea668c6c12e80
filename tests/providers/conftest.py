# SPDX-License-Identifier: MIT
"""A site where people sign in at providers. A module names those that its site is set to, and may have settings of its own:

    PROVIDERS = ("openid", "twitter")     # or "liar"
    NOTES_ENV = {...}
"""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))

from harness import npm
from liar import Liar
from openid import OpenId
from sites import start_site
from twitter import Twitter


@pytest.fixture(scope="session")
def openid_place():
    place, fault = npm.install("providers/openid")
    if fault:
        pytest.skip("oidc-provider: " + fault)
    return place


@pytest.fixture(scope="module")
def openid(openid_place, tmp_path_factory):
    provider = OpenId(openid_place, tmp_path_factory.mktemp("openid")).start()
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def twitter():
    with Twitter() as provider:
        yield provider


@pytest.fixture(scope="module")
def liar():
    with Liar() as provider:
        yield provider


@pytest.fixture(scope="module")
def site(request, tmp_path_factory):
    """One per module, with its providers; users `me` and `you` have passwords."""
    providers = [request.getfixturevalue(name) for name in request.module.PROVIDERS]
    one = start_site(tmp_path_factory.mktemp("site"), providers, **getattr(request.module, "NOTES_ENV", {}))
    yield one
    one.stop()


@pytest.fixture
def make_site(tmp_path):
    """make_site(provider..., **settings) -> a started Site of one test."""
    made = []

    def make(*providers, **settings):
        made.append(start_site(tmp_path / str(len(made)), providers, **settings))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def anew(site):
    """Makes notes-svc forget what it knows of providers."""
    site.notes.restart()
    return site
