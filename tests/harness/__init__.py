# SPDX-License-Identifier: MIT
"""What the black-box tests share: services as processes, a browser-like client, a page reader, raw HTTP, the CLI.

Nothing here knows how the programs are made inside. Tests import what they need:
`from harness.services import Userauth, Notes`, `from harness.raw import exchange`, and so on.
"""
