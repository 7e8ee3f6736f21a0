"""The sections of a book, and the bit of each in a decision."""

from enum import StrEnum


class BookSection(StrEnum):
    """What a book is made of, and what a citizen may share apart."""

    VISITS = "VISITS"
    PRESCRIPTIONS = "PRESCRIPTIONS"
    VACCINATIONS = "VACCINATIONS"
    TEST_RESULTS = "TEST_RESULTS"
    IMAGING = "IMAGING"
    DOCUMENTS = "DOCUMENTS"
    CONDITIONS = "CONDITIONS"
    ALLERGIES = "ALLERGIES"
    INSURANCE = "INSURANCE"
    APPOINTMENTS = "APPOINTMENTS"

    @property
    def bit(self) -> int:
        """Return the section's bit in `sections` of open_book; the order of the members is fixed for ever."""
        return 1 << list(BookSection).index(self)


EVERY_SECTION = sum(section.bit for section in BookSection)


class SensitiveClass(StrEnum):
    """What the law or good sense asks to tell to fewer people than the rest of a book."""

    HIV = "HIV"
    TUBERCULOSIS = "TUBERCULOSIS"
    MENTAL_HEALTH = "MENTAL_HEALTH"
    SUBSTANCE_USE = "SUBSTANCE_USE"
    SEXUAL_HEALTH = "SEXUAL_HEALTH"
    VIOLENCE = "VIOLENCE"

    @property
    def bit(self) -> int:
        """Return the class's bit in a decision and in a record; the order of the members is fixed for ever."""
        return 1 << list(SensitiveClass).index(self)
