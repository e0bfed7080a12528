"""The options of the papers that people read before they begin.

Law: what the law asks of the operator alone (who they are, why, for how long)
is never guessed: where it is not set, the paper says that it is missing.
"""

from pydantic import Field

from bioskills.base.settings_section import Section


class Papers(Section):
    """What people are told at their first sign-in: who runs this, what is stored, who sees it, for how long."""

    at_first_sign_in: bool = Field(
        True,
        description="Whether people see the paper on privacy before anything else, once, and again "
        "when it changed. Off only where they are told in another way.",
    )
    operator_address: str = Field("", description="Postal address of the operator.")
    privacy_contact: str = Field(
        "",
        description="Whom to ask about personal data: a mail or web address, such as the data "
        "protection officer's. Empty: `site.help_contact`.",
    )
    purposes: str = Field(
        "", description="What the data are for, in a sentence or two. Empty: our text."
    )
    lawful_basis: str = Field(
        "",
        description="On which lawful basis, such as `contract with your employer (Art. 6 (1) (b) "
        "GDPR)`. Empty: the paper says that the operator has to name it.",
    )
    retention: str = Field(
        "",
        description="For how long work, results and names are kept, such as `until 12 months after "
        "your course ended`. Empty: the paper says that the operator has to name it.",
    )
    recipients: str = Field(
        "", description="Who else receives data, such as a hosting company. Empty: nobody is named."
    )
    supervisor: str = Field(
        "", description="Supervisory authority for complaints, with its address."
    )
    accessibility_contact: str = Field(
        "", description="Whom to tell about barriers. Empty: `site.help_contact`."
    )
    privacy_file: str = Field(
        "",
        description="File with a text of your own in place of ours: headings (`# `), paragraphs, "
        "lists (`- `). Another language stands beside it: `privacy.md`, `privacy.de.md`.",
    )
    accessibility_file: str = Field("", description="The same for the accessibility statement.")
