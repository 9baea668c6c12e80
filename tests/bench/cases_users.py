# SPDX-License-Identifier: MIT
"""userauth-svc: finding a user, and checking a password while others are found."""
import base64
import concurrent.futures
import json
import os

from bench import figures, load, statements

USERS_COUNT = 1000
FIND_RATE = 200  # a second, while passwords are checked
MEMORY_KIB, PASSES = 19456, 2


def authorization(service):
    return "Authorization: Basic " + base64.b64encode(f"them:{service.key}".encode()).decode()


def find_request(on_stage, service):
    return on_stage.get_file(service, "/find/user-@@@@@@@", [authorization(service)])


def find(measure):
    service = measure.stage.userauth(USERS_COUNT)
    count = measure.stage.scaled(USERS_COUNT, least=10)
    measure.statements("find", service, measure.stage.users_schema(USERS_COUNT), (find_request(measure.stage, service), count),
                       statements.FIND_USER.format(users=count))


def password(measure):
    """Hashing takes whole cores, so a round is longer than elsewhere: it counts hundreds of answers, not thousands."""
    service = measure.stage.userauth(USERS_COUNT)
    seconds = 2 * measure.seconds
    body = json.dumps({"username": "me", "password": measure.stage.password, "client": "bench"})
    check = measure.stage.post_file(service, "/password-check", body, "application/json", [authorization(service)])
    find_path = find_request(measure.stage, service)
    p99s, all_rates = [], []

    def ours():
        with concurrent.futures.ThreadPoolExecutor(1) as beside:
            finding = beside.submit(load.open_loop, service.port, FIND_RATE, seconds, find_path, 0,
                                    measure.stage.scaled(USERS_COUNT, least=10), 64)
            rate = load.varied(service.url, seconds, check, 0, 1)["rate"]
            found = finding.result()
        if found["refused"] or found["else"] or found["unanswered"]:
            raise load.LoadFailed(f"/find beside /password-check: {found}")
        p99s.append(found["ok_p99_ms"])
        return rate

    def yardstick():
        times = load.hash_time(MEMORY_KIB, PASSES, measure.seconds)
        all_rates.append(times["all_per_s"])
        return os.cpu_count() * 1000 / times["one_ms"]

    pairs = measure.pairs(ours, yardstick)
    measure.add(figures.of_pairs("password-check", pairs, "/s", hashes_of_all_cores=figures.summary(all_rates, "/s")))
    measure.add(figures.of_values("find-meanwhile", p99s[1:], rate=FIND_RATE))
