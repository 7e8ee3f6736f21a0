"""Where imaging studies rest, for the compiler."""

from datetime import datetime
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, DateTime, Select, Text, case, column, exists, func, literal, null, select

from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.rows import RowRef
from app.facilities.mapping import Facility, FacilityLevel
from app.facilities.tables import FacilityRow
from app.records.clinical_enums import ImagingReuse
from app.records.provenance import Provenance, visit_of
from app.records.tables import ImagingStudyRow
from app.sharing.enums import SensitiveClass
from app.sharing.mapping import CLASSES, MASKED, tells_classes, tells_masked


def _level_of(study: RowRef) -> ColumnElement[Any]:
    facility = FacilityRow.__table__.alias()
    return select(facility.c.level).where(facility.c.code == study.facility_code).scalar_subquery()


def _link(study: RowRef, _inputs: Inputs) -> Select[Any]:
    told = func.directory.image_link(study.facility_code, study.study_uid, study.dicomweb_url)
    link = told.table_valued(column("url", Text()), column("expires_at", DateTime(timezone=True)), name="link")
    return select(link.c.url, link.c.expires_at)


@strawberry.type(description="A short-lived link to the images of a study, at the facility that keeps them.")
class ImageLink:
    """A signed link."""

    url: str = rests.column(
        "url", description="DICOMweb address of the study, signed. Open it as it is; never keep or share it."
    )
    expires_at: datetime = rests.column(
        "expires_at",
        description="When it ends, 10 to 15 minutes after it was made. Then ask again.",
    )


@strawberry.type(description="An imaging study, as a reference: the images stay at the facility.")
class ImagingStudy:
    """A study."""

    id: strawberry.ID = rests.column(ImagingStudyRow.id, description="Opaque id.")
    visit_id: strawberry.ID | None = rests.expression(
        visit_of, description="The visit it belongs to; null where none is known, or visits are out of scope."
    )
    facility: Facility = rests.one(
        FacilityRow, on=lambda s, f, _inputs: f.code == s.facility_code, description="Where it was made."
    )
    study_uid: str | None = rests.column(ImagingStudyRow.study_uid, description="DICOM Study Instance UID.")
    accession_number: str | None = rests.column(
        ImagingStudyRow.accession_number, description="Number of the order at the facility."
    )
    modalities: list[str] = rests.column(
        ImagingStudyRow.modalities, description="Modalities as DICOM writes them, for example CT, MR, DX, US."
    )
    procedure_code: str | None = rests.column(ImagingStudyRow.procedure_code, description="Service code as sent.")
    procedure_name: str | None = rests.column(ImagingStudyRow.procedure_name, description="Service name as sent.")
    body_site: str | None = rests.column(ImagingStudyRow.body_site, description="Part of the body, as sent.")
    laterality: str | None = rests.column(ImagingStudyRow.laterality, description="Side, as sent.")
    started_at: datetime = rests.column(ImagingStudyRow.started_at, description="When it was made.")
    series_count: int | None = rests.column(ImagingStudyRow.series_count, description="How many series.")
    instance_count: int | None = rests.column(ImagingStudyRow.instance_count, description="How many images.")
    referrer_name: str | None = rests.column(ImagingStudyRow.referrer_name, description="Who ordered it.")
    reader_name: str | None = rests.column(ImagingStudyRow.reader_name, description="Who read it.")
    reader_certificate: str | None = rests.column(
        ImagingStudyRow.reader_certificate, description="Practising certificate of the reader."
    )
    reported_at: datetime | None = rests.column(ImagingStudyRow.reported_at, description="When the report was issued.")
    report: str | None = rests.column(ImagingStudyRow.report, description="What the reader saw, as written.")
    conclusion: str | None = rests.column(ImagingStudyRow.conclusion, description="The reader's conclusion.")
    reuse: ImagingReuse = rests.expression(
        lambda row, inputs: case(
            (row.conclusion.is_(None), literal("REPEAT")),
            (exists(_link(row, inputs)), literal("REUSE")),
            else_=literal("REUSE_WITH_CARE"),
        ),
        description="Whether it may stand in for a new study at any level of care (draft rules of 2026: conclusion and "
        "images, whole). How old it may be depends on the disease: the doctor decides.",
    )
    recognised_up_to: FacilityLevel | None = rests.expression(
        lambda row, inputs: case(
            (row.conclusion.is_(None), null()),
            (exists(_link(row, inputs)), literal("CENTRAL")),
            else_=_level_of(row),
        ),
        description="The highest level of care at which it may stand in for a new study as it is: any, where "
        "conclusion and images are at hand; its own facility's level, and those below, with the conclusion alone; "
        "null with neither.",
    )
    images: ImageLink | None = rests.one(
        _link, description="Link to the images; null where the facility serves none, or they are not there."
    )
    note: str | None = rests.column(ImagingStudyRow.note, description="Note, as written.")
    provenance: Provenance = rests.embedded(description="Where this record comes from.")
    is_masked: bool | None = rests.expression(tells_masked, description=MASKED)
    sensitive_classes: list[SensitiveClass] | None = rests.expression(tells_classes, description=CLASSES)
