"""Which visits a citizen has in a year, where, and how many days ago.

Visits are numbered before any is dropped for not having ended, so that a visit keeps its number, and thereby
its id, on another day of loading.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from app.demo.catalogue import Episode, Programme, episodes, programmes
from app.demo.drawing import Draws, draw
from app.demo.people import FACILITIES, Citizen, Facility, facility_of
from app.records.arrivals import Sex

YEAR_DAYS = 364

_FOLLOW_UPS: Mapping[str, tuple[str, int]] = {
    "pneumonia": ("pneumonia_control", 14),
    "wrist_fracture": ("wrist_control", 28),
}
_PREGNANCY_DAYS: Mapping[str, int] = {
    "pregnancy_9": 63,
    "pregnancy_13": 88,
    "pregnancy_22": 154,
    "pregnancy_26": 182,
    "pregnancy_32": 224,
    "pregnancy_38": 266,
    "delivery": 276,
    "after_birth": 318,
}
_PREGNANT_AGES, _PREGNANT_PERCENT = (20, 39), 14
_MOST_PROGRAMMES = 2
_MONTH_DAYS = 28
_ADULT_AGE = 16
_VISITS_OF_ADULTS, _VISITS_OF_CHILDREN = (7, 12), (6, 10)
_RARE_WEIGHT = 3  # up to this weight an episode comes once a year
_TRIES = 60
_REST_DAYS = 2
_STAYS_HOME = 0.85
_LEAST_AGO, _MOST_AGO = 3, 352


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedVisit:
    """One visit to come about."""

    number: int
    episode: Episode
    facility: Facility
    days_ago: int  # of the day of arrival


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A citizen's year; `drift` holds index: (value a year ago, value now)."""

    visits: tuple[PlannedVisit, ...]
    drift: Mapping[str, tuple[Decimal, Decimal]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Story:
    programmes: tuple[str, ...]
    acute: tuple[str, ...]
    is_pregnant: bool = False


_STORIES: Mapping[int, _Story] = {
    1: _Story(programmes=("diabetes",), acute=("pneumonia", "gastritis", "health_check", "dry_eye")),
    2: _Story(programmes=("thyroid", "mood"), acute=("dengue_in", "ulcer_hp", "breast", "health_check")),
    3: _Story(programmes=(), acute=("rhinitis", "cold", "low_back"), is_pregnant=True),
    4: _Story(
        programmes=(),
        acute=(
            "child_cold", "child_bronchitis", "child_pneumonia", "hfmd",
            "otitis", "child_check", "child_fever", "child_worms",
        ),
    ),
}  # fmt: skip


def year_plan(citizen: Citizen, *, age: int, seed: int) -> Plan:
    """Return the visits of a year, oldest first."""
    rng = draw(seed, citizen.number, "plan")
    story = _STORIES.get(citizen.number) or _story(rng, citizen, age)
    stays = [programmes()[key] for key in story.programmes]
    wanted: list[tuple[int, Episode]] = []
    for programme in stays:
        wanted.extend(_programme_visits(rng, programme))
    if story.is_pregnant:
        began = max(_PREGNANCY_DAYS.values()) + rng.randint(8, 30)
        wanted.extend((began - day, episodes()[key]) for key, day in _PREGNANCY_DAYS.items())
    for key in story.acute:
        wanted.extend(_acute_visits(rng, key))
    ordered = sorted(_spread(wanted), key=lambda visit: -visit[0])
    return Plan(
        visits=tuple(
            PlannedVisit(
                number=number,
                episode=episode,
                facility=_facility(rng, citizen, episode, number),
                days_ago=days_ago,
            )
            for number, (days_ago, episode) in enumerate(ordered, start=1)
        ),
        drift={index: values for programme in stays for index, values in programme.drift.items()},
    )


def _story(rng: Draws, citizen: Citizen, age: int) -> _Story:
    fitting = [
        programme
        for programme in programmes().values()
        if programme.ages[0] <= age <= programme.ages[1]
        and episodes()[programme.review].suits(age=age, sex=citizen.sex)
        and rng.randrange(100) < programme.share_percent
    ]
    monthly = [programme for programme in fitting if programme.every_days <= _MONTH_DAYS][:1]
    seldom = [programme for programme in fitting if programme.every_days > _MONTH_DAYS]
    chosen = [*monthly, *seldom][:_MOST_PROGRAMMES]
    is_pregnant = (
        citizen.sex is Sex.FEMALE
        and _PREGNANT_AGES[0] <= age <= _PREGNANT_AGES[1]
        and rng.randrange(100) < _PREGNANT_PERCENT
    )
    least, most = _VISITS_OF_ADULTS if age >= _ADULT_AGE else _VISITS_OF_CHILDREN
    planned = sum(YEAR_DAYS // programme.every_days for programme in chosen) + len(_PREGNANCY_DAYS) * is_pregnant
    count = max(1, rng.randint(least, most) - planned)
    return _Story(
        programmes=tuple(programme.key for programme in chosen),
        acute=_acute_keys(rng, citizen, age, count),
        is_pregnant=is_pregnant,
    )


def _acute_keys(rng: Draws, citizen: Citizen, age: int, count: int) -> tuple[str, ...]:
    pool = [episode for episode in episodes().values() if episode.weight and episode.suits(age=age, sex=citizen.sex)]
    weights = [episode.weight for episode in pool]
    keys: list[str] = []
    for _ in range(_TRIES):
        if len(keys) == count:
            break
        episode = rng.choices(pool, weights)[0]
        if keys.count(episode.key) < (1 if episode.weight <= _RARE_WEIGHT or episode.nights else 2):
            keys.append(episode.key)
    return tuple(keys)


def _programme_visits(rng: Draws, programme: Programme) -> Iterator[tuple[int, Episode]]:
    first = rng.randint(_LEAST_AGO, min(programme.every_days, 40))
    for turn, days_ago in enumerate(range(first, YEAR_DAYS, programme.every_days)):
        key = programme.review if turn % programme.review_every == 0 else programme.refill
        yield days_ago, episodes()[key]


def _acute_visits(rng: Draws, key: str) -> Iterator[tuple[int, Episode]]:
    days_ago = rng.randint(_LEAST_AGO, _MOST_AGO)
    follow_up, later = _FOLLOW_UPS.get(key, (None, 0))
    if follow_up is not None:
        days_ago = max(days_ago, _LEAST_AGO + later + episodes()[key].nights)
        yield days_ago - later - episodes()[key].nights, episodes()[follow_up]
    yield days_ago, episodes()[key]


def _spread(wanted: list[tuple[int, Episode]]) -> Iterator[tuple[int, Episode]]:
    """Move visits apart: nobody goes to two facilities on one day, or to one while in a bed at another."""
    taken: set[int] = set()
    for days_ago, episode in wanted:
        ago = max(days_ago, _LEAST_AGO + episode.nights)
        while not taken.isdisjoint(range(ago - episode.nights, ago + 1)):
            ago += 1
        taken.update(range(ago - episode.nights - _REST_DAYS, ago + _REST_DAYS + 1))
        yield ago, episode


def _facility(rng: Draws, citizen: Citizen, episode: Episode, number: int) -> Facility:
    home = facility_of(citizen.home_facility_code)
    hospitals = [facility for facility in FACILITIES if facility.level != "PRIMARY"]
    others = [facility for facility in hospitals if facility is not home]
    elsewhere = others[number % len(others)]
    stays = rng.random() < _STAYS_HOME or episode.is_emergency or episode.key in _PREGNANCY_DAYS
    is_beyond_home = home.level == "PRIMARY" and episode.where == "hospital"
    return elsewhere if is_beyond_home or not stays else home
