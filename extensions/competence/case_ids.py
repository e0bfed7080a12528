"""Name the parts of a framework as CASE 1.1 does: UUIDs and addresses.

Law: an identifier rests on the framework's own `uri` and a code, never on a
host, a time or chance, so that every rebuild on every machine gives the same one.
"""

from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from bioskills.competence.framework_model import Framework

VERSION = "v1p1"
PATH = f"ims/case/{VERSION}"


@dataclass(frozen=True)
class CaseNames:
    """Identifiers and addresses of one framework version.

    Attributes:
        base: Where CASE is served, without a slash at its end.
    """

    uri: str
    base: str

    @classmethod
    def of(cls, framework: Framework, site: str) -> "CaseNames":
        """Return the names of a framework.

        Args:
            framework: Whose parts are named.
            site: The public address below which CASE is served.
        """
        return cls(framework.uri, f"{site.rstrip('/')}/{PATH}")

    def identifier(self, code: str) -> str:
        """Return the identifier of a part: of the document itself for an empty code."""
        return str(uuid5(uuid5(NAMESPACE_URL, self.uri), code or "document"))

    def document_uri(self) -> str:
        """Return the address of the document."""
        return f"{self.base}/CFDocuments/{self.identifier('')}"

    def item_uri(self, code: str) -> str:
        """Return the address of a unit, an outcome, or a translation of one."""
        return f"{self.base}/CFItems/{self.identifier(code)}"

    def association_uri(self, code: str) -> str:
        """Return the address of an association."""
        return f"{self.base}/CFAssociations/{self.identifier(code)}"


def translated(code: str, language: str) -> str:
    """Return the code of an item in another language than English."""
    return f"{code}@{language}"
