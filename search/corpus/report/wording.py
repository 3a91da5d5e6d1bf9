"""How numbers are said in sentences."""


def percent(share: float) -> str:
    """A share (0 to 1) in percent; with a digit behind the point where it would wrongly be 0% or 100%."""
    said = f"{share:.0%}"
    return f"{share:.1%}" if said in ("0%", "100%") and share not in (0.0, 1.0) else said
