"""A citizen with a book, doctors, and what they ask over HTTP."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import httpx

from app.core.ids import new_id
from tests.people import Stand, now

Answer = dict[str, Any]
ALL_SECTIONS = ["VISITS", "PRESCRIPTIONS", "TEST_RESULTS", "DOCUMENTS", "CONDITIONS", "INSURANCE"]
WHOLE: Answer = {"sections": ALL_SECTIONS}

CREATE = """mutation ($input: CreateShareCodeInput!) { createShareCode(input: $input) {
  code pin qrSvg spoken slip redeemableUntil scope { sections sensitive from to facilityCodes recordIds }
  shareCode { id state hasPin } liveGrants { id practitionerName } } }"""
REDEEM = """mutation ($input: RedeemShareCodeInput!) { redeemShareCode(input: $input) {
  grant { id state kind purpose until citizenName practitionerName scope { sections } facility { code } }
  healthBook { version visits { nodes { id reason } } prescriptions { nodes { id } } testResults { nodes { id } } }
} }"""
REVOKE = """mutation ($input: RevokeGrantInput!) { revokeGrant(input: $input) { grant { id state } closedSessions } }"""
CANCEL = """mutation ($input: CancelShareCodeInput!) { cancelShareCode(input: $input) {
  shareCode { id state grant { state } } } }"""
FREEZE = """mutation ($input: FreezeSharingInput!) { freezeSharing(input: $input) {
  frozen cancelledCodes revokedGrants closedSessions } }"""
ASK = """mutation ($input: RequestShareInput!) { requestShare(input: $input) {
  request { id state purpose accessMinutes scope { sections } facility { code } grant { id } } } }"""
APPROVE = """mutation ($input: ApproveShareRequestInput!) { approveShareRequest(input: $input) {
  request { state } grant { id state scope { sections } } } }"""
REFUSE = (
    """mutation ($input: RefuseShareRequestInput!) { refuseShareRequest(input: $input) { request { id state } } }"""
)
EMERGENCY = """mutation ($input: EmergencyAccessInput!) { openEmergencyAccess(input: $input) {
  grant { id kind reason until startsAt } healthBook { visits { nodes { id } } insurance { id: lastShownAt } } } }"""
MASK = """mutation ($input: MaskRecordsInput!) { maskRecords(input: $input) { changed } }"""
UNMASK = """mutation ($input: UnmaskRecordsInput!) { unmaskRecords(input: $input) { changed } }"""
BOOK = """version scope { sections sensitive from to facilityCodes recordIds notice }
  owner { id fullName birthDate nationalId phone address }
  visits { nodes { id startedAt reason facility { code } diagnoses { code role } services { line name amount }
    vitalSigns { measuredAt } } edges { cursor } pageInfo { hasNextPage endCursor } }
  prescriptions { nodes { id visitId items { line drugName } } edges { cursor } pageInfo { endCursor } }
  testResults { nodes { id visitId results { line name value } } edges { cursor } pageInfo { endCursor } }
  documents { nodes { id } edges { cursor } }
  conditions { code visitCount firstRecordedAt lastRecordedAt }
  insurance { validFrom benefitPercent lastShownAt }
  withdrawals { id reason }"""
SHARED = f"query ($grant: ID!) {{ sharedHealthBook(grantId: $grant) {{ {BOOK} }} }}"
OWN = f"query ($citizen: ID) {{ healthBook(citizenId: $citizen) {{ {BOOK} }} }}"
PREVIEW = f"query ($scope: ShareScopeInput!) {{ previewShare(scope: $scope) {{ {BOOK} }} }}"
GRANTS = """query ($state: GrantState) { grants(state: $state) { nodes { id state kind citizenName practitionerName
  practitionerCertificate scope { sections } } } }"""
CODES = """query { shareCodes { nodes { id state scope { sections }
  refusals { reason at facilityCode } grant { id } } } }"""
REQUESTS = """query { shareRequests { nodes { id state practitionerName scope { sections } } } }"""


@dataclass(slots=True)
class Clinic:
    """One database, spoken to over HTTP: who asks what, and what they are told."""

    stand: Stand
    http: httpx.Client
    doctors: dict[str, UUID] = field(default_factory=dict)

    def doctor(self, name: str = "Trần Văn Đức", *, facility: str = "01901", citizen: UUID | None = None) -> str:
        """Register a practitioner who works at a facility and return a bearer token."""
        practitioner_id = new_id(now=now())
        self.stand.as_owner(
            "INSERT INTO auth.practitioner "
            "(id, certificate, full_name, name_key, citizen_id, valid_from, registered_at) "
            "VALUES (:id, :certificate, :name, 'X', :citizen, '2020-01-01', now())",
            id=practitioner_id,
            certificate=f"{practitioner_id.hex[-10:]}/HNO-GPHN",
            name=name,
            citizen=citizen,
        )
        self.stand.as_owner(
            "INSERT INTO auth.practitioner_place (practitioner_id, facility_code, valid_from) "
            "VALUES (:id, :facility, '2020-01-01')",
            id=practitioner_id,
            facility=facility,
        )
        token = self.stand.practitioner_token(practitioner_id)
        self.doctors[token] = practitioner_id
        return self.stepped_up(token)

    def citizen(self, citizen_id: UUID) -> str:
        """Return a token of a citizen with fresh second factors."""
        return self.stepped_up(self.stand.citizen_token(citizen_id))

    def stepped_up(self, token: str) -> str:
        """Give a session a fresh second factor for everything."""
        self.stand.as_owner(
            "INSERT INTO auth.step_up SELECT s.id, '*', now() + interval '1 hour' FROM auth.session s "
            "WHERE s.token_hash = sha256(convert_to(:token, 'UTF8'))",
            token=token,
        )
        return token

    def ask(self, token: str | None, query: str, **variables: Any) -> httpx.Response:
        """Send a document."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)

    def data(self, token: str, query: str, **variables: Any) -> Answer:
        """Send a document that must be answered and return its one root field."""
        body = self.ask(token, query, **variables).json()
        assert "errors" not in body, body
        (found,) = body["data"].values()
        answer: Answer = found
        return answer

    def code_of(self, token: str | None, query: str, **variables: Any) -> str:
        """Send a document that must be refused and return the error's code."""
        body = self.ask(token, query, **variables).json()
        assert "errors" in body, body
        code: str = body["errors"][0]["extensions"]["code"]
        return code

    def share(self, citizen: str, *, scope: Answer | None = None, key: str | None = None, **more: Any) -> Answer:
        """Make a share code."""
        return self.data(citizen, CREATE, input=code_input(scope=scope, key=key, **more))

    def redeem(self, doctor: str, code: str, *, facility: str = "01901", **more: Any) -> httpx.Response:
        """Try to redeem a code."""
        return self.ask(doctor, REDEEM, input=redeem_input(code, facility=facility, **more))

    def grant(
        self, citizen: str, doctor: str, *, scope: Answer | None = None, facility: str = "01901", **more: Any
    ) -> str:
        """Let a doctor have a grant and return its id."""
        code = self.share(citizen, scope=scope, **more)
        body = self.redeem(doctor, code["code"], facility=facility, pin=code["pin"]).json()
        assert "errors" not in body, body
        found: str = body["data"]["redeemShareCode"]["grant"]["id"]
        return found

    def lines(self, citizen: UUID, action: str) -> list[Any]:
        """Return the lines of a citizen's visitors' book of one action."""
        return self.stand.as_owner(
            "SELECT * FROM audit.line WHERE citizen_id = :citizen AND action = :action ORDER BY n",
            citizen=citizen,
            action=action,
        )

    def events(self, citizen: UUID, kind: str) -> list[Any]:
        """Return the events of one kind that a citizen is told of."""
        return self.stand.as_owner(
            "SELECT * FROM notice.event WHERE citizen_id = :citizen AND kind = :kind", citizen=citizen, kind=kind
        )


def a_key() -> str:
    """Return an idempotency key."""
    return uuid4().hex


def code_input(*, scope: Answer | None = None, key: str | None = None, **more: Any) -> Answer:
    """Return the input of createShareCode."""
    return {"idempotencyKey": key or a_key(), "scope": scope or WHOLE, "purpose": "TREATMENT", **more}


def redeem_input(code: str, *, facility: str = "01901", key: str | None = None, **more: Any) -> Answer:
    """Return the input of redeemShareCode."""
    return {
        "idempotencyKey": key or a_key(),
        "code": code,
        "facilityCode": facility,
        "purpose": "TREATMENT",
        **{name: value for name, value in more.items() if value is not None},
    }


def born_on(years_ago: int) -> date:
    """Return the day on which somebody of that age was born."""
    today = now().date()
    return today.replace(year=today.year - years_ago, day=min(today.day, 28))
