"""Office documents, books and pages made by hand, part by part: what the usual libraries do not write."""

import io
import zipfile
from collections.abc import Mapping

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
C = 'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"'
_ODF = "urn:oasis:names:tc:opendocument:xmlns"
_ODF_NAMES = {"office": "office", "text": "text", "table": "table", "style": "style", "draw": "drawing"}
ODF = " ".join(f'xmlns:{short}="{_ODF}:{name}:1.0"' for short, name in _ODF_NAMES.items()) + (
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:presentation="urn:oasis:names:tc:opendocument:xmlns:presentation:1.0"'
)
CHART = (
    f"<c:chartSpace {C} {A}><c:chart><c:title><c:tx><c:rich><a:p><a:r><a:t>Выручка</a:t></a:r></a:p></c:rich>"
    "</c:tx></c:title><c:plotArea><c:barChart><c:ser><c:tx><c:strRef><c:strCache><c:pt idx='0'>"
    "<c:v>План</c:v></c:pt>"
    "</c:strCache></c:strRef></c:tx><c:cat><c:strRef><c:strCache><c:pt idx='0'><c:v>Январь</c:v></c:pt>"
    "<c:pt idx='1'><c:v>Март</c:v></c:pt></c:strCache></c:strRef></c:cat><c:val><c:numRef><c:numCache>"
    "<c:pt idx='0'><c:v>45000</c:v></c:pt><c:pt idx='1'><c:v>51</c:v></c:pt></c:numCache></c:numRef></c:val>"
    "</c:ser></c:barChart></c:plotArea></c:chart></c:chartSpace>"
)


def packed(parts: Mapping[str, str | bytes]) -> bytes:
    """A ZIP of these members."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return made.getvalue()


def docx(body: str, **parts: str) -> bytes:
    """A DOCX; `parts` by name without their ending, such as `header1`, get their own root element."""
    roots = {"header1": "hdr", "header2": "hdr", "footer1": "ftr"}
    members = {
        f"word/{name}.xml": f"<w:{roots.get(name, name)} {W}>{content}</w:{roots.get(name, name)}>"
        for name, content in parts.items()
        if name != "chart"
    }
    if "chart" in parts:
        members["word/charts/chart1.xml"] = parts["chart"]
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override '
        'PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        'wordprocessingml.document.main+xml"/></Types>'
    )
    document = f"<w:document {W}><w:body>{body}</w:body></w:document>"
    return packed({"[Content_Types].xml": types, "word/document.xml": document, **members})


def open_document(kind: str, body: str, styles: str = "") -> bytes:
    """An OpenDocument file; `kind` is "text", "presentation" or "spreadsheet"."""
    content = (
        f"<office:document-content {ODF}><office:body><office:{kind}>{body}</office:{kind}></office:body>"
    )
    master = f"<office:document-styles {ODF}><office:master-styles>{styles}</office:master-styles>"
    return packed(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "content.xml": content + "</office:document-content>",
            "styles.xml": master + "</office:document-styles>",
        }
    )
