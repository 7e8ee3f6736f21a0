"""Who may come in once the provider has spoken: levels, links and claims. Cases B79, B80 and threat T6."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.identity.signing_in import Scene
from tests.ingestion import messages


def rows(scene: Scene) -> tuple[int, int]:
    return scene.count("handoff"), scene.count("session")


def test_b79_level_1_signs_in_and_opens_no_book(scene: Scene) -> None:
    tokens = scene.sign_in("citizen:7")

    assert (tokens["identity_level"], tokens["scope"]) == (1, "offline_access")
    me = scene.ask("{ me { fullName } }", tokens["access_token"])
    assert me["data"]["me"]["fullName"] == scene.account("citizen:7").full_name
    book = scene.ask("{ healthBook { visits { nodes { id } } } }", tokens["access_token"])
    assert [error["extensions"]["code"] for error in book["errors"]] == ["REFUSED"]
    assert "mức độ 2" in book["errors"][0]["message"]


@pytest.mark.parametrize("said", [None, "", "0", "3", "LoA9", 1.5, True, ["2"], {"level": 2}])
def test_b79_a_level_that_is_not_on_the_list_is_level_1(scene: Scene, said: object) -> None:
    with scene.misbehaving(acr=said):
        assert scene.sign_in("citizen:8")["identity_level"] == 1


def test_b79_the_level_is_that_of_this_sign_in(scene: Scene) -> None:
    with scene.misbehaving(acr="1"):
        low = scene.sign_in("citizen:5")
    high = scene.sign_in("citizen:5")

    assert (low["identity_level"], high["identity_level"]) == (1, 2)
    assert "errors" in scene.ask("{ healthBook { version } }", low["access_token"])
    assert "errors" not in scene.ask("{ healthBook { version } }", high["access_token"])


def test_t6_b80_the_same_number_with_another_subject_is_refused(scene: Scene) -> None:
    scene.sign_in("citizen:1")
    before = rows(scene)
    with scene.misbehaving(sub="somebody-else"):
        page = scene.refused_page("citizen:1")

    assert "không khớp" in page
    assert rows(scene) == before
    assert scene.stand.as_owner("SELECT count(*) AS n FROM auth.account WHERE subject = 'somebody-else'")[0].n == 0


@pytest.mark.parametrize(
    "said",
    [
        {"preferred_username": "973066999999"},
        {"name": "Người Khác"},
        {"birthdate": "1950-01-01"},
        {"birthdate": "1966"},
    ],
)
def test_t6_a_subject_given_to_another_person_is_refused(scene: Scene, said: dict[str, object]) -> None:
    scene.sign_in("citizen:2")
    with scene.misbehaving(**said):
        assert "không khớp" in scene.refused_page("citizen:2")


def test_t6_email_and_phone_mean_nothing(scene: Scene) -> None:
    contact = {"email": "a@example.vn", "email_verified": True, "phone_number": "0400000001"}
    with scene.misbehaving(**contact):
        one, other = scene.sign_in("citizen:2"), scene.sign_in("citizen:3")

    query = "{ me { id } }"
    assert scene.ask(query, one["access_token"]) != scene.ask(query, other["access_token"])


def test_b80_a_name_that_differs_from_the_book_is_refused_and_nothing_is_linked(scene: Scene) -> None:
    account = scene.account("citizen:6")
    before = scene.count("account")
    with scene.misbehaving(sub="first", acr="2"):
        scene.sign_in("citizen:6")
    scene.stand.as_owner("DELETE FROM auth.renewal; ")
    scene.stand.as_owner("DELETE FROM auth.account WHERE subject = 'first'")
    with scene.misbehaving(name="Lê Văn Không"):
        assert account.full_name not in scene.refused_page("citizen:6")

    assert scene.count("account") == before
    assert scene.is_alive(scene.sign_in("citizen:6"))


def test_a_name_in_capitals_without_diacritics_is_the_same_name(scene: Scene) -> None:
    scene.sign_in("citizen:1")
    with scene.misbehaving(name="NGUYEN VAN HOÀ"):
        assert scene.is_alive(scene.sign_in("citizen:1"))


def test_a_newcomer_gets_a_book_of_their_own(scene: Scene) -> None:
    tokens = scene.sign_in("newcomer")

    answer = scene.ask(
        "{ me { fullName ... on Citizen { nationalId sex } } healthBook { version } }", tokens["access_token"]
    )
    account = scene.account("newcomer")
    assert answer["data"]["me"]["fullName"] == account.full_name
    assert answer["data"]["me"]["nationalId"] == account.personal_id
    assert answer["data"]["healthBook"]["version"] is not None


def test_who_signs_in_first_finds_later_what_the_hospital_sends(scene: Scene) -> None:
    visit = messages.VISIT
    said = {
        "preferred_username": visit["SO_CCCD"],
        "name": visit["HO_TEN"],
        "birthdate": str(visit["NGAY_SINH"])[:8],
        "sub": "early",
    }
    book = "{ healthBook { visits { nodes { facility { code } } } } }"
    with scene.misbehaving(**said):
        token = scene.sign_in("newcomer")["access_token"]
        assert scene.ask(book, token)["data"]["healthBook"]["visits"]["nodes"] == []
        assert scene.stand.file(messages.message(), token=scene.stand.facility()) == "filed"
        for known in (token, scene.sign_in("newcomer")["access_token"]):
            assert scene.ask(book, known)["data"]["healthBook"]["visits"]["nodes"] == [{"facility": {"code": "01901"}}]


def test_first_sign_ins_of_one_person_at_once_make_one_citizen(scene: Scene) -> None:
    number = "973199123456"
    said = {"preferred_username": number, "name": "Ngô Thị Mới", "birthdate": "1999", "sub": "many"}
    with scene.misbehaving(**said), ThreadPoolExecutor(10) as pool:
        done = list(pool.map(lambda _: scene.sign_in("newcomer")["identity_level"], range(20)))

    assert done == [2] * 20
    lookup = scene.stand.vault.index.of(number, kind="PERSONAL_ID")
    found = scene.stand.as_owner("SELECT citizen_id FROM auth.identifier WHERE lookup = :lookup", lookup=lookup)
    assert len(found) == 1
    assert scene.stand.as_owner("SELECT count(*) AS n FROM auth.account WHERE subject = 'many'")[0].n == 1


@pytest.mark.parametrize(
    ("account", "said", "sentence"),
    [
        ("organisation", {}, "chưa có số định danh"),
        ("newcomer", {"preferred_username": "C1234567"}, "chưa có số định danh"),
        ("newcomer", {"preferred_username": "９７３０６６１２３４５６"}, "chưa có số định danh"),
        ("newcomer", {"preferred_username": "973066123456\n"}, "chưa có số định danh"),
        ("newcomer", {"name": ""}, "Không xác thực được"),
        ("newcomer", {"name": ["A"]}, "Không xác thực được"),
        ("newcomer", {"birthdate": "31/02/1990"}, "Không xác thực được"),
        ("newcomer", {"birthdate": "yesterday"}, "Không xác thực được"),
    ],
)
def test_claims_that_name_no_person(scene: Scene, account: str, said: dict[str, object], sentence: str) -> None:
    with scene.misbehaving(**said):
        assert sentence in scene.refused_page(account)


def test_a_closed_citizen_and_a_closed_account_do_not_sign_in(scene: Scene) -> None:
    said = {"preferred_username": "973166123457", "name": "Trần Văn Cũ", "birthdate": "19660101", "sub": "closed"}
    with scene.misbehaving(**said):
        tokens = scene.sign_in("newcomer")
        for table, column in (("citizen", "full_name = 'Trần Văn Cũ'"), ("account", "subject = 'closed'")):
            scene.stand.as_owner(f"UPDATE auth.{table} SET closed_at = now() WHERE {column}")
            assert "không khớp" in scene.refused_page("newcomer")
            assert scene.renew(tokens["refresh_token"]).status_code == 400
            scene.stand.as_owner(f"UPDATE auth.{table} SET closed_at = NULL WHERE {column}")
        assert scene.is_alive(tokens)
