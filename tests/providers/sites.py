# SPDX-License-Identifier: MIT
"""A Site that is set to providers."""
from harness.site import Site

UNLIMITED = {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0}


def start_site(folder, providers, **settings):
    """A Site that is set to these providers, which know it."""
    together = dict(UNLIMITED)
    for provider in providers:
        together.update(provider.settings)
    site = Site(folder, {**together, **settings})
    try:
        site.start()
    except BaseException:
        site.kill()
        raise
    for provider in providers:
        provider.register(site.url)
    return site
