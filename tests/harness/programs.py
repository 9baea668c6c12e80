# SPDX-License-Identifier: MIT
"""Where the programs are, how they are run, and what must never be in what they print.

NOTES_BUILD names the build folder (absolute, or relative to the tree's root; default `build`).
"""
import ctypes
import os
import pathlib
import re
import secrets
import signal
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = (ROOT / os.environ.get("NOTES_BUILD", "build")).resolve()

NOTES_SVC = BUILD / "notes-svc" / "notes-svc"
USERAUTH_SVC = BUILD / "userauth-svc" / "userauth-svc"
USERAUTH_CLI = BUILD / "userauth-svc" / "userauth-cli"

SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}
SANITIZER_REPORT = re.compile(r"ERROR: AddressSanitizer|runtime error|LeakSanitizer|WARNING: ThreadSanitizer")
HASH = re.compile(r"\$argon2i?d?\$|\$2[abxy]\$\d\d\$")

# Every file that a program of this run printed to, and every text that must not be found in any of them.
printed_files = []
_known_secrets = set()


def remember_secret(text):
    """From now on `text` must not be in any log of this run. Returns it."""
    if len(text) < 8:
        raise ValueError("a secret of fewer than 8 characters can be found anywhere by chance")
    _known_secrets.add(text)
    return text


def new_password(label="pw"):
    """A random password that the end of the run looks for in all logs."""
    return remember_secret(f"{label}-{secrets.token_urlsafe(15)}")


def assert_no_secret(text):
    """No remembered secret and no password hash is in `text` (an answer, say)."""
    assert not HASH.search(text), "a password hash was shown"
    for secret in _known_secrets:
        assert secret not in text, f"the secret {secret[:6]}... was shown"


def leaked_secrets():
    """Pairs (file, start of the secret) of every known secret found in what the programs printed."""
    found = []
    for path in printed_files:
        if not path.exists():
            continue
        text = path.read_bytes()
        for secret in _known_secrets:
            if secret.encode() in text:
                found.append((str(path), secret[:6] + "..."))
    return found


def clean_env(settings):
    """PATH, HOME, sanitizer options and the given settings; a setting of None is left out."""
    env = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/nonexistent"}
    env.update(SANITIZER_ENV)
    for name, value in settings.items():
        env.pop(name, None)
        if value is not None:
            env[name] = str(value)
    return env


_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    """In the child, before exec: a test run that is killed leaves no service behind."""
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def assert_no_sanitizer_report(text):
    match = SANITIZER_REPORT.search(text)
    assert not match, "sanitizer report:\n" + text[max(0, match.start() - 500):][:6000]


def run(program, *args, timeout_s=30, stdin=None, **settings):
    """Runs a program that is expected to end by itself. Returns CompletedProcess with text output."""
    done = subprocess.run([str(program), *map(str, args)], env=clean_env(settings), input=stdin,
                          stdin=subprocess.DEVNULL if stdin is None else None,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors="surrogateescape", timeout=timeout_s, start_new_session=True,
                          preexec_fn=die_with_parent)
    assert_no_sanitizer_report(done.stderr)
    assert done.returncode >= 0, f"{program} died of signal {-done.returncode}: {done.stderr}"
    return done
