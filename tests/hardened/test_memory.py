# SPDX-License-Identifier: MIT
"""How much memory notes-svc takes at most, of what its container has: by the kernel's own mark of the most that it ever had."""
import concurrent.futures
import pathlib
import re
import socket

import requests

from harness.client import browser_session

MIB = 1 << 20


def most_bytes(service):
    status = pathlib.Path(f"/proc/{service.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def save_at_once(site, client, count, text):
    """Saves so many new notes, side by side. Returns the statuses."""
    fields = f"docreate=create&notekey=&csrf={client.csrf()}&body={text}&title="
    headers = {"Origin": client.origin, "Content-Type": "application/x-www-form-urlencoded"}

    def save(number):
        return requests.post(site.url + "/notes/save", f"{fields}{number}", headers=headers, cookies=client.http.cookies, timeout=60,
                             allow_redirects=False).status_code

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(save, range(count)))


def test_texts_that_are_costly_to_render_take_little_memory_when_many_save_them_at_once(make_site):
    """One takes up to 75 MB while it is worked on, and two are at a time."""
    site = make_site()
    assert set(save_at_once(site, browser_session(site, "me"), 24, "[" * MIB)) <= {302, 503}
    assert most_bytes(site.notes) < 350 * MIB
    assert browser_session(site).get("/").status_code == 200


def read_a_little(site, path):
    """Asks for a page and takes its beginning: with so small a window and segments the kernel takes little of a large one."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
    reader.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    reader.connect(("127.0.0.1", site.notes.port))
    reader.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert reader.recv(16).split(b" ")[1] in (b"200", b"503")
    return reader


def test_pages_that_are_kept_no_more_and_still_read_take_little_memory(make_site):
    """Half a MiB each, and each reader has another one. When they are as much as may be kept, pages are made for one reader
    each, which ANSWERS_BYTES counts: 64 MiB and 64 MiB here, and the connections."""
    site = make_site(WRITES_PER_MIN=0, CONNECTIONS_PER_ADDRESS=0, READ_TIMEOUT_S=600, ANSWERS_BYTES=64 * MIB)
    me = browser_session(site, "me")
    note = {"docreate": "create", "notekey": "large", "title": "large", "body": "x" * 240000}
    assert me.post("/notes/save", note).status_code == 302
    before_bytes = most_bytes(site.notes)
    readers = []
    for number in range(600):
        assert me.post("/notes/comment", {"key": "large", "message": f"{number}"}).status_code == 302
        requests.get(site.url + "/notes/view?key=large", timeout=60)  # makes the page that is kept
        readers.append(read_a_little(site, "/notes/view?key=large"))
    assert most_bytes(site.notes) < before_bytes + 180 * MIB
    for reader in readers:
        reader.close()


def test_heads_of_many_lines_whose_bodies_do_not_come_take_little_memory(make_site):
    """200 lines of one list each: joined one after the other they took 1.5 MB, 16 KB of which were sent."""
    site = make_site(CONNECTIONS_PER_ADDRESS=0)
    before_bytes = most_bytes(site.notes)
    lines = f"Accept: {'x' * 60}\r\n" * 200
    form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 10\r\n"
    senders = [socket.create_connection(("127.0.0.1", site.notes.port)) for _ in range(250)]
    for sender in senders:
        sender.sendall(f"POST /notes/save HTTP/1.1\r\nHost: localhost\r\n{form}{lines}\r\n".encode())
    for sender in senders:
        sender.sendall(b"a")
    assert browser_session(site, "me").get("/notes/add").status_code == 200
    assert most_bytes(site.notes) < before_bytes + 64 * MIB
    for sender in senders:
        sender.close()
