"""A mail link from an answer asks for a mail, and for nothing else."""

import pytest

from titan_desktop.ui.chat.mail_address import clean


@pytest.mark.parametrize(
    ("address", "opened"),
    [
        ("mailto:anna@example.org", "mailto:anna@example.org"),
        ("mailto:a@b.org,c@d.org?subject=Hi%20there", "mailto:a@b.org,c@d.org?subject=Hi%20there"),
        ("mailto:?to=a@b.org&body=1%0D%0A2", "mailto:a@b.org?body=1%0D%0A2"),
        ("mailto:a@b.org?cc=c@d.org&subject=%D0%94%D0%B0", "mailto:a@b.org?cc=c@d.org&subject=%D0%94%D0%B0"),
        ("mailto:анна@b.рф", "mailto:%D0%B0%D0%BD%D0%BD%D0%B0@b.%D1%80%D1%84"),
        # files of the person's, hidden recipients, headers
        ("mailto:a@b.org?attach=/etc/passwd", "mailto:a@b.org"),
        ("mailto:a@b.org?Attachment=~/.ssh/id_rsa&subject=x", "mailto:a@b.org?subject=x"),
        ("mailto:a@b.org?%61ttach=/etc/passwd", "mailto:a@b.org"),
        ("mailto:a@b.org?X-Mailer=x&bcc=thief@c.org&In-Reply-To=x&From=x", "mailto:a@b.org"),
        ("mailto:a@b.org?subject=x%0D%0ABcc:%20thief@c.org", "mailto:a@b.org?subject=xBcc%3A%20thief%40c.org"),
        # words that end a quotation in a script between browser and mail program
        ("mailto:a@b.org?body=don't',attachment='/etc/passwd",
         "mailto:a@b.org?body=don%E2%80%99t%E2%80%99%2Cattachment%3D%E2%80%99%2Fetc%2Fpasswd"),
        ("mailto:a',attachment='/etc/passwd@b.org", ""),
        ("mailto:--attach=/etc/passwd@b.org", ""),
        ("mailto:-a@b.org,c@d.org", "mailto:c@d.org"),
        ("mailto:a%0Ab@c.org", ""),
        ("mailto:", ""),
    ],
)  # fmt: skip
def test_what_is_opened_for_a_mail_link(address: str, opened: str):
    """Addresses, subject and text stay; what reaches for files, hides a recipient or breaks out is left away."""
    assert clean(address) == opened
    if opened:
        assert clean(opened) == opened
