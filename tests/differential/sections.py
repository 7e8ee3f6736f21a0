"""The names by which the judge knows sections, classes and kinds of notices."""

SECTIONS = [
    "VISITS",
    "PRESCRIPTIONS",
    "VACCINATIONS",
    "TEST_RESULTS",
    "IMAGING",
    "DOCUMENTS",
    "CONDITIONS",
    "ALLERGIES",
    "INSURANCE",
    "APPOINTMENTS",
]


CLASSES = ["HIV", "TUBERCULOSIS", "MENTAL_HEALTH", "SUBSTANCE_USE", "SEXUAL_HEALTH", "VIOLENCE"]


SECTION_OF = {
    "visits": "VISITS",
    "withdrawals": "VISITS",
    "prescriptions": "PRESCRIPTIONS",
    "vaccinations": "VACCINATIONS",
    "vaccinationSchedule": "VACCINATIONS",
    "testResults": "TEST_RESULTS",
    "testTrend": "TEST_RESULTS",
    "reuseAdvice": "TEST_RESULTS",
    "imaging": "IMAGING",
    "documents": "DOCUMENTS",
    "conditions": "CONDITIONS",
    "allergies": "ALLERGIES",
    "noKnownAllergies": "ALLERGIES",
    "insurance": "INSURANCE",
    "appointments": "APPOINTMENTS",
}


UNDER_ME = (
    *("dependants", "representatives", "askedToRepresent", "representationClaims"),
    *("identifiers", "disownedVisits", "consentTexts", "consents"),
)


NOTICES = {
    "vi": "Sổ có thể chưa đầy đủ: chỉ gồm hồ sơ mà các cơ sở đã gửi và trong phạm vi bạn được xem. "
    "Không có thông tin không có nghĩa là không có bệnh hay dị ứng.",
    "en": "This book may be incomplete: it holds what facilities have sent, within your scope. "
    "Nothing recorded does not mean no disease and no allergy.",
}
