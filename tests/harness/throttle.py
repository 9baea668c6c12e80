# SPDX-License-Identifier: MIT
"""The waits after failed logins, which a userauth-svc counts in its database: seconds at first, so that a slow test outlasts them."""
from . import stored


def lengthen_waits(userauth):
    """As if whoever has failed had done so ten times more: who is refused from now on waits for two minutes at least."""
    with stored.opened(userauth.database, is_writable=True) as database:
        database.execute("UPDATE login_throttle SET failures = failures + 10 WHERE is_total = 0 AND failures > 0")
