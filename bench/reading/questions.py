"""What is asked: pages of a phone, each request for another heavy citizen."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random

from bench.reading.book import Person
from bench.reading.servers import OURS, Server

VISITS, HOME, TREND, ME, WHOLE_BOOK = "Visits", "Home", "Trend", "Me", "WholeBook"
OPERATIONS = (VISITS, HOME, TREND)
REQUESTS = 4000
MOST_BOUND_A_SECOND = 4000
"""A proof is good once: as many requests are made as a run can send."""
UNCHANGED, WHOLE, DETAIL = 80, 15, 5
"""A phone's day: how many of a hundred requests are which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One line of the results. `every` per hundred: home screens that did not change, home screens, details."""

    name: str
    operation: str
    unchanged: int = 0
    details: int = 0
    everybody: bool = True  # the peers have no ETag: they are asked for the whole screen each time
    compared: str | None = None  # which question of the peers it is compared with, when they are not asked this one
    bound: bool = False  # each request proves its key (DPoP), which the peers do not have either
    reader: str = "owner"  # or who else: each view of theirs writes a line of the visitors' book, flushed before it

    def requests(
        self, server: Server, people: Sequence[Person], etags: dict[str, str], *, seconds: float = 0
    ) -> list[bytes]:
        """Return the requests in the order in which they are sent."""
        chance = Random(1)
        made = []
        if self.bound:
            return self.proved(server, people, seconds=seconds)
        for person in islice(cycle(people), max(REQUESTS, len(people))):
            turn = chance.randrange(100)
            if turn < self.unchanged and server.name == OURS:
                made.append(server.request(self.operation, person, known=etags[person.token]))
            elif turn >= 100 - self.details:
                made.append(server.request(VISITS, person))
            else:
                made.append(server.request(self.operation, person))
        return made

    def proved(self, server: Server, people: Sequence[Person], *, seconds: float) -> list[bytes]:
        """Return requests of bound sessions, each with a proof of its own, for one run from now on."""
        wanted = int(MOST_BOUND_A_SECOND * (seconds + 1))
        return [server.request(self.operation, person) for person in islice(cycle(people), wanted)]

    def allowed(self, statuses: dict[str, int], server: Server) -> bool:
        """Tell whether these answers are what was asked for."""
        total = sum(statuses.values())
        unchanged = statuses.get("304", 0) / total * 100 if server.name == OURS else 0
        wanted = self.unchanged if server.name == OURS else 0
        return statuses.keys() <= {"200", "304"} and abs(unchanged - wanted) <= 5 + 150 / total**0.5


QUESTIONS = (
    Question(name="visits page", operation=VISITS),
    Question(name="home screen", operation=HOME),
    Question(name="50-point trend", operation=TREND),
    Question(name="home screen, unchanged (304)", operation=HOME, unchanged=100, everybody=False),
    Question(name="a phone's day", operation=HOME, unchanged=UNCHANGED, details=DETAIL),
)


BOUND_QUESTIONS = (
    Question(name="me", operation=ME, everybody=False, compared="me"),
    Question(name="me, DPoP", operation=ME, everybody=False, compared="me", bound=True),
    Question(name="visits page, DPoP", operation=VISITS, everybody=False, compared="visits page", bound=True),
    Question(name="home screen, DPoP", operation=HOME, everybody=False, compared="home screen", bound=True),
    Question(name="50-point trend, DPoP", operation=TREND, everybody=False, compared="50-point trend", bound=True),
)
"""Asked of ours alone."""

PARENT, PRACTITIONER = "parent", "practitioner"
OTHERS_QUESTIONS = tuple(
    Question(name=f"{question.name}, {reader}", operation=question.operation, everybody=False,
             compared=question.name, reader=reader)
    for reader in (PARENT, PRACTITIONER)
    for question in QUESTIONS[:3]
)  # fmt: skip
"""What a parent reads in a child's book (one statement), and a practitioner by a grant (announced, then read)."""

UNDISTURBED = Question(name="home screen, nobody else", operation=HOME, everybody=False)
DISTURBED = Question(name="home screen, beside an attacker", operation=HOME, everybody=False)
WORST = Question(name="whole book", operation=WHOLE_BOOK, everybody=False)


def etags_of(server: Server, people: Sequence[Person]) -> dict[str, str]:
    """Return what ours answered as ETag of each citizen's home screen."""
    return {person.token: server.ask(HOME, person).headers["etag"] for person in people}
