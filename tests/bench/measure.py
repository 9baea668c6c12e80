# SPDX-License-Identifier: MIT
"""What a case works with: rounds of ours and the yardstick in turn, the data of notes, and where results go."""
import dataclasses

from bench import figures, fill, load, stage, statements

WARM_UP_S = 1
CONNECTING_COUNT = 32


@dataclasses.dataclass(frozen=True)
class Data:
    """Notes in a database of their own; `comments_each` on those of the numbers below `commented`."""
    name: str
    notes: int
    has_texts: bool = True
    comments_each: int = 0
    commented: int = 1

    def count(self, on_stage):
        return on_stage.scaled(self.notes, least=100)

    def fill(self, server, schema, on_stage):
        count = self.count(on_stage)
        fill.notes(server, schema, count, self.has_texts)
        if self.comments_each:
            fill.comments(server, schema, self.comments_each, last=min(self.commented, count))


SMALL = Data("small", 1000, comments_each=20, commented=1)
MANY = Data("many", 100_000, comments_each=3, commented=100_000)
LARGE = Data("large", 1_000_000, has_texts=False)


class Measure:
    def __init__(self, on_stage, rounds, seconds, quick=False):
        self.stage = on_stage
        self.rounds = rounds
        self.seconds = seconds
        self.quick = quick
        self.results = []
        self.more = {"growth": [], "overload": [], "memory": [], "kept": [], "latency": [], "instructions": []}
        self.next_number = 0

    def add(self, result):
        self.results.append(result)

    def varied(self, url, request, connections=load.CONNECTIONS):
        """load.varied on (file, count of keys), which goes on where the last one ended: a note comes again only when all
        others have."""
        path, keys = request
        answer = load.varied(url, self.seconds, path, self.next_number, keys, connections)
        self.next_number += answer["count"] + connections
        return answer

    def pairs(self, ours, yardstick):
        """(ours(), yardstick()) of each round, the first of them in turn; each was run once before, and not counted."""
        ours(), yardstick()
        pairs = []
        for number in range(self.rounds):
            if number % 2:
                theirs = yardstick()
                pairs.append((ours(), theirs))
            else:
                mine = ours()
                pairs.append((mine, yardstick()))
        return pairs

    # --- pages: against libmicrohttpd alone ---

    def page(self, row, service, path, headers=()):
        """A page or file of the service against the same bytes and fields from libmicrohttpd alone."""
        status, fields, body = stage.ask(service.url, path, headers)
        if status != 200:
            raise load.LoadFailed(f"{path}: {status}")
        with load.BareHttp(self.stage.folder, fields, body) as bare:
            self.check_equal((fields, body), stage.ask(bare.url, path, headers)[1:])
            pairs = self.pairs(lambda: load.fixed(service.url + path, self.seconds, headers)["rate"],
                               lambda: load.fixed(bare.url + path, self.seconds, headers)["rate"])
        self.add(figures.of_pairs(row, pairs, "/s", body_bytes=len(body), fields_count=len(fields)))

    @staticmethod
    def check_equal(ours, yardstick):
        """The yardstick must send what the service sends, and keep its connections."""
        sides = [(sorted((name.lower(), value) for name, value in fields if name.lower() != "date"), body)
                 for fields, body in (ours, yardstick)]
        if sides[0] != sides[1]:
            raise load.LoadFailed(f"the yardstick does not send the same: {sides[0][0]} and {sides[1][0]}")

    def page_rate(self, service, path, headers=()):
        """Requests a second of each round, of ours only."""
        load.fixed(service.url + path, WARM_UP_S, headers)
        return [load.fixed(service.url + path, self.seconds, headers)["rate"] for _ in range(self.rounds)]

    # --- what asks the database: against the statements alone ---

    def statements(self, row, service, schema, request, script):
        """`request` is a file with the key's mark, `script` what the work needs of the database, each with its count of keys."""
        counts = {"requests": 0, "questions": 0}
        script_path = self.stage.file(script)
        said = self.said(service, request, script)

        def ours():
            before = self.stage.questions_count()
            answer = self.varied(service.url, request)
            counts["questions"] += self.stage.questions_count() - before - 1
            counts["requests"] += answer["count"]
            return answer["rate"]

        def yardstick():
            return load.sql_loop(self.stage.database, schema, self.seconds, self.next_number, script_path)["rate"]

        pairs = self.pairs(ours, yardstick)
        self.add(figures.of_pairs(row, pairs, "/s", statements_each=counts["questions"] / counts["requests"],
                                  statements_of_the_loop=sum(bool(line) for line in script.splitlines()),
                                  **said))

    def said(self, service, request, script):
        """The statements of one request as the server's log has them, beside those of the loop. Connections and prepared
        statements are there before, what was asked for is in no cache."""
        request_path, keys = request
        text = request_path.read_bytes()

        def send(number):
            load.send_once(service.port, text.replace(load.KEY_MARK.encode(), b"%07d" % (number % keys)))

        for number in range(CONNECTING_COUNT):
            send(number)
        with self.stage.statements_log() as log:
            send(CONNECTING_COUNT)
        return {"service_says": log, "loop_says": statements.of_script(script)}
