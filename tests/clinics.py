"""What facilities tell apart from visits, filed as the worker files it, for tests."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from app.core.db import Login, Session
from app.core.ids import new_id
from app.ingestion import sql as intake
from app.records import filing
from app.records.clinical import (
    AllergyArrival,
    ClinicalArrival,
    CodingArrival,
    ConditionArrival,
    ImagingArrival,
    MomentPrecision,
    VaccinationArrival,
    VaccinationProgramme,
    VaccinationStatus,
)
from tests.people import Stand, now

CVX = "http://hl7.org/fhir/sid/cvx"
SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10"

DOSE = VaccinationArrival(
    source_id="dose-1",
    visit_source_id=None,
    status=VaccinationStatus.GIVEN,
    status_reason=None,
    vaccine=(CodingArrival(system=CVX, code="05", display="measles"),),
    vaccine_name="MVVAC",
    targets=(),
    injected_at=datetime(2026, 3, 5, 2, 15, tzinfo=UTC),
    injected_precision=MomentPrecision.MINUTE,
    dose_number=1,
    dose_text=None,
    series_doses=2,
    lot_number="MV-0126",
    manufacturer="POLYVAC",
    expires_on=None,
    site="Bắp tay trái",
    route="Tiêm dưới da",
    amount=None,
    amount_unit=None,
    programme=VaccinationProgramme.EXPANDED,
    observed_until=datetime(2026, 3, 5, 2, 45, tzinfo=UTC),
    observation="Ổn định sau 30 phút",
    reactions=(),
    performer_name="Y sĩ Lê Thị Mận",
    performer_certificate=None,
    is_primary_source=True,
    given_at=None,
    note=None,
)
STUDY = ImagingArrival(
    source_id="study-1",
    visit_source_id=None,
    study_uid="1.2.840.113619.2.1",
    accession_number="A-77",
    modalities=("DX",),
    procedure_code="18.0119.0028",
    procedure_name="X-quang ngực thẳng",
    body_site="Ngực",
    laterality=None,
    started_at=datetime(2026, 5, 1, 3, tzinfo=UTC),
    series_count=1,
    instance_count=2,
    referrer_name=None,
    reader_name="BS. Hồ Văn Đọc",
    reader_certificate="001234/BYT-CCHN",
    reported_at=datetime(2026, 5, 1, 4, tzinfo=UTC),
    report="Hai phổi sáng.",
    conclusion="Không thấy bất thường.",
    dicomweb_url=None,
    note=None,
)
DISEASE = ConditionArrival(
    source_id="condition-1",
    visit_source_id=None,
    coding=(CodingArrival(system=ICD10, code="I10", display=None),),
    name="Tăng huyết áp",
    state=None,
    certainty=None,
    severity=None,
    onset_at=None,
    onset_precision=None,
    onset_text=None,
    abated_at=None,
    recorded_at=datetime(2026, 6, 1, 3, tzinfo=UTC),
    recorder_name=None,
    note=None,
)
ALLERGY = AllergyArrival(
    source_id="allergy-1",
    visit_source_id=None,
    is_none_known=False,
    coding=(CodingArrival(system=SNOMED, code="764146007", display="Penicillin"),),
    substance="Penicilin",
    kind=None,
    categories=(),
    criticality=None,
    state=None,
    certainty=None,
    reactions=(),
    onset_at=None,
    onset_precision=None,
    last_reacted_at=None,
    recorded_at=datetime(2026, 7, 1, 3, tzinfo=UTC),
    recorder_name=None,
    note=None,
)


@dataclass(slots=True)
class Clinic:
    """One facility that tells of one citizen; `message_id` is a message about that citizen, whoever sent it."""

    stand: Stand
    citizen_id: UUID
    message_id: UUID
    code: str
    made: str = "20261120"
    received_at: datetime = field(default_factory=now)

    def tells(self, *arrivals: ClinicalArrival, made: str | None = None) -> list[str]:
        """File what the facility tells and return what became of each."""
        source = self._source(made)

        async def step(session: Session) -> list[str]:
            await intake.open_filing(session, message_id=self.message_id)
            filed = await filing.file_clinical(
                session, citizen_id=self.citizen_id, arrivals=arrivals, source=source, new_id=partial(new_id, now=now())
            )
            return [one.change for one in filed]

        return self.stand.run(Login.WORKER, step)

    def withdraws(self, *, kind: str, key: str, made: str | None = None) -> list[tuple[str, str, str]]:
        """Withdraw and return kind, key and change of what was shown."""
        source = self._source(made)
        withdrawal = filing.Withdrawal(visit_source_id=key, kind=kind, key=key, reason="Gửi nhầm người")

        async def step(session: Session) -> list[tuple[str, str, str]]:
            await intake.open_filing(session, message_id=self.message_id)
            gone = await filing.withdraw(
                session,
                citizen_id=self.citizen_id,
                withdrawal=withdrawal,
                source=source,
                new_id=partial(new_id, now=now()),
            )
            return [(one.kind, one.key, one.change) for one in gone]

        return self.stand.run(Login.WORKER, step)

    def _source(self, made: str | None) -> filing.Source:
        self.received_at += timedelta(seconds=1)
        return filing.Source(
            message_id=self.message_id,
            facility_code=self.code,
            source_version=made or self.made,
            standard_version="FHIR R4",
            made=made or self.made,
            received_at=self.received_at,
        )
