"""Enumerations of vaccinations, imaging, conditions and allergies as they are shown, in the words of `clinical`."""

from enum import Enum

import strawberry


@strawberry.enum(description="How much of a moment is known.")
class MomentPrecision(Enum):
    """Precision of a moment."""

    YEAR = strawberry.enum_value("YEAR", description="The year alone.")
    MONTH = strawberry.enum_value("MONTH", description="Year and month.")
    DAY = strawberry.enum_value("DAY", description="The day, not the time.")
    MINUTE = strawberry.enum_value("MINUTE", description="The time of day too.")


@strawberry.enum(description="Whether a dose was given.")
class VaccinationStatus(Enum):
    """Status of a dose."""

    GIVEN = strawberry.enum_value("GIVEN", description="The dose was given.")
    NOT_GIVEN = strawberry.enum_value("NOT_GIVEN", description="It was not: refused, or the screening said no.")


@strawberry.enum(description="Under which programme a dose was given.")
class VaccinationProgramme(Enum):
    """Programme of a dose."""

    EXPANDED = strawberry.enum_value("EXPANDED", description="Expanded programme on immunisation (tiêm chủng mở rộng).")
    OUTBREAK = strawberry.enum_value("OUTBREAK", description="Against an outbreak (chống dịch).")
    SERVICE = strawberry.enum_value("SERVICE", description="Paid for by the family (tiêm dịch vụ).")


@strawberry.enum(description="How bad a reaction was.")
class ReactionSeverity(Enum):
    """Severity of a reaction."""

    MILD = strawberry.enum_value("MILD", description="Mild.")
    MODERATE = strawberry.enum_value("MODERATE", description="Moderate.")
    SEVERE = strawberry.enum_value("SEVERE", description="Severe: it needed urgent care.")


@strawberry.enum(description="Who tells of a reaction.")
class ReactionTeller(Enum):
    """Teller of a reaction."""

    FACILITY = strawberry.enum_value("FACILITY", description="A facility.")
    CITIZEN = strawberry.enum_value("CITIZEN", description="The citizen, or who cares for them.")


@strawberry.enum(description="Where a dose of the national schedule stands today.")
class DueState(Enum):
    """State of a scheduled dose."""

    DONE = strawberry.enum_value("DONE", description="It was given.")
    UPCOMING = strawberry.enum_value("UPCOMING", description="It is not time yet.")
    DUE = strawberry.enum_value("DUE", description="It is time.")
    LATE = strawberry.enum_value("LATE", description="It should have been given: make an appointment.")
    CLOSED = strawberry.enum_value("CLOSED", description="It was not given, and is no longer given at this age.")


@strawberry.enum(description="Whether an earlier imaging study may stand in for a new one.")
class ImagingReuse(Enum):
    """Reuse of an imaging study."""

    REUSE = strawberry.enum_value("REUSE", description="Conclusion and images are both at hand.")
    REUSE_WITH_CARE = strawberry.enum_value(
        "REUSE_WITH_CARE", description="The conclusion is at hand, the images are not: ask the facility for them."
    )
    REPEAT = strawberry.enum_value("REPEAT", description="Nobody has written a conclusion.")


@strawberry.enum(description="Whether a condition lasts.")
class ConditionState(Enum):
    """Clinical state of a condition."""

    ACTIVE = strawberry.enum_value("ACTIVE", description="It lasts.")
    RECURRENCE = strawberry.enum_value("RECURRENCE", description="It came again.")
    RELAPSE = strawberry.enum_value("RELAPSE", description="It became worse again.")
    INACTIVE = strawberry.enum_value("INACTIVE", description="It causes nothing now.")
    REMISSION = strawberry.enum_value("REMISSION", description="It is in remission.")
    RESOLVED = strawberry.enum_value("RESOLVED", description="It is over.")


@strawberry.enum(description="How sure a statement is.")
class Certainty(Enum):
    """Verification of a statement."""

    UNCONFIRMED = strawberry.enum_value("UNCONFIRMED", description="Not confirmed.")
    PROVISIONAL = strawberry.enum_value("PROVISIONAL", description="Held for now.")
    DIFFERENTIAL = strawberry.enum_value("DIFFERENTIAL", description="One of several that are possible.")
    CONFIRMED = strawberry.enum_value("CONFIRMED", description="Confirmed.")
    REFUTED = strawberry.enum_value("REFUTED", description="Found to be wrong.")


@strawberry.enum(description="Whether an allergy lasts.")
class AllergyState(Enum):
    """Clinical state of an allergy."""

    ACTIVE = strawberry.enum_value("ACTIVE", description="It lasts.")
    INACTIVE = strawberry.enum_value("INACTIVE", description="It is thought to be no danger now.")
    RESOLVED = strawberry.enum_value("RESOLVED", description="A new exposure has shown that it is over.")


@strawberry.enum(description="Allergy or intolerance.")
class AllergyKind(Enum):
    """Mechanism."""

    ALLERGY = strawberry.enum_value("ALLERGY", description="The body's defence reacts.")
    INTOLERANCE = strawberry.enum_value("INTOLERANCE", description="It is not tolerated for another reason.")


@strawberry.enum(description="Kind of an allergen.")
class AllergyCategory(Enum):
    """Category of a substance."""

    FOOD = strawberry.enum_value("FOOD", description="Food.")
    MEDICATION = strawberry.enum_value("MEDICATION", description="Drug.")
    ENVIRONMENT = strawberry.enum_value("ENVIRONMENT", description="Pollen, dust, stings and the like.")
    BIOLOGIC = strawberry.enum_value("BIOLOGIC", description="Vaccine, serum, blood product.")


@strawberry.enum(description="How dangerous a new exposure is.")
class Criticality(Enum):
    """Danger of an exposure."""

    LOW = strawberry.enum_value("LOW", description="Not expected to threaten life.")
    HIGH = strawberry.enum_value("HIGH", description="May threaten life.")
    UNABLE_TO_ASSESS = strawberry.enum_value("UNABLE_TO_ASSESS", description="Nobody could tell.")
