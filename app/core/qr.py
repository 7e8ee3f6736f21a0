"""QR codes that any screen, page and paper can show."""

from io import BytesIO

import segno


def qr_svg(text: str) -> str:
    """Return an SVG element that stands alone too: black on white, on a dark screen as well, of the size it is given.

    Its quiet zone is four modules wide. Source: ISO/IEC 18004 section 9.1.
    """
    drawn = BytesIO()
    segno.make_qr(text, error="m").save(
        drawn, kind="svg", xmldecl=False, svgns=True, scale=8, border=4, omitsize=True, light="#fff", nl=False
    )
    return drawn.getvalue().decode()
