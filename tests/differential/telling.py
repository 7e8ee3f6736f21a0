"""What facilities tell of the five citizens apart from their visits."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from app.core.ids import new_id
from app.records.clinical import (
    AllergyCategory,
    AllergyKind,
    AllergyState,
    Certainty,
    CodingArrival,
    ConditionState,
    Criticality,
    MomentPrecision,
    ReactionArrival,
    ReactionSeverity,
    VaccinationStatus,
)
from tests.attacks import tries
from tests.clinics import ALLERGY, CVX, DISEASE, DOSE, ICD10, SNOMED, STUDY, Clinic
from tests.conftest import Ground
from tests.people import Stand, now

BASE = datetime(2026, 1, 31, 16, 59, 59, 999_999, tzinfo=UTC)
CODES = ("05", "102", "19", "999", "150", "08", "90", "33", "133", "62", "187", "208", "04", "03")

IMAGES = "https://pacs.test/dicom-web"


def coding(code: str, system: str | None = CVX) -> CodingArrival:
    """Return a code."""
    return CodingArrival(system=system, code=code, display=None)


CONCEPTS = ((coding("I10", ICD10),), (coding("38341003", SNOMED),), (), (coding("J02.9", ICD10),))


def clinic_of(stand: Stand, citizen_id: UUID, code: str) -> Clinic:
    """Return a facility that tells of the citizen."""
    known = stand.as_owner("SELECT message_id FROM auth.filing WHERE citizen_id = :id LIMIT 1", id=citizen_id)
    return Clinic(stand, citizen_id, known[0].message_id, code)


def tell(ground: Ground, stand: Stand, citizen_id: UUID, *, texts: Sequence[str]) -> None:
    """File something in every section, by two facilities, with every text in turn."""
    clinics = [clinic_of(stand, citizen_id, code) for code in ("01901", "01077")]
    for place, code in enumerate(CODES):
        text = texts[place % len(texts)]
        at = BASE + timedelta(days=3 * (place // 2), microseconds=place)
        reaction = ReactionArrival(description=text, reacted_at=[None, at][place % 2], severity=ReactionSeverity.SEVERE)
        dose = replace(
            DOSE,
            source_id=f"dose {place}",
            vaccine=(coding(code),),
            vaccine_name=text,
            injected_at=at,
            injected_precision=[*MomentPrecision][place % 4],
            reactions=(reaction,) * (place % 3),
            amount=Decimal("0.50"),
            note=text,
            status=VaccinationStatus.NOT_GIVEN if place == 3 else VaccinationStatus.GIVEN,
        )
        clinics[0].tells(dose)
        later = at + timedelta(hours=1)
        clinics[1].tells(replace(dose, source_id=f"other {place}", lot_number=None, injected_at=later))
        study = replace(STUDY, source_id=f"study {place}", started_at=at, report=text)
        study = replace(study, conclusion=[text, None][place % 2], dicomweb_url=[None, IMAGES][place // 2 % 2])
        clinics[place % 2].tells(study)
        clinics[place % 2].tells(
            replace(
                DISEASE,
                source_id=f"disease {place}",
                coding=CONCEPTS[place % 4],
                name=text,
                state=[None, *ConditionState][place % 7],
                certainty=[*Certainty, None][place % 6],
                recorded_at=at,
            )
        )
        clinics[place % 2].tells(
            replace(
                ALLERGY,
                source_id=f"allergy {place}",
                is_none_known=place % 5 == 4,
                substance=text,
                kind=[None, *AllergyKind][place % 3],
                categories=tuple([*AllergyCategory][place % 4 : place % 4 + place % 3]),
                criticality=[None, *Criticality][place % 4],
                state=[None, *AllergyState][place % 4],
                certainty=[*Certainty, None][place % 6],
                reactions=(reaction,) * (place % 3),
                recorded_at=at,
            )
        )
    tries.run(report, ground, stand, citizen_id)


async def report(ground: Ground, stand: Stand, citizen_id: UUID) -> None:
    """Let the citizen report a reaction to every dose of the second facility."""
    async with tries.as_superuser(ground, stand.settings) as superuser:
        known = await superuser.fetch("SELECT id, dose_id FROM book.vaccination WHERE citizen_id = $1", citizen_id)
        for row in known:
            await superuser.execute(
                "INSERT INTO book.reported_reaction VALUES "
                "($1, $2, $3, $4, '2026-02-01', '{}', 'Sưng đau', NULL, 'MILD', $1, now())",
                *(citizen_id, new_id(now=now()), row["id"], row["dose_id"]),
            )
