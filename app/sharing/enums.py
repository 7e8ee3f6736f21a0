"""The published words of sharing."""

from enum import Enum

import strawberry


@strawberry.enum(description="A section of a health book.")
class BookSection(Enum):
    """Sections; the bits are those of app.sharing.scope."""

    VISITS = strawberry.enum_value("VISITS", description="Visits with diagnoses and costs.")
    PRESCRIPTIONS = strawberry.enum_value("PRESCRIPTIONS", description="Prescriptions.")
    VACCINATIONS = strawberry.enum_value("VACCINATIONS", description="Vaccinations.")
    TEST_RESULTS = strawberry.enum_value("TEST_RESULTS", description="Test reports.")
    IMAGING = strawberry.enum_value("IMAGING", description="Imaging studies.")
    DOCUMENTS = strawberry.enum_value("DOCUMENTS", description="Discharge, referral and other papers.")
    CONDITIONS = strawberry.enum_value("CONDITIONS", description="Diseases and problems.")
    ALLERGIES = strawberry.enum_value("ALLERGIES", description="Allergies.")
    INSURANCE = strawberry.enum_value("INSURANCE", description="Insurance cards.")
    APPOINTMENTS = strawberry.enum_value("APPOINTMENTS", description="Appointments.")


@strawberry.enum(
    description=(
        "Records that fewer people are told of. They are shown to others only where the citizen chose their class; "
        "HIV and VIOLENCE never in an emergency."
    )
)
class SensitiveClass(Enum):
    """Classes; the bits are those of app.sharing.scope."""

    HIV = strawberry.enum_value("HIV", description="HIV and its treatment (Law 64/2006/QH11, Art. 30).")
    TUBERCULOSIS = strawberry.enum_value("TUBERCULOSIS", description="Tuberculosis.")
    MENTAL_HEALTH = strawberry.enum_value("MENTAL_HEALTH", description="Mental and behavioural disorders, self-harm.")
    SUBSTANCE_USE = strawberry.enum_value("SUBSTANCE_USE", description="Use of alcohol and drugs, and its treatment.")
    SEXUAL_HEALTH = strawberry.enum_value("SEXUAL_HEALTH", description="Sexually transmitted diseases, abortion.")
    VIOLENCE = strawberry.enum_value("VIOLENCE", description="Violence and abuse; never shown to a representative.")


@strawberry.enum(description="What a book is opened for.")
class SharePurpose(Enum):
    """Purposes."""

    TREATMENT = strawberry.enum_value("TREATMENT", description="Examination and treatment.")
    REFERRAL = strawberry.enum_value("REFERRAL", description="Referral to another facility.")
    SECOND_OPINION = strawberry.enum_value("SECOND_OPINION", description="A second opinion.")
    EMERGENCY = strawberry.enum_value("EMERGENCY", description="An emergency.")
    OTHER = strawberry.enum_value("OTHER", description="Something else that both have talked about.")


@strawberry.enum(description="How a practitioner came to a grant.")
class GrantKind(Enum):
    """Kinds."""

    CODE = strawberry.enum_value("CODE", description="By a share code that the citizen gave them.")
    REQUEST = strawberry.enum_value("REQUEST", description="They asked, and the citizen approved.")
    EMERGENCY = strawberry.enum_value("EMERGENCY", description="They opened it in an emergency, without being asked.")


@strawberry.enum(description="What has become of a grant, by the clock of the database.")
class GrantState(Enum):
    """States."""

    LIVE = strawberry.enum_value("LIVE", description="It opens the book now.")
    ENDED = strawberry.enum_value("ENDED", description="Its time is over.")
    REVOKED = strawberry.enum_value("REVOKED", description="The citizen took it back, or froze all sharing.")


@strawberry.enum(description="What has become of a share code.")
class ShareCodeState(Enum):
    """States."""

    LIVE = strawberry.enum_value("LIVE", description="It can be redeemed now.")
    REDEEMED = strawberry.enum_value("REDEEMED", description="A practitioner redeemed it.")
    CANCELLED = strawberry.enum_value("CANCELLED", description="The citizen cancelled it.")
    EXPIRED = strawberry.enum_value("EXPIRED", description="Nobody redeemed it in time.")
    SPENT = strawberry.enum_value("SPENT", description="It was tried three times with a wrong PIN.")


@strawberry.enum(
    description="Why a try to redeem a code was refused. Only the citizen is told, never the practitioner."
)
class RefusalReason(Enum):
    """Reasons."""

    WRONG_PIN = strawberry.enum_value("WRONG_PIN", description="The PIN was wrong, or the try was cut short.")
    USED = strawberry.enum_value("USED", description="The code had been redeemed already.")
    CANCELLED = strawberry.enum_value("CANCELLED", description="The code had been cancelled.")
    EXPIRED = strawberry.enum_value("EXPIRED", description="The code's time was over.")
    TRIES_SPENT = strawberry.enum_value("TRIES_SPENT", description="The code had been tried three times.")
    NOT_PRACTISING_THERE = strawberry.enum_value(
        "NOT_PRACTISING_THERE", description="The practitioner may not practise at the facility that they named."
    )
    NOT_FOR_THIS_VIEWER = strawberry.enum_value(
        "NOT_FOR_THIS_VIEWER",
        description="The code's maker has signed out or frozen sharing, or tried their own code.",
    )


@strawberry.enum(description="What has become of a practitioner's request.")
class ShareRequestState(Enum):
    """States."""

    OPEN = strawberry.enum_value("OPEN", description="It waits for an answer.")
    APPROVED = strawberry.enum_value("APPROVED", description="The citizen gave a grant.")
    REFUSED = strawberry.enum_value("REFUSED", description="The citizen refused.")
    EXPIRED = strawberry.enum_value("EXPIRED", description="Nobody answered in three days.")
