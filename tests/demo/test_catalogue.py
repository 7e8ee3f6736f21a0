"""The catalogue holds together: every key that is used exists, and nothing stands there unused."""

from app.demo.catalogue import LABORATORY_GROUP, drugs, episodes, indices, programmes, report_texts, services
from app.demo.plan import _FOLLOW_UPS, _PREGNANCY_DAYS, _STORIES
from app.terminology.codes import read_codes


def service_wishes() -> list[tuple[str, str]]:
    wishes = [wish.partition("*")[0].partition(":") for one in episodes().values() for wish in one.services]
    return [(key, finding) for key, _, finding in wishes]


def test_every_drug_of_an_episode_is_in_the_pharmacy() -> None:
    ordered = {order.drug for one in episodes().values() for order in one.drugs}

    assert ordered <= drugs().keys()


def test_every_service_of_an_episode_is_offered() -> None:
    asked = {key for key, _ in service_wishes()} | {one.exam for one in episodes().values()}

    assert asked <= services().keys()


def test_every_report_has_its_text_and_no_laboratory_service_has_one() -> None:
    for key, finding in service_wishes():
        assert bool(finding) == (key in report_texts())
        assert not finding or finding in report_texts()[key]
        assert not (finding and services()[key].group == LABORATORY_GROUP)


def test_every_index_is_known_to_the_terminology() -> None:
    known = {entry.code for entry in read_codes("test-index")}

    assert indices().keys() <= known
    assert {key for one in services().values() for key in one.index_keys} == set(indices())


def test_findings_and_drifts_bend_indices_that_are_measured() -> None:
    measured = {key for one in services().values() for key in one.index_keys}

    assert {key for one in episodes().values() for key in one.findings} <= measured
    assert {key for one in programmes().values() for key in one.drift} <= measured


def test_every_planned_episode_exists() -> None:
    planned = {one.refill for one in programmes().values()} | {one.review for one in programmes().values()}
    planned |= set(_PREGNANCY_DAYS) | {key for key, _ in _FOLLOW_UPS.values()} | set(_FOLLOW_UPS)
    planned |= {key for story in _STORIES.values() for key in story.acute}

    assert planned <= episodes().keys()
    by_chance = {one.key for one in episodes().values() if one.weight}
    assert planned | by_chance == set(episodes())
    assert {key for story in _STORIES.values() for key in story.programmes} <= programmes().keys()


def test_codes_of_episodes_and_drugs_are_in_our_lists() -> None:
    diseases = {entry.code for entry in read_codes("icd10")}
    routes = {entry.code for entry in read_codes("route")}
    groups = {entry.code for entry in read_codes("cost-group")}

    assert {code for one in episodes().values() for code in (one.main, *one.others)} <= diseases
    assert {one.route for one in drugs().values()} <= routes
    assert {one.group for one in services().values()} <= groups


def test_no_two_drugs_or_services_share_a_code_of_their_own() -> None:
    registrations = [one.registration for one in drugs().values()]
    codes = [one.code for one in services().values()]

    assert len(set(registrations)) == len(registrations)
    assert len(set(codes)) == len(codes)
