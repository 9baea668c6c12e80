# SPDX-License-Identifier: MIT
"""Places to keep state that can be filled up: a small tmpfs where mounting is possible, else a limit on file size."""
import os
import pathlib
import resource
import subprocess


class SmallDisk:
    """A tmpfs of some MiB on `folder`. `fill` leaves no byte, `make_room` frees all again."""

    def __init__(self, folder, size_mib=4):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={size_mib}m,mode=0755", "none", str(self.folder)]
        try:
            self.is_mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            self.is_mounted = False

    @property
    def filler(self):
        return self.folder / "filler"

    def fill(self):
        with open(self.filler, "ab", buffering=0) as out:
            for size in (65536, 4096, 512, 1):
                try:
                    while True:
                        out.write(b"x" * size)
                except OSError:
                    continue

    def make_room(self):
        self.filler.unlink()

    def close(self):
        if self.is_mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)


class FileLimit:
    """No file of a running process may grow beyond `bytes` (RLIMIT_FSIZE): the stand-in where nothing can be mounted."""

    def __init__(self, pid):
        self.pid = pid

    def fill(self):
        sizes = [os.stat(f"/proc/{self.pid}/fd/{name}").st_size for name in os.listdir(f"/proc/{self.pid}/fd")
                 if os.path.isfile(f"/proc/{self.pid}/fd/{name}")]
        limit = max(sizes)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    def make_room(self):
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
