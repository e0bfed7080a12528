"""Read `data.yml`: where every data file of a course comes from.

Law: a file without source, licence and hash does not reach a learner.
"""

from typing import Annotated

from pydantic import StringConstraints

from bioskills.courses.typed_yaml import Record, Text, parse_record

DATA_MANIFEST = "data.yml"

# Licences under which a file may stand in a CC BY course. Share-alike, non-commercial,
# no-derivatives and unknown ones may not.
ALLOWED_LICENCES = frozenset(
    {
        "CC0-1.0",
        "CC-BY-3.0",
        "CC-BY-4.0",
        "MIT",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "Apache-2.0",
        "Biopython",
        "LicenseRef-public-domain",
        "public-domain",
    }
)

MAX_DATA_FILE_BYTES = 2 * 2**20
MAX_DATA_BYTES = 10 * 2**20


class DataFile(Record):
    """Where one file comes from and what may be done with it.

    Attributes:
        path: Path inside the course.
        sha256: Hash of the file as it stands here, in hexadecimal.
        source: Package, archive or person it was taken from, with version.
        accession: Accessions or identifiers upstream; empty for none.
        license: SPDX name, or one of `ALLOWED_LICENCES`.
        changes: What was done to it; "none" when it is as it came.
    """

    path: Text
    sha256: Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9a-f]{64}$")]
    source: Text
    license: Text
    changes: Text
    title: Text | None = None
    accession: Text | tuple[Text, ...] | None = None
    url: Text | None = None


class DataManifest(Record):
    """Everything `data.yml` says."""

    files: tuple[DataFile, ...] = ()

    def entry(self, path: str) -> DataFile | None:
        """Return the entry of this path, or None."""
        return next((entry for entry in self.files if entry.path == path), None)


def parse_data_manifest(text: str, file: str = DATA_MANIFEST) -> DataManifest:
    """Return the data manifest written in this YAML text.

    Raises:
        CourseError: with one fault per missing, unknown or wrong key.
    """
    return parse_record(DataManifest, file, text)


def is_data(path: str) -> bool:
    """Say whether a path of a course is a data file that `data.yml` must list."""
    parts = path.split("/")
    return parts[0] == "data" or (parts[0] == "assignments" and "data" in parts[2:-1])
