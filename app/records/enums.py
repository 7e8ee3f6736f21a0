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
