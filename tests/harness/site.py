# SPDX-License-Identifier: MIT
"""Both services on one state folder, with users `me` and `you`."""
from .programs import new_password
from .services import Notes, Userauth


class Site:
    def __init__(self, folder, notes_env=None, userauth_env=None):
        self.state_dir = folder / "state"
        self.userauth = Userauth(self.state_dir, **(userauth_env or {}))
        self.notes_env = notes_env or {}
        self.notes = None
        self.api = None
        self.passwords = {}

    @property
    def url(self):
        return self.notes.url

    def start(self):
        self.userauth.start()
        self.api = self.userauth.api()
        for name in ("me", "you"):
            self.add_user(name)
        self.notes = Notes(self.state_dir, self.userauth, **self.notes_env)
        try:
            self.notes.start()
        except BaseException:
            self.userauth.kill()
            raise
        return self

    def add_user(self, name, password=None):
        """Makes a user; its password is in `passwords`."""
        self.passwords[name] = password or new_password(name)
        return self.api.create(name, self.passwords[name])

    def stop(self):
        """Stops what runs; asserts clean ends."""
        try:
            if self.notes is not None and self.notes.is_running():
                self.notes.stop()
        finally:
            if self.userauth.is_running():
                self.userauth.stop()

    def kill(self):
        for service in (self.notes, self.userauth):
            if service is not None:
                service.kill()
