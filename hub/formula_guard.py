"""Write text that no spreadsheet program takes for a formula, and read it back.

Law: what is read back is exactly what was written, whatever it begins with. Pure.
"""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
MARK = "'"


def guarded(text: str) -> str:
    """Return text that a spreadsheet shows as text, whatever it begins with."""
    return MARK + text if _is_risky(text) else text


def unguarded(text: str) -> str:
    """Return the text that was guarded; any other stays as it is."""
    return text[1:] if text.startswith(MARK) and _is_risky(text) else text


def _is_risky(text: str) -> bool:
    # A text that looks guarded is guarded, too: else it would be read back without its mark.
    return text.startswith(FORMULA) or text.lstrip(MARK).lstrip().startswith(FORMULA)
