"""Enumerations of the health book as they are shown."""

from enum import Enum

import strawberry


@strawberry.enum(description="The place of a diagnosis in a visit.")
class DiagnosisRole(Enum):
    """Role of a diagnosis."""

    MAIN = strawberry.enum_value("MAIN", description="The main disease; exactly one a visit.")
    ACCOMPANYING = strawberry.enum_value("ACCOMPANYING", description="A disease beside the main one.")
    TRADITIONAL = strawberry.enum_value("TRADITIONAL", description="A diagnosis of traditional medicine.")


@strawberry.enum(description="Kind of a test.")
class TestCategory(Enum):
    """Category of a test report."""

    LABORATORY = strawberry.enum_value("LABORATORY", description="Laboratory.")
    IMAGING = strawberry.enum_value("IMAGING", description="X-ray, ultrasound, CT, MRI and the like.")
    FUNCTIONAL = strawberry.enum_value("FUNCTIONAL", description="Functional test, for example an electrocardiogram.")
    OTHER = strawberry.enum_value("OTHER", description="Anything else.")


@strawberry.enum(description="Kind of a paper.")
class DocumentKind(Enum):
    """Kind of a document."""

    DISCHARGE = strawberry.enum_value("DISCHARGE", description="Discharge paper (XML7).")
    RECORD_SUMMARY = strawberry.enum_value("RECORD_SUMMARY", description="Summary of the medical record (XML8).")
    REFERRAL = strawberry.enum_value("REFERRAL", description="Referral to another facility (XML13).")
    REEXAMINATION = strawberry.enum_value("REEXAMINATION", description="Appointment for a re-examination (XML14).")
    PROGRESS = strawberry.enum_value("PROGRESS", description="Notes of the course of treatment (XML5).")
    ATTACHMENT = strawberry.enum_value("ATTACHMENT", description="A paper of any other kind (FHIR DocumentReference).")


@strawberry.enum(description="What a facility took back.")
class WithdrawnKind(Enum):
    """Kind of a withdrawn record."""

    VISIT = strawberry.enum_value("VISIT", description="A visit with everything that belonged to it.")
    PRESCRIPTION = strawberry.enum_value("PRESCRIPTION", description="One prescription.")
    TEST_REPORT = strawberry.enum_value("TEST_REPORT", description="One test report.")
    DOCUMENT = strawberry.enum_value("DOCUMENT", description="One paper.")
    VACCINATION = strawberry.enum_value("VACCINATION", description="One facility's record of a dose.")
    IMAGING = strawberry.enum_value("IMAGING", description="One imaging study.")
    CONDITION = strawberry.enum_value("CONDITION", description="One statement of a condition.")
    ALLERGY = strawberry.enum_value("ALLERGY", description="One allergy, or the statement that none is known.")
