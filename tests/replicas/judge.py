# SPDX-License-Identifier: MIT
"""What must be true at the end, whatever happened: each function returns the faults it found, as sentences."""
import itertools
from collections import Counter

from viewers import HomeView


def of_rank(line, shown, least):
    """Where in a note's history a shown state is: the first place from `least` on; None when there is none."""
    for rank in range(least, len(line)):
        state = line[rank]
        if state.is_gone == shown.is_gone and (shown.is_gone or state.revision == shown.revision):
            return rank
    return None


def is_page_ahead(shown, line):
    """A page with the note of its revision and the comments of a later one, while the note lived."""
    there = list(itertools.takewhile(lambda state: not state.is_gone, line))
    return (shown.is_page and not shown.is_gone and (shown.title, shown.body) == (there[0].title, there[0].body)
            and any(shown.has_comments_of(state) for state in there))


def of_note_chain(history, who, key, chain):
    line = history.timeline(key)
    rank = 0
    for shown in chain:
        found = of_rank(line, shown, rank)
        what = "gone" if shown.is_gone else shown.revision
        if found is None:
            known = of_rank(line, shown, 0)
            return [f"{who} ({key}) showed {what}, " + ("which was never committed" if known is None else
                    f"older (place {known}) than what it had shown (place {rank})")]
        rank = found
        fault = shown.fault_against(line[rank])
        if fault and not is_page_ahead(shown, line[rank:]):
            return [f"{who} ({key}) at {what}: {fault}"]
    return []


def of_home_chain(history, who, chain):
    places = {revision: place for place, (revision, _) in enumerate(history.homes)}
    last = 0
    for is_page, revision, titles in chain:
        if revision not in places:
            return [f"{who} showed the list of {revision}, which was never committed"]
        if places[revision] < last:
            return [f"{who} showed an older list ({revision}) after a newer one"]
        last = places[revision]
        later = [list_then for _, list_then in history.homes[last:]]
        if titles != later[0] and not (is_page and titles in later):
            return [f"{who} showed at {revision} {titles}, it was {history.homes[last][1]}"]
    return []


def of_viewer(history, viewer):
    view = viewer.view
    faults = [f"{viewer.name}: {viewer.fault}"] if viewer.fault else []
    faults += [f"{viewer.name}: {one} arrived twice" for one in view.twice]
    for chain in view.chains:
        if isinstance(view, HomeView):
            faults += of_home_chain(history, viewer.name, chain)
        else:
            faults += of_note_chain(history, viewer.name, view.key, chain)
    return faults


def behind(history, viewer):
    """What keeps a viewer from showing what the database holds now; None when nothing does."""
    view = viewer.view
    if not viewer.is_joined:
        return f"{viewer.name} is not connected"
    if isinstance(view, HomeView):
        if (view.revision, view.titles) == history.homes[-1]:
            return None
        return f"{viewer.name} shows the list of {view.revision}, it is at {history.homes[-1][0]}"
    state = history.timeline(view.key)[-1]
    shown = view.now
    if shown.is_gone != state.is_gone or shown.revision != state.revision:
        return (f"{viewer.name} ({view.key}) shows {'gone' if shown.is_gone else shown.revision}, "
                f"it is {'gone' if state.is_gone else state.revision}")
    return shown.fault_against(state)


def of_counts(what, outcomes, counts):
    """done: exactly once; refused: never; unknown: once at most."""
    allowed = {"done": (1,), "refused": (0,), "unknown": (0, 1)}
    return [f"{what} {token} was {outcome} and is there {counts[token]} times"
            for token, outcome in outcomes.items() if counts[token] not in allowed[outcome]]


def of_ledger(history, ledger):
    comments = Counter(message for _, _, _, message, _ in history.made_comments)
    unmade = Counter(history.unmade_comments)
    faults = list(ledger.faults)
    faults += of_counts("comment", ledger.comments, comments)
    faults += of_counts("text", ledger.texts, Counter(history.bodies.values()))
    faults += of_counts("deletion of comment", {number: outcome for number, outcome in ledger.unmade.items()
                                                if outcome != "refused"}, unmade)
    made = {number: (key, message, revision) for key, number, _, message, revision in history.made_comments}
    for answer, key in ledger.answers:
        if made.get(int(answer["id"])) != (key, answer["message"], answer["revision"]):
            faults.append(f"answered {answer}, the database had {made.get(int(answer['id']))}")
    for key, revision, shown in ledger.reads:
        line = history.timeline(key)
        written = next((rank for rank, state in enumerate(line) if state.revision == revision), None)
        if written is None or of_rank(line, shown, written) is None:
            faults.append(f"{key}: {revision} was written, and then a page showed "
                          f"{'nothing' if shown.is_gone else shown.revision}")
    return faults


def of_destroys(history, ledgers, keys):
    faults = []
    for key in keys:
        line = history.timeline(key)
        ends = sum(1 for before, after in zip(line, line[1:]) if after.is_gone and not before.is_gone)
        outcomes = Counter(outcome for ledger in ledgers for name, outcome in ledger.destroys if name == key)
        if not outcomes["done"] <= ends <= outcomes["done"] + outcomes["unknown"]:
            faults.append(f"{key} was destroyed {ends} times, {dict(outcomes)} answered")
    return faults
