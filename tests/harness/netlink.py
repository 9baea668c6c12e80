# SPDX-License-Identifier: MIT
"""For a child that is to know nothing of network interfaces: it gets no netlink socket, as on a kernel that has none."""
import ctypes
import errno
import os
import socket
import struct

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # codes of the kernel's packet filter
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EAFNOSUPPORT
NUMBER_AT, MACHINE_AT, FIRST_ARGUMENT_AT = 0, 4, 16  # in struct seccomp_data
SOCKET_CALLS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}  # machine, number

_libc = ctypes.CDLL(None, use_errno=True)


def _filter(machine, number):
    steps = [(LOAD, 0, 0, MACHINE_AT), (JUMP_IF_EQUAL, 0, 4, machine), (LOAD, 0, 0, NUMBER_AT), (JUMP_IF_EQUAL, 0, 2, number),
             (LOAD, 0, 0, FIRST_ARGUMENT_AT), (JUMP_IF_EQUAL, 1, 0, socket.AF_NETLINK), (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, REFUSE)]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def refuse():
    """In the child, before exec. On a machine of another kind nothing happens."""
    call = SOCKET_CALLS.get(os.uname().machine)
    if call is None:
        return
    code = _filter(*call)
    program = struct.pack("HP", len(code) // 8, ctypes.addressof(kept := ctypes.create_string_buffer(code)))
    if _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or _libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    del kept
