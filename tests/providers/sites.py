# SPDX-License-Identifier: MIT
"""A Site that is set to providers."""
from harness.site import Site

# Most providers here are threads of the test itself: on a crowded machine they are late, which is no reason to refuse somebody.
PATIENT = {"PROVIDER_TIMEOUT_MS": 20000, "REQUEST_DEADLINE_MS": 25000}
UNLIMITED = {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0, **PATIENT}


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
