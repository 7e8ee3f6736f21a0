"""What `dev.py run` prints when everything is up: where to go, who is who, and a first query to paste."""

from base64 import b32encode

from app.demo.people import FACILITIES, FACTOR_SECRET, citizen, practitioners

_FIRST_QUERY = (
    "{ healthBook { owner { fullName birthDate } "
    "prescriptions(first: 2) { nodes { items { drugName strength dose } } } } }"
)
_SHOWN_CITIZENS = (1, 2, 3, 4)
_SHOWN_DOCTORS = 3
_COMMAND = "python3 dev.py sokhoe"


def welcome(*, url: str, provider_url: str | None = None) -> str:
    """Return the greeting in Vietnamese and English; the addresses are the server's and the identity provider's."""
    address = url.rstrip("/")
    return "\n".join(
        [
            "Sổ Khỏe đã sẵn sàng. / Sổ Khỏe is ready.",
            "",
            f"  GraphQL                    {address}/graphql   (trong trình duyệt / in a browser: GraphiQL)",
            f"  Gửi hồ sơ / push records   {address}/ingest/qd4750",
            f"  Tình trạng / health        {address}/readyz",
            *_sign_in(provider_url),
            "",
            "Mọi người và mọi cơ sở ở đây đều là hư cấu. / Everybody and every facility here is made up.",
            *_people(),
            "",
            "Câu truy vấn đầu tiên, dán vào cửa sổ khác / A first query, for another terminal:",
            "",
            f"  TOKEN=$({_COMMAND} demo token --as citizen:1)",
            *_curl(address, _FIRST_QUERY),
            "",
            "Xác thực lại của citizen:1 (TOTP) / The second factor of citizen:1, for an authenticator:",
            "",
            f"  {b32encode(FACTOR_SECRET).decode('ascii')}   ({_COMMAND} demo totp)",
            "",
            "Gửi hồ sơ như một bệnh viện / Push a message as a hospital would:",
            "",
            f"  {_COMMAND} send tests/golden/qd4750/outpatient.xml",
            "",
            "Điện thoại nhận thông báo đẩy (giả lập) / A phone that pushes arrive at (a stand-in):",
            "",
            f"  {_COMMAND} demo phone --as citizen:1 --book",
            "",
            "Bác sĩ xem sổ khi người dân cho phép / A doctor reads what a citizen shares: infra/app-guide.md,",
            "“A doctor reads with the citizen's consent”.",
            "",
            "Ai đã xem, có bằng chứng; hàng đợi / Who looked, with proofs; the queue:",
            "",
            f"  {_COMMAND} audit verify",
            f"  {_COMMAND} queue",
        ]
    )


def _sign_in(provider_url: str | None) -> list[str]:
    if provider_url is None:
        return []
    return [
        f"  Định danh / identity       {provider_url}   (giả lập VNeID / a stand-in for VNeID)",
        f"  Thông báo đẩy / pushes     {provider_url}/push   (giả lập FCM / a stand-in for FCM)",
        "",
        "Đăng nhập bằng trình duyệt, như một ứng dụng / Sign in with a browser, as an app would:",
        "",
        f"  {_COMMAND} demo sign-in",
    ]


def _people() -> list[str]:
    lines = [f"  citizen:{number:<3} {citizen(number).full_name}{_family(number)}" for number in _SHOWN_CITIZENS]
    lines.extend(
        f"  doctor:{one.number:<4} {one.full_name} ({one.facility_code})" for one in practitioners()[:_SHOWN_DOCTORS]
    )
    lines.extend(
        f"  facility:{number:<2} {facility.code} {facility.name}" for number, facility in enumerate(FACILITIES, start=1)
    )
    return lines


def _family(number: int) -> str:
    parent = citizen(number).parent_number
    return f" (con của / child of citizen:{parent})" if parent else ""


def _curl(address: str, query: str) -> list[str]:
    return [
        f'  curl -s {address}/graphql -H "Authorization: Bearer $TOKEN" \\',
        "    -H 'Content-Type: application/json' \\",
        f'    -d \'{{"query": "{query}"}}\'',
    ]
